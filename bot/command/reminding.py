"""Reminds people who go on call and are not linked: the day before (day_before.py), or when an admin asks.

    rotas (who, when, linked?) → reminder_time (now?) → notices (not told yet?) → one direct message

Each reminder is claimed in the store first, so that all replicas and restarts together send it once: rather
none than two. Only where people link: where they are matched by e-mail address there is nothing to press.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Protocol

import structlog

from bot.command.duties import Turn
from bot.command.ports import Offer
from bot.command.reminder_time import ALWAYS, SOON, due, matter, zone_of
from bot.command.rotas import AHEAD, Rostered
from bot.errors import Failure, NotAllowed, PagerDutyFailure, SlackFailure, StoreUnavailable
from bot.model import OnCall, Person, SlackProfile, SlackUser
from bot.render.reminder import reminder
from bot.render.rotas import NotReminded
from bot.slack.failures import ChannelClosed, ContentRefused, OutcomeUnknown, UserUnreachable
from bot.slack.workspaces import Workspaces
from bot.store.notices import Notices

log = structlog.get_logger("pagerline.reminding")

LINK_SECONDS = 3 * 86_400.0  # how long the message's button leads somewhere: past the beginning of the turn
NOT_OFTENER = 86_400.0  # seconds: nobody is reminded twice within them, whoever asks
_TOLD = "reminded:"  # what was told of whom: the day a turn begins, or that they are on call always

NOT_HERE = (
    "Nobody links an account here, so there is nothing to remind of: I know people by their e-mail address, "
    "which has to be the same in Slack and PagerDuty."
)
NOT_IN_SLACK = "not found in Slack; ask them to link"
NOT_ALLOWED = "may not use me: a guest, deactivated, or of another organisation"
LATELY = "reminded less than a day ago"
UNREACHABLE = "cannot be written to in Slack"
IN_TROUBLE = "Slack did not take it; try again in a minute"


class LastingOffers(Protocol):
    """Ways to link that keep for some time (bot/accounts/linking.py)."""

    async def offer(self, user: SlackUser, intent_id: int | None = None, *, seconds: float) -> Offer:
        """Raises StoreUnavailable."""


class PagerDutyUsers(Protocol):
    """Everybody in PagerDuty, with their time zones (bot/pagerduty/directory.py)."""

    async def users(self) -> Sequence[Person]: ...


@dataclass(frozen=True, slots=True)
class Reminded:
    """What came of it: names, in the order asked."""

    sent: tuple[str, ...]
    not_sent: tuple[NotReminded, ...]


class Reminders:
    """Writes to one person at a time. `member` raises NotAllowed for whom this bot does not answer;
    `by_itself`: bot/command/day_before.py runs too.
    """

    def __init__(
        self,
        notices: Notices,
        workspaces: Workspaces,
        users: PagerDutyUsers,
        offers: LastingOffers,
        member: Callable[[SlackUser], Awaitable[SlackProfile]],
        *,
        clock: Callable[[], datetime],
        slash: str = "/pager",
        by_itself: bool = True,
    ) -> None:
        self.by_itself = by_itself
        self._notices = notices
        self._workspaces = workspaces
        self._users = users
        self._offers = offers
        self._member = member
        self._clock = clock
        self._slash = slash

    async def remind_all(self, people: Sequence[Rostered]) -> Reminded:
        """Everybody of these who is not linked, once a day at most. Raises StoreUnavailable."""
        sent: list[str] = []
        not_sent: list[NotReminded] = []
        for one in people:
            if one.linked:
                continue
            if why := await self._remind_on_demand(one):
                not_sent.append(NotReminded(one.person.name, why))
            else:
                sent.append(one.person.name)
        return Reminded(tuple(sent), tuple(not_sent))

    async def _remind_on_demand(self, one: Rostered) -> str:
        """Empty when it was sent, else why not."""
        if one.user is None:
            return NOT_IN_SLACK
        try:
            zone = await self._zone(one)
            return await self._send(one, one.user, one.turns[0], zone)
        except NotAllowed:
            return NOT_ALLOWED
        except SlackFailure as failure:
            return _told(one, failure)

    async def told(self) -> frozenset[str]:
        """What was reminded of already: most people need not be asked about. Raises StoreUnavailable."""
        return frozenset(await self._notices.told(_TOLD))

    async def remind_if_due(self, one: Rostered, told: frozenset[str] = frozenset()) -> bool:
        """The day before a turn of theirs begins, or once when they are on call always; True when sent.

        Raises StoreUnavailable, and SlackFailure when it may be tried again.
        """
        now = self._clock()
        soon = [turn for turn in one.turns if turn.start is not None and now < turn.start <= now + SOON]
        standing = [
            turn for turn in one.turns if turn.is_standing(now, now + AHEAD) and _key(one, ALWAYS) not in told
        ]
        if one.linked or one.user is None or not (soon or standing):
            return False
        try:
            zone = await self._zone(one)
        except (NotAllowed, UserUnreachable):
            return False
        turn = due([*soon, *standing], zone=zone, now=now, horizon=now + AHEAD)
        if turn is None:
            return False
        key = _key(one, matter(turn, zone=zone, now=now))
        if not await self._notices.claim(key):
            return False
        try:
            return not await self._send(one, one.user, turn, zone)
        except (UserUnreachable, ChannelClosed, ContentRefused) as failure:  # so it would be the next time
            _told(one, failure)
            return False
        except Failure:
            await self._give_back(key)
            raise

    async def _send(self, one: Rostered, user: SlackUser, turn: Turn, zone: tzinfo) -> str:
        """Empty when it was sent, as far as anybody can tell; else why not."""
        slack = self._workspaces.for_team(user.team_id)
        if slack is None:
            return UNREACHABLE
        day = f"reminded lately:{one.person.id}"
        if not await self._notices.claim_again(day, NOT_OFTENER):
            return LATELY
        try:
            offer = await self._offers.offer(user, seconds=LINK_SECONDS)
            drawn = reminder(
                _local(turn, zone),
                now=self._clock(),
                url=offer.url,
                ticket=offer.ticket,
                slash=self._slash,
            )
            await slack.direct_message(user.id, drawn.text, drawn.blocks)
        except OutcomeUnknown as unknown:  # it may stand there: a second one would be worse than none
            log.warning("reminder_unknown", person=one.person.id, reason=str(unknown))
        except Failure:
            await self._give_back(day)
            raise
        log.info("reminded_to_link", person=one.person.id, user=user.id, team=user.team_id)
        return ""

    async def _give_back(self, key: str) -> None:
        """Nothing was sent: the next look may."""
        with contextlib.suppress(StoreUnavailable):
            await self._notices.drop(key)

    async def _zone(self, one: Rostered) -> tzinfo:
        """Where the person is, as Slack knows it, else PagerDuty. Raises NotAllowed, SlackFailure."""
        assert one.user is not None
        profile = await self._member(one.user)
        if profile.time_zone is not None:
            return zone_of(profile.time_zone)
        try:
            users = await self._users.users()
        except PagerDutyFailure:
            return zone_of()
        return zone_of(next((user.time_zone for user in users if user.id == one.person.id), None))


def _key(one: Rostered, about: str) -> str:
    return f"{_TOLD}{one.person.id}:{about}"


def _local(turn: Turn, zone: tzinfo) -> OnCall:
    """The turn as one shift, by the person's own clock."""
    return replace(
        turn.shift,
        start=turn.start.astimezone(zone) if turn.start else None,
        end=turn.end.astimezone(zone) if turn.end else None,
    )


def _told(one: Rostered, failure: SlackFailure) -> str:
    log.warning("not_reminded", person=one.person.id, reason=str(failure))
    return UNREACHABLE if isinstance(failure, UserUnreachable) else IN_TROUBLE
