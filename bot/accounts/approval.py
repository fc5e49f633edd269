"""An admin's word on a link that the e-mail addresses do not prove.

Each admin (or their channel) gets a private message with both names and two buttons; whoever presses first
decides, and every message then says so. Nobody decides about their own link, and whoever may have consented
does not approve it: it takes a second person. What nobody decides within a day is thrown away (`lapse`), as
is what nobody confirmed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from bot.accounts.completing import Completion
from bot.accounts.members import Members
from bot.accounts.proof import Doubt, confirmed_email
from bot.background import rest
from bot.declaration import Reply
from bot.errors import NotAllowed, SlackFailure, StoreUnavailable, UserError
from bot.model import SlackProfile, SlackUser
from bot.render.linking import ask_admin, decided, not_approved
from bot.slack.workspaces import Workspaces
from bot.store.accounts import AccountStore
from bot.store.pending_links import PendingLink, PendingLinks, TooLate

log = structlog.get_logger("pagerline.linking")

LAPSE_SECONDS = 60.0  # how often it is looked for what nobody decided


class Admins(Protocol):
    """bot/accounts/permissions.py."""

    async def is_admin(self, user: SlackUser) -> bool: ...
    async def admin_ids(self, team_id: str) -> Sequence[str]: ...


class Approvals:
    """`channel_id` is the admins' channel, asked instead of each of them."""

    def __init__(
        self,
        pending: PendingLinks,
        completion: Completion,
        admins: Admins,
        members: Members,
        workspaces: Workspaces,
        *,
        accounts: AccountStore,
        channel_id: str | None,
        slash: str,
    ) -> None:
        self._pending = pending
        self._completion = completion
        self._accounts = accounts
        self._admins = admins
        self._members = members
        self._workspaces = workspaces
        self._channel_id = channel_id
        self._slash = slash

    async def are_possible(self, user: SlackUser) -> bool:
        """Whether there is an admin besides this person."""
        return bool(await self._deciders(user))

    async def _deciders(self, user: SlackUser) -> list[str]:
        return [admin for admin in await self._admins.admin_ids(user.team_id) if admin != user.id]

    async def ask(self, link: PendingLink, profile: SlackProfile, doubt: Doubt) -> bool:
        """Ask them, once. False when nobody could be reached: then it is over."""
        if not await self._pending.wait_for_admin(link.id):
            return True
        question = ask_admin(link.id, **_both(link, profile), why=doubt.said)
        place = self._workspaces.locate(self._channel_id) if self._channel_id else None
        here = [place.id] if place is not None and place.team_id == link.user.team_id else []
        asked = await self._post(link.user.team_id, here, question)
        if not asked:  # no channel, or one of another workspace
            asked = await self._post(link.user.team_id, await self._deciders(link.user), question)
        if not asked:
            await self._completion.drop(link.id, "refused")
            return False
        standing = await self._pending.note_asked(link.id, asked)
        if standing is not None and standing.outcome is not None:  # somebody was quicker than we
            await self._show_decided(standing)
        return True

    async def _post(self, team_id: str, receivers: Sequence[str], question: Reply) -> list[tuple[str, str]]:
        """Where it now stands, as (channel, ts)."""
        slack = self._workspaces.for_team(team_id)
        asked: list[tuple[str, str]] = []
        for receiver in receivers if slack is not None else ():
            assert slack is not None
            try:
                posted = await slack.direct_message(receiver, question.text, question.blocks)
            except SlackFailure as failure:
                log.warning("admin_not_reached", receiver=receiver, reason=str(failure))
            else:
                asked.append((posted.channel_id, posted.ts))
        return asked

    async def approve(self, link_id: str, admin: SlackUser) -> str:
        """Whose link to whom was approved, for the record; empty when it was decided before.

        Raises NotAllowed for who may not, UserError for a link nobody knows (any more).
        """
        link = await self._decidable(link_id, admin)
        if link.outcome is None:
            await self._check_approval(link, admin)
        approved = False
        with contextlib.suppress(TooLate):
            approved = await self._completion.link(link.id, proven=True, by=admin.id)
        await self._show_decided(await self._pending.find(link_id) or link)
        return _decision("Approved", link) if approved else ""

    async def refuse(self, link_id: str, admin: SlackUser) -> str:
        """As `approve`."""
        link = await self._decidable(link_id, admin)
        refused = await self._completion.drop(link.id, "refused", by=admin.id) is not None
        if refused:
            await self._completion.tell(
                link.user, not_approved(link.person.name, expired=False, slash=self._slash)
            )
        await self._show_decided(await self._pending.find(link_id) or link)
        return _decision("Refused", link) if refused else ""

    async def _decidable(self, link_id: str, admin: SlackUser) -> PendingLink:
        if not await self._admins.is_admin(admin):
            raise NotAllowed(
                "Only admins decide about links. Ask one: ADMINS in the bot's settings names them."
            )
        link = await self._pending.find(link_id)
        if link is None or link.user.team_id != admin.team_id or link.confirmed_at is None:
            raise UserError("I have forgotten this link: it was decided, or expired, more than a day ago.")
        if link.user == admin:
            raise NotAllowed("This link is your own, so another admin has to decide about it.")
        return link

    async def _check_approval(self, link: PendingLink, admin: SlackUser) -> None:
        """Raises NotAllowed when the admin is, or was asked before there was, the PagerDuty user's owner."""
        holder = await self._accounts.linked_to(link.user.team_id, link.person.id)
        email = confirmed_email(await self._profile(admin)) or ""
        if holder == admin or email.casefold() == (link.person.email or "").casefold() != "":
            raise NotAllowed(
                f"{link.person.name} in PagerDuty is you, so another admin has to approve this. "
                "If you did not mean to let somebody act in your name, press Refuse."
            )
        owned = await self._accounts.living(holder) if holder is not None else None
        if owned is not None and link.confirmed_at is not None and owned.linked_at > link.confirmed_at:
            who = await self._profile(owned.user)
            raise NotAllowed(
                f"Since you were asked, {who.real_name or who.name} has linked {link.person.name} "
                "in PagerDuty. Press Refuse. If that link is wrong, have them unlink it and ask again."
            )

    async def _show_decided(self, link: PendingLink) -> None:
        """Every message that asked says how it ended."""
        slack = self._workspaces.for_team(link.user.team_id)
        if slack is None or link.outcome is None:
            return
        said = decided(link.outcome, by=link.decided_by, **_both(link, await self._profile(link.user)))
        for channel_id, ts in link.asked:
            try:
                await slack.update(channel_id, ts, said.text, said.blocks)
            except SlackFailure as failure:
                log.warning("decision_not_shown", channel=channel_id, code=failure.code)

    async def _profile(self, user: SlackUser) -> SlackProfile:
        try:
            return await self._members.profile(user)
        except (NotAllowed, SlackFailure):
            return SlackProfile(user, user.id)

    # ------------------------------------------------------------------------------------------- lapsing

    async def run(self, stop: asyncio.Event) -> None:
        """Throw away what nobody decided, again and again until `stop`."""
        while not stop.is_set():
            try:
                await self.lapse()
            except StoreUnavailable as failure:
                log.warning("links_not_swept", reason=str(failure))
            await rest(stop, LAPSE_SECONDS)

    async def lapse(self) -> None:
        """Once; several replicas may at the same time. Raises StoreUnavailable."""
        for ended in await self._pending.sweep():
            self._completion.revoke(ended)
            link = ended.link
            log.info("link_expired", user=link.user.id, asked=bool(link.asked))
            if link.confirmed_at is not None:  # asked or not: a crash may have come between
                said = not_approved(link.person.name, expired=True, slash=self._slash)
                await self._completion.tell(link.user, said)
                await self._show_decided(await self._pending.find(link.id) or link)


def _decision(word: str, link: PendingLink) -> str:
    return f"{word} the link of {link.user.id} to {link.person.name} ({link.person.id})."


def _both(link: PendingLink, profile: SlackProfile) -> dict[str, str]:
    return {
        "user_id": link.user.id,
        "slack_name": profile.real_name or profile.name,
        "slack_email": profile.email or "",
        "person": link.person.name,
        "person_email": link.person.email or "",
    }
