"""Which Slack client serves which workspace: the settings' token, and installs that come and go while we run.

`for_team` answers from memory. An install made in another replica is found by `find` (a request names an
unknown workspace) or by `refresh` (bot/command/installs.py, on a hint and on a period).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog
from cachetools import TTLCache
from pydantic import SecretStr

from bot.errors import SlackFailure
from bot.model import SlackUser
from bot.slack.client import Slack

log = structlog.get_logger("pagerline.slack")

MISS_SECONDS = 5.0
MOST_MISSES = 1000


class Served(Protocol):
    """A workspace and the token that works in it; equal as long as nothing changed."""

    @property
    def team_id(self) -> str: ...
    @property
    def token(self) -> SecretStr: ...
    @property
    def by_organisation(self) -> bool: ...


class Held(Protocol):
    """The token of an organisation."""

    @property
    def token(self) -> SecretStr: ...


class Installed(Protocol):
    """The workspaces that were installed by OAuth (bot/store/installs.py)."""

    async def living(self) -> Sequence[Served]: ...
    async def find(self, team_id: str) -> Served | None: ...
    async def join(self, team_id: str, enterprise_id: str) -> Served | None: ...
    async def holding(self, key: str) -> Held | None: ...


class Connect(Protocol):
    """A client for a token (bot/opening.py)."""

    def __call__(self, team_id: str, token: SecretStr, *, by_organisation: bool = False) -> Slack: ...


class Workspaces:
    """`for_team` gives the client of a workspace, None for one we are not installed in.

    `clients` are the settings' own and stay, whatever was installed; the first is the default. With
    `installed`, `connect` makes the clients of the others. `timer` is monotonic seconds.
    """

    def __init__(
        self,
        clients: Iterable[Slack] = (),
        *,
        installed: Installed | None = None,
        connect: Connect | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own: dict[str, Slack] = {}
        self._clients: dict[str, Slack] = {}
        self._served: dict[str, Served] = {}
        self._installed = installed
        self._connect = connect
        self._missed: TTLCache[tuple[str, str | None], bool] = TTLCache(MOST_MISSES, MISS_SECONDS, timer)
        self._refreshing = asyncio.Lock()  # an older answer must not undo a newer one
        for client in clients:
            self.add(client)

    def add(self, client: Slack) -> None:
        """Serve the client's workspace; its `team_id` must be known (`identity()` learns it)."""
        if not client.team_id:
            raise ValueError("a Slack client is added once its workspace is known")
        self._own[client.team_id] = client
        self._clients[client.team_id] = client

    @property
    def default(self) -> Slack | None:
        """The workspace of the settings' token, which bare ids in settings belong to; None without one."""
        return next(iter(self._own.values()), None)

    @property
    def may_grow(self) -> bool:
        """Workspaces may install themselves: one that we do not know is not ours to guess."""
        return self._installed is not None

    def is_own(self, team_id: str) -> bool:
        """Whether the settings' token serves it."""
        return team_id in self._own

    def for_team(self, team_id: str) -> Slack | None:
        """The workspace's client."""
        return self._clients.get(team_id)

    def all(self) -> tuple[Slack, ...]:
        """Every workspace's client."""
        return tuple(self._clients.values())

    def locate(self, name: str) -> SlackUser | None:
        """The user, user group or channel that a setting names: `T…:U…`, or an id of the default workspace.

        None when there is no default, or the workspace is not served.
        """
        team_id, colon, one = name.partition(":")
        if colon:
            return SlackUser(team_id, one) if team_id in self._clients else None
        default = self.default
        return None if default is None else SlackUser(default.team_id, name)

    async def direct_message(self, name: str, text: str) -> None:
        """Write to whom a setting names (`locate`). Raises SlackFailure, also when nobody serves them."""
        place = self.locate(name)
        slack = None if place is None else self._clients.get(place.team_id)
        if place is None or slack is None:
            raise SlackFailure("no_client")
        await slack.direct_message(place.id, text)

    async def find(self, team_id: str, enterprise_id: str | None = None) -> Slack | None:
        """As `for_team`, but asks the database about one that is unknown; not again for a few seconds.

        `enterprise_id`: Slack says that it reaches us through this organisation's install; Slack is asked
        whether the workspace is one of it, because payloads name strangers' workspaces too.
        """
        known = self._clients.get(team_id)
        asked = (team_id, enterprise_id)
        if known is not None or self._installed is None or not team_id or asked in self._missed:
            return known
        served = await self._installed.find(team_id)
        if served is None and enterprise_id and await self._is_of(team_id, enterprise_id):
            served = await self._installed.join(team_id, enterprise_id)
        if served is None:
            self._missed[asked] = True
            return None
        self._take(served)
        return self._clients.get(team_id)

    async def refresh(self) -> frozenset[str]:
        """What is installed now; the workspaces that came, or have a new token. Raises StoreUnavailable."""
        if self._installed is None:
            return frozenset()
        async with self._refreshing:
            before = set(self._served)
            living = {one.team_id: one for one in await self._installed.living()}
            self._missed.clear()
            for team_id in before - living.keys():
                self.forget(team_id)
            return frozenset(team_id for team_id, one in living.items() if self._take(one))

    def forget(self, team_id: str) -> None:
        """It was uninstalled: nothing is sent there any more. The settings' own stays."""
        self._served.pop(team_id, None)
        if team_id not in self._own:
            self._clients.pop(team_id, None)

    def _take(self, served: Served) -> bool:
        if served.team_id in self._own or self._served.get(served.team_id) == served:
            return False
        if self._connect is None:
            raise ValueError("installed workspaces need `connect`")
        self._served[served.team_id] = served
        self._clients[served.team_id] = self._connect(
            served.team_id, served.token, by_organisation=served.by_organisation
        )
        return True

    async def _is_of(self, team_id: str, enterprise_id: str) -> bool:
        held = None if self._installed is None else await self._installed.holding(enterprise_id)
        if held is None or self._connect is None:
            return False
        try:
            return team_id in await self._connect(enterprise_id, held.token).teams()
        except SlackFailure as failure:
            log.warning("organisation_not_asked", organisation=enterprise_id, code=failure.code)
            return False
