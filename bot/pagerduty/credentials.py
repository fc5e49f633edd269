"""How a call to PagerDuty says on whose behalf it is made. Only bot/accounts and bot/pagerduty ever hold
one; no `repr` shows the secret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import SecretStr


class Budget(NamedTuple):
    """What shares one rate limit: `kind` is `account` or `person`, and may be shown; `of` may not."""

    kind: str
    of: Hashable


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret and its scheme. `label` says whose it is for counting, and is no secret.

    `in_background`: nobody waits for these calls, so they leave people their share of the limit.
    """

    secret: SecretStr
    label: str = "account"
    in_background: bool = field(default=False, kw_only=True)

    @property
    def authorization(self) -> str:
        """The value of the Authorization header: a secret itself."""
        raise TypeError("use AccountKey or UserToken")

    @property
    def budget(self) -> Budget:
        """Calls with equal ones share one rate limit at PagerDuty ("Rate Limiting" in its REST pages)."""
        return Budget("account", self.secret)

    @property
    def counted_as(self) -> tuple[str, ...]:
        """The identities whose use a call is."""
        return (self.label,)


class AccountKey(Credentials):
    """A REST API key (`Token token=…`). An account's key has no user: writes need `From`, and `label` is the
    Slack user they are made for.
    """

    __slots__ = ()

    @property
    def authorization(self) -> str:
        return f"Token token={self.secret.get_secret_value()}"

    @property
    def counted_as(self) -> tuple[str, ...]:
        """The account's, and whoever it is made for."""
        return ("account",) if self.label == "account" else ("account", self.label)


@dataclass(frozen=True, slots=True)
class UserToken(Credentials):
    """An OAuth access token (`Bearer …`): the user comes from the token, `From` is not sent.

    `label` is the Slack user (`T0ACME:U0ALICE`). `renew` gives the token to go on with when PagerDuty
    answered 401 and raises NotLinked or PagerDutyUnavailable; None where there is nobody to ask.
    """

    label: str = ""
    renew: Callable[[], Awaitable[UserToken]] | None = field(default=None, compare=False, repr=False)

    @property
    def authorization(self) -> str:
        return f"Bearer {self.secret.get_secret_value()}"

    @property
    def budget(self) -> Budget:
        """The limit is the user's, whichever of their tokens it is."""
        return Budget("person", self.label or self.secret)
