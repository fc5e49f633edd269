"""Linking a Slack user to their PagerDuty user, step by step as their browser goes along.

    offer → [asked: the page names who] → begin → PagerDuty → returned → [shown: both names] → confirm
                              with a doubt: an admin, or Sign in with Slack ┘

bot/inbound/linking.py is the browser's side, bot/store/links.py and pending_links.py remember, proof.py says
when it takes more than a press, completing.py ends it. What stops it is raised as LinkStopped, with the page
to show. No secret is logged: tickets, states, codes and cookies are never arguments of a log line.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

import structlog
from pydantic import SecretStr

from bot.accounts.approval import Approvals
from bot.accounts.completing import Completion, LinkStopped
from bot.accounts.members import Members
from bot.accounts.proof import NO_EMAIL, Doubt, Proof, confirmed_email
from bot.errors import (
    NotAllowed,
    PagerDutyFailure,
    PagerDutyForbidden,
    PagerDutyUnauthorized,
    SlackFailure,
)
from bot.model import Person, SlackProfile, SlackUser
from bot.pagerduty.oauth import Granted, OAuthRefused, PagerDutyOAuth
from bot.render import link_problems as problems
from bot.render.link_pages import Face
from bot.slack.sign_in import NotProven, SignIn
from bot.slack.workspaces import Workspaces
from bot.store.accounts import AccountStore, PersonTaken
from bot.store.links import TICKET_SECONDS, Links, Taken
from bot.store.pending_links import PendingLink, PendingLinks, TooLate

log = structlog.get_logger("pagerline.linking")

LINK_PATH = "/pagerduty/link"
CALLBACK_PATH = "/pagerduty/callback"
CONFIRM_PATH = "/pagerduty/confirm"
SIGN_IN_PATH = "/slack/signed_in"

Way = Literal["plain", "admin", "slack"]
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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a pending link stands. `ways` are how it can be confirmed: plainly, or what removes `doubt`."""

    face: Face
    link: PendingLink
    missing: frozenset[str]
    doubt: Doubt | None
    ways: tuple[Way, ...]


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
        members: Members,
        workspaces: Workspaces,
        completion: Completion,
        approvals: Approvals,
        sign_in: SignIn | None,
        public_url: str,
        slash: str,
        region: str,
    ) -> None:
        self._links = links
        self._pending = pending
        self._accounts = accounts
        self._oauth = oauth
        self._who_is = who_is
        self._members = members
        self._workspaces = workspaces
        self._completion = completion
        self._approvals = approvals
        self._proof = Proof(workspaces, accounts)
        self._sign_in = sign_in
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
        face, _ = await self._face(user)
        account = await self._accounts.living(user)
        return Asked(face, account.person if account is not None else None)

    async def begin(self, ticket: str, browser: str) -> str:
        """The address at PagerDuty where the person consents."""
        await self._face(await self._holder(ticket))
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
        try:
            standing = await self.shown(taken.id, browser)
        except LinkStopped:
            return taken.id  # Slack is away, say: the next page tells, and may be reloaded
        if not standing.ways:
            await self._completion.drop(taken.id, "refused")
            raise self._nobody(standing)
        return taken.id

    async def shown(self, link_id: str, browser: str) -> Standing:
        """Both names, and what there is to press. Changes nothing."""
        link = await self._of_browser(link_id, browser)
        face, profile = await self._face(link.user)
        missing = self._oauth.missing_scopes(Granted(SecretStr(""), None, link.scopes, 0))
        if link.outcome is not None:
            return Standing(face, link, missing, None, ())
        doubt = await self._doubt(profile, link.person)
        return Standing(face, link, missing, doubt, await self._ways(link.user, doubt))

    async def confirm(self, link_id: str, browser: str, way: Way) -> str | None:
        """The person pressed. An address to go to for Sign in with Slack, or None: `shown` tells the rest.
        Twice is the same as once.
        """
        link = await self._of_browser(link_id, browser)
        if link.outcome is not None or link.confirmed_at is not None:
            return None
        _, profile = await self._face(link.user)
        doubt = await self._doubt(profile, link.person)
        if doubt is None and await self._linked_plainly(link):
            return None
        doubt = doubt or await self._doubt(profile, link.person)
        if doubt is None:
            return None  # taken by somebody and given back, all within this moment: the page asks again
        ways = await self._ways(link.user, doubt)
        if way == "slack" and "slack" in ways and self._sign_in is not None:
            return self._sign_in.authorize_url(
                state=f"{link.id}.{_bound(browser, 'state', link.id)}",
                nonce=_bound(browser, "nonce", link.id),
                team_id=link.user.team_id,
            )
        if way == "admin" and "admin" in ways and not await self._approvals.ask(link, profile, doubt):
            raise LinkStopped(problems.nobody_reached(self._slash))
        return None

    async def cancel(self, link_id: str, browser: str) -> None:
        """The person says that it is not right: thrown away."""
        link = await self._of_browser(link_id, browser)
        if await self._completion.drop(link.id, "refused"):
            raise LinkStopped(problems.cancelled(self._slash))

    async def signed_in(self, state: str, browser: str, *, code: str, error: str) -> str:
        """Slack sent the browser back: the id of the link, which stands if it was the right person."""
        link_id, _, proof = state.partition(".")
        expected = _bound(browser, "state", link_id)
        if self._sign_in is None or not browser or not hmac.compare_digest(proof.encode(), expected.encode()):
            raise LinkStopped(problems.other_browser(self._slash))
        link = await self._of_browser(link_id, browser)
        if link.outcome is not None:
            return link.id
        if error or not code:
            raise LinkStopped(problems.not_signed_in(self._slash))
        try:
            who = await self._sign_in.who(code, _bound(browser, "nonce", link.id))
        except NotProven:
            raise LinkStopped(problems.not_signed_in(self._slash)) from None
        except SlackFailure as failure:
            log.warning("sign_in_failed", code=failure.code)
            raise LinkStopped(problems.slack_away(self._slash)) from None
        face, _ = await self._face(link.user)
        if not who.is_same(link.user):
            log.warning("link_not_theirs", user=link.user.id, signed_in=who.user.id)
            await self._completion.drop(link.id, "refused")
            raise LinkStopped(problems.somebody_else(face.name))
        await self._link(link.id, proven=True)
        return link.id

    # -------------------------------------------------------------------------------------------- inside

    async def _holder(self, ticket: str) -> SlackUser:
        found = await self._links.ticket(ticket) if ticket else None
        if found is None:
            raise LinkStopped(problems.no_ticket(self._slash))
        if found.state != "good":
            stopped = problems.ticket_done if found.state == "done" else problems.ticket_expired
            raise LinkStopped(stopped(self._slash))
        return found.user

    async def _face(self, user: SlackUser) -> tuple[Face, SlackProfile]:
        """Who they are in Slack now, if they may be linked at all."""
        slack = self._workspaces.for_team(user.team_id)
        try:
            profile = await self._members.member(user)
            workspace = (await slack.who_we_are()).team_name if slack is not None else ""
        except NotAllowed as refused:
            raise LinkStopped(problems.not_allowed(str(refused))) from None
        except SlackFailure as failure:
            log.warning("slack_not_reached", code=failure.code)
            raise LinkStopped(problems.slack_away(self._slash)) from None
        name = profile.real_name or profile.name
        handle = profile.name if profile.name != name else ""
        return Face(name, confirmed_email(profile) or "", workspace, user.team_id, handle), profile

    async def _of_browser(self, link_id: str, browser: str) -> PendingLink:
        link = await self._pending.find(link_id) if link_id else None
        if link is None:
            raise LinkStopped(problems.state_unknown(self._slash))
        if not browser or not link.belongs_to(browser):
            raise LinkStopped(problems.other_browser(self._slash))
        if link.outcome is not None and link.outcome != "linked":
            ended = {"late": problems.linked_elsewhere, "expired": problems.confirm_expired}
            raise LinkStopped(ended.get(link.outcome, problems.refused)(self._slash))
        return link

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

    async def _doubt(self, profile: SlackProfile, person: Person) -> Doubt | None:
        try:
            return await self._proof.doubt(profile, person)
        except NotAllowed as refused:
            raise LinkStopped(problems.not_allowed(str(refused))) from None
        except SlackFailure as failure:
            log.warning("slack_not_reached", code=failure.code)
            raise LinkStopped(problems.slack_away(self._slash)) from None

    async def _ways(self, user: SlackUser, doubt: Doubt | None) -> tuple[Way, ...]:
        if doubt is None:
            return ("plain",)
        ways: list[Way] = ["slack"] if self._sign_in is not None else []
        if await self._approvals.are_possible(user):
            ways.append("admin")
        return tuple(ways)

    def _nobody(self, standing: Standing) -> LinkStopped:
        theirs = standing.link.person.email or "nobody with an e-mail address"
        return LinkStopped(problems.nobody_can_prove(standing.face.email or NO_EMAIL, theirs))

    async def _linked_plainly(self, link: PendingLink) -> bool:
        """False when somebody else took that PagerDuty user in this very moment."""
        try:
            await self._link(link.id)
        except PersonTaken:
            return False
        return True

    async def _link(self, link_id: str, *, proven: bool = False) -> None:
        try:
            await self._completion.link(link_id, proven=proven)
        except TooLate:
            raise LinkStopped(problems.linked_elsewhere(self._slash)) from None


def _bound(browser: str, purpose: str, link_id: str) -> str:
    """Something only this browser's cookie yields: Slack's `state` and `nonce` need not be stored."""
    return hmac.new(browser.encode(), f"{purpose} {link_id}".encode(), hashlib.sha256).hexdigest()
