"""Who is calling and what they may do: keys, tokens, `From`, base roles and scopes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.sandbox.pagerduty.failures import MESSAGES, ApiError, access_denied, bad_request
from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.state import State

FROM_MISSING = 'You must specify a user\'s email address in the "From" header to perform this action'
ROLES_THAT_ONLY_READ = frozenset(
    {"observer", "read_only_user", "read_only_limited_user", "restricted_access"}
)
Region = Literal["us", "eu"]


@dataclass(frozen=True)
class Actor:
    """`user` is None for an account key without `From`; `bucket` names the rate limit's owner."""

    kind: Literal["account_key", "user_key", "oauth"]
    bucket: str
    user: str | None = None
    scopes: frozenset[str] | None = None
    read_only: bool = False


@dataclass(frozen=True)
class Token:
    """An OAuth access token; `user` is None for an app token, `scopes` None for full ones.

    `delegation` is the consent it came from. Only the region its account lives in takes it.
    """

    user: str | None
    scopes: frozenset[str] | None
    expires_at: datetime | None
    delegation: str = ""
    region: Region = "us"


class Access:
    """`ahead` is how far tokens are in the future of the clock: a story lets days pass for them alone."""

    def __init__(self, state: State, clock: Clock, *, region: Region = "us") -> None:
        self._state = state
        self._clock = clock
        self.region = region
        self.ahead = timedelta(0)
        self.account_key = _key("acct")
        self.read_only_key = _key("read")
        self._user_keys = {_key("user"): user for user in state.people}
        self._tokens: dict[str, Token] = {}

    def now(self) -> datetime:
        """UTC, as tokens see it."""
        return self._clock() + self.ahead

    def user_key(self, user: str) -> str:
        return next(key for key, owner in self._user_keys.items() if owner == user)

    def issue(self, token: Token) -> str:
        """A new access token, shaped like PagerDuty's."""
        value = f"pdus+_0X{secrets.token_urlsafe(24)}"
        self._tokens[value] = token
        return value

    def token(self, value: str) -> Token | None:
        return self._tokens.get(value)

    def tokens(self) -> list[str]:
        """Every access token that was not revoked, for tests that look for them where they must not be."""
        return list(self._tokens)

    def holds(self, user: str) -> bool:
        """Whether a token of this person works now."""
        now = self.now()
        mine = [token for token in self._tokens.values() if token.user == user]
        return any(token.expires_at is None or token.expires_at > now for token in mine)

    def revoke(self, which: Callable[[Token], bool]) -> int:
        """End the access tokens this is true of; how many there were."""
        ended = [value for value, token in self._tokens.items() if which(token)]
        for value in ended:
            del self._tokens[value]
        return len(ended)

    def expire(self, user: str) -> int:
        """Let a person's access tokens have expired, whatever was promised of them; how many there were."""
        mine = {value: token for value, token in self._tokens.items() if token.user == user}
        self._tokens |= {value: replace(token, expires_at=self.now()) for value, token in mine.items()}
        return len(mine)

    def bearer(self, user: str) -> str:
        """A full token of a person that never expires, for tests."""
        return self.issue(Token(user, None, None, region=self.region))

    def identify(self, authorization: str | None) -> Actor:
        """Raises ApiError 401 for anything but a known key or an unexpired token of this region."""
        scheme, _, rest = (authorization or "").partition(" ")
        rest = rest.strip()
        match scheme.lower():
            case "token" if rest.startswith("token="):
                actor = self._by_key(rest.removeprefix("token=").strip('"'))
            case "bearer":
                actor = self._by_token(rest)
            case _:
                actor = None
        if actor is None:
            raise ApiError(401, 2006, MESSAGES[2006])
        return actor

    def _by_key(self, key: str) -> Actor | None:
        if key in (self.account_key, self.read_only_key):
            return Actor("account_key", key, read_only=key == self.read_only_key)
        user = self._user_keys.get(key)
        return Actor("user_key", user, user) if user else None

    def _by_token(self, value: str) -> Actor | None:
        token = self._tokens.get(value)
        if token is None or token.region != self.region:
            return None
        if token.expires_at is not None and token.expires_at <= self.now():
            return None
        return Actor("oauth", token.user or "app", token.user, token.scopes)

    def authorize(self, actor: Actor, *, scope: str | None, writes: bool) -> None:
        """Raises ApiError 403. With the account key nobody's role is looked at, as at PagerDuty."""
        if actor.read_only and writes:
            raise access_denied()
        if actor.scopes is not None and scope is not None and not _covers(actor.scopes, scope, writes=writes):
            raise access_denied(f"Token does not have the scope {scope}.{'write' if writes else 'read'}")

    def require_writing_role(self, actor: Actor) -> None:
        """Raises ApiError 403 when the base role of whoever's own token this is only reads."""
        own_role = self._state.people[actor.user].role if actor.user else None
        if actor.kind != "account_key" and own_role in ROLES_THAT_ONLY_READ:
            raise access_denied()

    def require_person(self, actor: Actor, from_email: str | None) -> Actor:
        """The acting person: the token's own, or the one `From` names."""
        if actor.user is not None:
            return actor
        if not from_email:
            raise ApiError(400, 2001, FROM_MISSING)
        person = self._state.by_email.get(from_email.strip().lower())
        if person is None:
            raise bad_request(1008)
        return Actor(actor.kind, actor.bucket, person.pagerduty_id, actor.scopes, actor.read_only)


def _covers(scopes: frozenset[str], scope: str, *, writes: bool) -> bool:
    if writes:
        return bool(scopes & {"write", f"{scope}.write"})
    return bool(scopes & {"read", "write", f"{scope}.read"})


def _key(prefix: str) -> str:
    """Keys have 20 characters at PagerDuty."""
    return prefix + secrets.token_hex(8)
