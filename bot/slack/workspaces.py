"""Which Slack client serves which workspace: one token from the settings today, installs later."""

from __future__ import annotations

from collections.abc import Iterable

from bot.slack.client import Slack


class Workspaces:
    """`for_team` gives the client of a workspace, None for one we are not installed in."""

    def __init__(self, clients: Iterable[Slack] = ()) -> None:
        self._clients: dict[str, Slack] = {}
        for client in clients:
            self.add(client)

    def add(self, client: Slack) -> None:
        """Serve the client's workspace; its `team_id` must be known (`identity()` learns it)."""
        if not client.team_id:
            raise ValueError("a Slack client is added once its workspace is known")
        self._clients[client.team_id] = client

    def for_team(self, team_id: str) -> Slack | None:
        """The workspace's client."""
        return self._clients.get(team_id)

    def all(self) -> tuple[Slack, ...]:
        """Every workspace's client."""
        return tuple(self._clients.values())
