"""The end of linking, whichever way it came there: the account is written, or what waited is thrown away.

bot/accounts/linking.py (the person confirmed), approval.py (an admin decided, or nobody did) end here. The
store decides who is first; what follows a link (Slack's message, what was asked for) runs beside the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import structlog
from pydantic import SecretStr

from bot.declaration import Reply
from bot.errors import SlackFailure
from bot.model import Person, SlackUser
from bot.render.link_problems import Problem
from bot.render.linking import approved, linked_as, replaced
from bot.slack.workspaces import Workspaces
from bot.store.accounts import AccountStore, PersonTaken
from bot.store.pending_links import Ended, Linked, Outcome, PendingLink, PendingLinks, TooLate

log = structlog.get_logger("pagerline.linking")

REPLACED = "replaced"  # why a link ended: another Slack user proved that the PagerDuty user is theirs
TRIES = 3  # at taking a PagerDuty user over from somebody else

OnLinked = Callable[[SlackUser, Person], Awaitable[None]]
"""Told of every new link: bot/command/parked.py does what waited for it."""
Start = Callable[[Coroutine[Any, Any, None], str], None]
"""Runs something beside the request, under a name; never raises."""


class LinkStopped(Exception):
    """Linking does not go on; `problem` is what the page says."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.title)
        self.problem = problem


class Revoker(Protocol):
    """bot/pagerduty/oauth.py."""

    async def revoke(self, token: SecretStr) -> bool: ...


class Completion:
    """See the module. `on_linked` is awaited beside the request."""

    def __init__(
        self,
        pending: PendingLinks,
        accounts: AccountStore,
        oauth: Revoker,
        workspaces: Workspaces,
        *,
        slash: str,
        start: Start,
        on_linked: OnLinked,
    ) -> None:
        self._pending = pending
        self._accounts = accounts
        self._oauth = oauth
        self._workspaces = workspaces
        self._slash = slash
        self._start = start
        self._on_linked = on_linked

    async def link(self, link_id: str, *, proven: bool = False, by: str | None = None) -> bool:
        """Make the link; False when it was decided already, or is past its time.

        `proven`: whoever else had that PagerDuty user gives it up. Else raises PersonTaken. Raises TooLate
        when the person was linked in another window meanwhile; `by` is the admin who approved.
        """
        displaced: SlackUser | None = None
        linked: Linked | None = None
        for tried in range(1, TRIES + 1):
            try:
                linked = await self._pending.link(link_id, self._accounts.link_in, by=by)
                break
            except PersonTaken as taken:
                if not proven or tried == TRIES:
                    raise
                await self._displace(taken.by)
                displaced = taken.by
            except TooLate:
                await self._drop_late(link_id)
                raise
        if linked is None:
            return False
        link = linked.link
        log.info("linked", team=link.user.team_id, user=link.user.id, person=link.person.id, approved_by=by)
        self._start(self._after(linked, displaced, by), f"linked {link.user.id}")
        return True

    async def drop(self, link_id: str, outcome: Outcome, *, by: str | None = None) -> PendingLink | None:
        """Erase it, and revoke what PagerDuty gave (best effort). None when it was decided already."""
        ended = await self._pending.end(link_id, outcome, by=by)
        if ended is None:
            return None
        log.info("link_dropped", user=ended.link.user.id, outcome=outcome, by=by)
        self.revoke(ended)
        return ended.link

    def revoke(self, ended: Ended) -> None:
        """Ask PagerDuty to end what it gave for this one."""
        if ended.tokens is not None:
            self.discard(ended.tokens.access, ended.tokens.refresh)

    def discard(self, access: SecretStr, refresh: SecretStr | None) -> None:
        """Ask PagerDuty to end these tokens, beside the request."""
        tokens = [token for token in (refresh, access) if token is not None]
        self._start(self._revoke(tokens), "revoking")

    async def _revoke(self, tokens: list[SecretStr]) -> None:
        for token in tokens:
            await self._oauth.revoke(token)

    async def _displace(self, user: SlackUser) -> None:
        account = await self._accounts.living(user)
        if account is not None:
            await self._accounts.end(user, REPLACED, account.generation)
            log.warning("link_replaced", team=user.team_id, user=user.id, person=account.person.id)

    async def _drop_late(self, link_id: str) -> None:
        ended = await self._pending.end(link_id, "late")
        if ended is None:
            return
        account = await self._accounts.living(ended.link.user)
        # PagerDuty may end all tokens one person gave us when one is revoked: those in use among them.
        if account is None or account.person.id != ended.link.person.id:
            self.revoke(ended)

    async def _after(self, linked: Linked, displaced: SlackUser | None, by: str | None) -> None:
        user, person = linked.link.user, linked.link.person
        slack = self._workspaces.for_team(user.team_id)
        said = linked_as(person.name)
        for url in linked.response_urls if slack is not None else ():
            assert slack is not None
            try:
                await slack.respond(url, text=said.text, blocks=said.blocks, replace_original=True)
            except SlackFailure as failure:  # later than 30 minutes: it stays as it is
                log.info("offer_not_replaced", code=failure.code)
        if by is not None:
            await self.tell(user, approved(person.name))
        if displaced is not None:
            await self.tell(displaced, replaced(person.name, user.id, self._slash))
        await self._on_linked(user, person)

    async def tell(self, user: SlackUser, reply: Reply) -> None:
        """A direct message, if Slack takes it."""
        slack = self._workspaces.for_team(user.team_id)
        if slack is None:
            return
        try:
            await slack.direct_message(user.id, reply.text, reply.blocks)
        except SlackFailure as failure:
            log.warning("person_not_told", user=user.id, code=failure.code)
