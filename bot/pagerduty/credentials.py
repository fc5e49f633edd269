"""How a call to PagerDuty says on whose behalf it is made. Only bot/accounts and bot/pagerduty ever hold
one; no `repr` shows the secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret and its scheme; equal secrets share one rate limit at PagerDuty."""

    secret: SecretStr

    @property
    def authorization(self) -> str:
        """The value of the Authorization header: a secret itself."""
        raise TypeError("use AccountKey or UserToken")


class AccountKey(Credentials):
    """A REST API key (`Token token=…`). An account's key has no user: writes need `From`."""

    __slots__ = ()

    @property
    def authorization(self) -> str:
        return f"Token token={self.secret.get_secret_value()}"


class UserToken(Credentials):
    """An OAuth access token (`Bearer …`): the user comes from the token, `From` is not sent."""

    __slots__ = ()

    @property
    def authorization(self) -> str:
        return f"Bearer {self.secret.get_secret_value()}"
