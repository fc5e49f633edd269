"""Linking after PagerDuty's answer: both names are shown, and whoever consented confirms.

With a doubt (proof.py) a press is not enough: an admin is asked (approval.py), or Sign in with Slack shows,
in the same browser, that it is the Slack user. bot/store/pending_links.py remembers, completing.py ends it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from bot.accounts.approval import Approvals
from bot.accounts.completing import Completion, LinkStopped
from bot.accounts.faces import Faces
from bot.accounts.proof import NO_EMAIL, Doubt, Proof
from bot.errors import NotAllowed, SlackFailure
from bot.model import Person, SlackProfile, SlackUser
from bot.render import link_problems as problems
from bot.render.link_pages import Face
from bot.slack.sign_in import NotProven, SignIn
from bot.store.accounts import PersonTaken
from bot.store.pending_links import PendingLink, PendingLinks, TooLate

log = structlog.get_logger("pagerline.linking")

Way = Literal["plain", "admin", "slack"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a pending link stands. `ways` are how it can be confirmed: plainly, or what removes `doubt`."""

    face: Face
    link: PendingLink
    missing: frozenset[str]
    doubt: Doubt | None
    ways: tuple[Way, ...]


class Confirming:
    """`missing` gives what was asked for and is not among these scopes."""

    def __init__(
        self,
        pending: PendingLinks,
        faces: Faces,
        proof: Proof,
        completion: Completion,
        approvals: Approvals,
        *,
        sign_in: SignIn | None,
        missing: Callable[[frozenset[str]], frozenset[str]],
        slash: str,
    ) -> None:
        self._pending = pending
        self._faces = faces
        self._proof = proof
        self._completion = completion
        self._approvals = approvals
        self._sign_in = sign_in
        self._missing = missing
        self._slash = slash

    async def check(self, link_id: str, browser: str) -> None:
        """Just come from PagerDuty: what nothing could ever prove is thrown away at once, and said."""
        try:
            standing = await self.shown(link_id, browser)
        except LinkStopped:
            return  # Slack is away, say: the next page tells, and may be reloaded
        if not standing.ways:
            await self._completion.drop(link_id, "refused")
            theirs = standing.link.person.email or "nobody with an e-mail address"
            raise LinkStopped(problems.nobody_can_prove(standing.face.email or NO_EMAIL, theirs))

    async def shown(self, link_id: str, browser: str) -> Standing:
        """Both names, and what there is to press. Changes nothing."""
        link = await self._of_browser(link_id, browser)
        face, profile = await self._faces.of(link.user)
        missing = self._missing(link.scopes)
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
        _, profile = await self._faces.of(link.user)
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
        face, _ = await self._faces.of(link.user)
        if not who.is_same(link.user):
            log.warning("link_not_theirs", user=link.user.id, signed_in=who.user.id)
            await self._completion.drop(link.id, "refused")
            raise LinkStopped(problems.somebody_else(face.name))
        await self._link(link.id, proven=True)
        return link.id

    # -------------------------------------------------------------------------------------------- inside

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
