"""On-calls as a list with every option PagerDuty has for it ("List all of the on-calls" of its REST pages):
for `oncall` with options, in Slack and in a shell.

Never from a cache: whoever names a time asks for the truth about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.errors import UserError
from bot.model import OnCall
from bot.pagerduty import payloads
from bot.pagerduty.http import Answer
from bot.pagerduty.paging import DEEPEST, PAGE, one_page
from bot.pagerduty.reads import Reads
from bot.pagerduty.wire import Params

AHEAD = timedelta(days=90)  # as far as PagerDuty tells shifts
INCLUDES = ("users", "schedules", "escalation_policies")
ALWAYS = "null"  # among schedules: whoever a policy names directly, always on call


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedOnCalls:
    """Ids narrow it, empty ones do not. `since` and `until` are aware; None for both is now. `limit`: lines
    at most, None for all. `time_zone` (an IANA name) is what PagerDuty writes times in.
    """

    policies: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    earliest: bool = False
    time_zone: str | None = None
    includes: tuple[str, ...] = ()
    limit: int | None = None
    total: bool = False

    def within_reach(self, now: datetime) -> WantedOnCalls:
        """The same with the end that PagerDuty would take amiss when it is left out. Raises UserError for
        times it does not tell.
        """
        until = self.until
        if until is None and self.since is not None:
            until = max(self.since, now)
        if until is not None and until < (self.since or now):
            raise UserError("The time ends before it begins. Give an `until` that is later than `since`.")
        if until is not None and until > now + AHEAD:
            raise UserError("PagerDuty tells who is on call for the next 90 days. Give an earlier `until`.")
        return replace(self, until=until)


@dataclass(frozen=True, slots=True)
class OnCallLine:
    """One of them; `told` is PagerDuty's own entry, with what was included."""

    shift: OnCall
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OnCallList:
    """`more`: the limit left some out. `total` where it was asked for."""

    lines: tuple[OnCallLine, ...]
    more: bool
    total: int | None = None


async def list_on_calls(client: Reads, wanted: WantedOnCalls) -> OnCallList:
    """One call per 100 lines. Raises PagerDutyFailure."""
    asked: Params = {
        "escalation_policy_ids": wanted.policies,
        "schedule_ids": wanted.schedules,
        "user_ids": wanted.users,
        "since": wanted.since,
        "until": wanted.until,
        "earliest": True if wanted.earliest else None,
        "time_zone": wanted.time_zone,
        "include": wanted.includes,
        "total": True if wanted.total else None,
    }

    async def get(path: str, params: Params) -> Answer:
        return await client.http.request("GET", path, client.credentials, params=params)

    most = DEEPEST if wanted.limit is None else min(wanted.limit, DEEPEST)
    found: dict[OnCall, OnCallLine] = {}
    total, offset, more = None, 0, True
    while more and offset < most:
        page = await one_page(
            get, "/oncalls", "oncalls", asked, offset=offset, limit=min(PAGE, most - offset)
        )
        for told in page.items:
            if shift := payloads.oncall(told):
                found.setdefault(shift, OnCallLine(shift, told))  # the list may shift between two pages
        total, more = page.total, page.more and bool(page.items)
        offset += len(page.items)
    return OnCallList(tuple(found.values()), more, total)
