"""The part of `/control` that is about people and their tokens: revoking, expiring, roles, regions, time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bot.sandbox.pagerduty.access import Access
from bot.sandbox.pagerduty.failures import invalid_input
from bot.sandbox.pagerduty.ids import stamp_milliseconds
from bot.sandbox.pagerduty.oauth import OAuth
from bot.sandbox.pagerduty.roles import Roles
from bot.sandbox.pagerduty.state import Json


class PeopleControl:
    """`user` is a PagerDuty user id."""

    def __init__(self, access: Access, oauth: OAuth, roles: Roles) -> None:
        self._access = access
        self._oauth = oauth
        self._roles = roles

    def verbs(self) -> dict[str, Callable[[Json], Any]]:
        return {
            "revoke": lambda b: self._oauth.revoke_all_of(**b),
            "expire": lambda b: self._access.expire(**b),
            "refuse_refresh": lambda b: self._oauth.refuse_refresh(**b),
            "role": lambda b: self._roles.set_base(**b),
            "team_role": lambda b: self._roles.set_on_team(**b),
            "region": self.region,
            "let_pass": lambda b: self._oauth.let_pass(timedelta(seconds=float(b["seconds"]))),
            "ledger": lambda _b: self.ledger(),
        }

    def region(self, body: Json) -> None:
        """{user, region: us|eu}: where the person's account lives."""
        if body["region"] not in ("us", "eu"):
            raise invalid_input("Region must be us or eu")
        self._oauth.move(str(body["user"]), body["region"])

    def ledger(self) -> Json:
        """Consents, exchanges, refreshes and refusals, and how often each happened to whom."""
        entries = self._oauth.ledger
        counts = Counter((one.what, one.user) for one in entries)
        return {
            "entries": [{**asdict(one), "at": stamp_milliseconds(one.at)} for one in entries],
            "counts": [{"what": what, "user": user, "times": n} for (what, user), n in counts.items()],
        }
