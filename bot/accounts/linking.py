"""Linking a Slack user to their PagerDuty user, from the button in Slack to PagerDuty's answer.

    offer → [asked: the page names who] → begin → PagerDuty → returned → confirming.py

bot/inbound/linking.py is the browser's side, bot/store/links.py remembers. What stops it is raised as
LinkStopped, with the page to show. No secret is logged: tickets, states, codes and cookies are never
arguments of a log line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog

from bot.accounts.completing import Completion, LinkStopped
from bot.accounts.confirming import Confirming
from bot.accounts.faces import Faces
from bot.errors import PagerDutyFailure, PagerDutyForbidden, PagerDutyUnauthorized
from bot.model import Person, SlackUser
from bot.pagerduty.oauth import Granted, OAuthRefused, PagerDutyOAuth
from bot.render import link_problems as problems
from bot.render.link_pages import Face
from bot.store.accounts import AccountStore
from bot.store.links import TICKET_SECONDS, Links, Taken
from bot.store.pending_links import PendingLinks

log = structlog.get_logger("pagerline.linking")

LINK_PATH = "/pagerduty/link"
CALLBACK_PATH = "/pagerduty/callback"
CONFIRM_PATH = "/pagerduty/confirm"
SIGN_IN_PATH = "/slack/signed_in"

WhoIs = Callable[[Granted], Awaitable[Person]]
"""`/users/me` with fresh tokens. Raises PagerDutyFailure."""


@dataclass(frozen=True, slots=True)
class Offer:
    """`url` is what the Link button opens, `ticket` the value it carries."""

    url: str
    ticket: str

    def __repr__(self) -> str:
        return "Offer(…)"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who a ticket would link; `now` is the PagerDuty user they are linked to already."""

    face: Face
    now: Person | None


class Linking:
    """`public_url` is where the bot is reached from outside, `region` PagerDuty's (us or eu)."""

    def __init__(
        self,
        *,
        links: Links,
        pending: PendingLinks,
        accounts: AccountStore,
        oauth: PagerDutyOAuth,
        who_is: WhoIs,
        faces: Faces,
        completion: Completion,
        confirming: Confirming,
        public_url: str,
        slash: str,
        region: str,
    ) -> None:
        self._links = links
        self._pending = pending
        self._accounts = accounts
        self._oauth = oauth
        self._who_is = who_is
        self._faces = faces
        self._completion = completion
        self._confirming = confirming
        self._public_url = public_url.rstrip("/")
        self._slash = slash
        self._region = region

    # ------------------------------------------------------------------------------------ Slack's side

    async def offer(
        self, user: SlackUser, intent_id: int | None = None, *, seconds: float = TICKET_SECONDS
    ) -> Offer:
        """What a Link button needs; `intent_id` is what was asked for, and waits."""
        ticket = await self._links.offer(user, intent_id, seconds=seconds)
        return Offer(f"{self._public_url}{LINK_PATH}?{urlencode({'ticket': ticket})}", ticket)

    async def pressed(self, user: SlackUser, ticket: str, response_url: str) -> None:
        """The Link button of a private message was pressed: how that message can be changed later."""
        await self._links.pressed(ticket, user, response_url)

    # -------------------------------------------------------------------------------- the browser's side

    async def asked(self, ticket: str) -> Asked:
        """Before anything: who it is about. Changes nothing."""
        user = await self._holder(ticket)
        face, _ = await self._faces.of(user)
        account = await self._accounts.living(user)
        return Asked(face, account.person if account is not None else None)

    async def begin(self, ticket: str, browser: str) -> str:
        """The address at PagerDuty where the person consents."""
        await self._faces.of(await self._holder(ticket))
        begun = await self._links.begin(ticket, browser)
        if begun is None:
            await self._holder(ticket)
            raise LinkStopped(problems.too_many(self._slash))
        return self._oauth.authorize_url(begun.state, begun.challenge)

    async def returned(self, state: str, browser: str, *, code: str, error: str) -> str:
        """PagerDuty sent the browser back: the id of the link that is now to be confirmed."""
        taken = await self._links.take(state, browser)
        if not isinstance(taken, Taken):
            raise LinkStopped(
                {
                    "unknown": problems.state_unknown,
                    "used": problems.state_used,
                    "expired": problems.state_expired,
                    "browser": problems.other_browser,
                }[taken](self._slash)
            )
        if error or not code:
            log.info("link_denied", user=taken.user.id, denied=error == "access_denied")
            said_no = error == "access_denied"
            raise LinkStopped((problems.denied if said_no else problems.pagerduty_error)(self._slash))
        granted = await self._exchange(code, taken)
        await self._pending.keep(taken.id, await self._identify(granted), granted)
        await self._confirming.check(taken.id, browser)
        return taken.id

    # -------------------------------------------------------------------------------------------- inside

    async def _holder(self, ticket: str) -> SlackUser:
        found = await self._links.ticket(ticket) if ticket else None
        if found is None:
            raise LinkStopped(problems.no_ticket(self._slash))
        if found.state != "good":
            stopped = problems.ticket_done if found.state == "done" else problems.ticket_expired
            raise LinkStopped(stopped(self._slash))
        return found.user

    async def _exchange(self, code: str, taken: Taken) -> Granted:
        try:
            return await self._oauth.exchange(code, taken.verifier)
        except OAuthRefused as refused:
            log.warning("code_refused", error=refused.error)
            used = problems.code_refused(self._slash)
            raise LinkStopped(used if refused.is_used_up else problems.app_refused(refused.error)) from None
        except PagerDutyFailure as failure:
            log.warning("code_not_exchanged", reason=str(failure))
            raise LinkStopped(problems.pagerduty_away(self._slash)) from None

    async def _identify(self, granted: Granted) -> Person:
        missing = self._oauth.missing_scopes(granted)
        stopped = None
        if granted.scopes <= {"openid"}:
            stopped = problems.missing_scopes(missing)
        else:
            try:
                return await self._who_is(granted)
            except PagerDutyUnauthorized:
                stopped = problems.other_region(self._region)
            except PagerDutyForbidden:
                stopped = problems.missing_scopes(missing or {"users.read"})
            except PagerDutyFailure as failure:
                log.warning("person_not_told", reason=str(failure))
                stopped = problems.pagerduty_away(self._slash)
        log.warning("link_not_possible", why=stopped.title, missing=sorted(missing))
        self._completion.discard(granted.access, granted.refresh)
        raise LinkStopped(stopped)
