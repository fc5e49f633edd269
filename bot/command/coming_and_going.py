"""Workspaces that come and go while we run: installed, installed anew, uninstalled, also in another replica.

bot/inbound/install.py stores what Slack grants and `hurry`s us; bot/inbound/slack.py tells of uninstalls.
Whoever comes is served at once, and what was broken there is mended where the bot is a member. Whoever goes
is sent nothing more: its token is erased, its subscriptions rest, and its data stays for a reinstall.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import structlog

from bot.background import look_again
from bot.errors import SlackFailure
from bot.model import Channel
from bot.slack.failures import TokenBad
from bot.slack.workspaces import Connect, Workspaces
from bot.store.installs import Holding, Installs

log = structlog.get_logger("pagerline.slack")

PERIOD = 30.0  # seconds between looks at what is installed, when no hint comes
UNINSTALLED = "I was uninstalled from this workspace."


class Rules(Protocol):
    """bot/store/subscriptions.py."""

    async def mark_broken(self, channel: Channel, reason: str) -> Any: ...
    async def mend(self, channel: Channel, *, probing: bool) -> Any: ...


class ComingAndGoing:
    """Keeps `workspaces` what the database says.

    `connect` makes a client of a token, `wait` sleeps until a hint or for so many seconds, `closed_channels`
    names those that take no messages, `changed` tells the loops that there is a workspace more;
    `install_url` is where one installs the bot.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        installs: Installs,
        rules: Rules,
        *,
        connect: Connect,
        closed_channels: Callable[[], Awaitable[list[Channel]]],
        hint: Callable[[], None],
        wait: Callable[[float], Coroutine[Any, Any, bool]],
        changed: Callable[[], None],
        install_url: str,
    ) -> None:
        self._workspaces = workspaces
        self._installs = installs
        self._rules = rules
        self._connect = connect
        self._closed_channels = closed_channels
        self._hint = hint
        self._wait = wait
        self._changed = changed
        self._url = install_url

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        await look_again(stop, self.look, lambda: self._wait(PERIOD), lost="workspaces_not_looked_at")

    async def look(self) -> None:
        """Serve what is installed now. Raises StoreUnavailable."""
        before = {slack.team_id for slack in self._workspaces.all()}
        came = await self._workspaces.refresh()
        for team_id in sorted(before - {slack.team_id for slack in self._workspaces.all()}):
            log.info("workspace_gone", team=team_id)
        for team_id in sorted(came):
            log.info("workspace_served", team=team_id)
            await self._mend(team_id)
        if came:
            self._changed()

    def problems(self) -> list[str]:
        """For /health/ready: what keeps a workspace from being served, with what to do."""
        nobody = [] if self._workspaces.all() else [f"No workspace has installed me yet: open {self._url}"]
        return [*nobody, *self._installs.problems()]

    async def hurry(self) -> None:
        """Something was installed here: serve it now, and tell the other replicas."""
        await self.look()
        self._hint()

    async def uninstalled(self, team_id: str, enterprise_id: str) -> None:
        """Slack says that the app, or its token, was taken away from a workspace or an organisation.

        Slack repeats what it could not deliver for minutes, and by then the app may be back: so a token is
        believed dead only when Slack itself refuses it.
        """
        if self._workspaces.is_own(team_id):
            log.error("own_workspace_uninstalled", team=team_id, todo="install the app again")
        for key in dict.fromkeys(one for one in (team_id, enterprise_id) if one):
            holding = await self._installs.holding(key)
            while holding is not None and await self._is_dead(holding) and not await self._end(holding):
                holding = await self._installs.holding(key)  # replaced, or sealed again, meanwhile

    # ------------------------------------------------------------------------------------------------ inside

    async def _is_dead(self, holding: Holding) -> bool:
        try:
            await self._connect(holding.key, holding.token).identity()
        except TokenBad as failure:
            log.info("workspace_token_dead", team=holding.key, code=failure.code)
            return True
        except SlackFailure as failure:
            # It stays; if it is dead, no call gets through with it either.
            log.warning("uninstall_not_confirmed", team=holding.key, code=failure.code)
            return False
        log.info("uninstall_is_old_news", team=holding.key)
        return False

    async def _end(self, holding: Holding) -> bool:
        """False: it is not the newest any more."""
        gone = await self._installs.end(holding)
        if gone is None:
            return False
        for team_id in gone:
            self._workspaces.forget(team_id)
            log.info("workspace_gone", team=team_id)
            for channel in await self._installs.channels(team_id):
                await self._rules.mark_broken(channel, UNINSTALLED)
        self._hint()
        return True

    async def _mend(self, team_id: str) -> None:
        """What broke while nobody served the workspace, in the channels that still have the bot."""
        slack = self._workspaces.for_team(team_id)
        for channel in await self._closed_channels():
            if slack is None or channel.team_id != team_id:
                continue
            try:
                found = await slack.channel(channel.id)
            except SlackFailure as failure:
                log.debug("channel_not_looked_at", channel=channel.id, code=failure.code)
                continue
            if found.is_member and not found.is_archived:
                # Of a restart too everybody `came`: whether we may post, the next post finds out.
                await self._rules.mend(channel, probing=True)
