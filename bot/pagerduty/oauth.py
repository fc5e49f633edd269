"""PagerDuty's identity service: where a person consents, and what a code or a refresh token is exchanged for.

Called by bot/accounts only. One host serves both regions. A code lives 30 seconds and works once; a refresh
gives a new refresh token, and the old one is taken to be dead (PagerDuty's "OAuth 2.0" pages). So nothing
here is ever repeated: whoever calls decides, knowing whether it may have happened.

    PagerDutyFailure
    ├─ OAuthRefused            PagerDuty said no; `error` is OAuth's own word (RFC 6749, 5.2)
    └─ PagerDutyUnavailable
       └─ OAuthUnavailable     no answer, or one that means nothing; `maybe_done`: the token may be used up
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp
import structlog
from pydantic import SecretStr

from bot.errors import PagerDutyFailure, PagerDutyUnavailable
from bot.pagerduty.fields import text

CALL_SECONDS = 8.0
CONNECT_SECONDS = 4.0
DAY = 86400.0  # seconds: how long a scoped access token lives, where PagerDuty does not tell
ALWAYS = frozenset({"openid", "users.read"})  # who it is (`/users/me`) must be readable
CLASSIC = frozenset({"read", "write"})
USED_UP = "invalid_grant"  # the code or refresh token is unknown, expired, revoked or was used before
_WORD = re.compile(r"[a-z_]{1,40}")

Kind = Literal["scoped", "classic"]
OnCall = Callable[[str, str, int, float], None]
"""Told of every call: method, path, status (0: no answer came), seconds."""

log = structlog.get_logger("pagerline.pagerduty")


class OAuthRefused(PagerDutyFailure):
    """PagerDuty's identity service said no. `error`: invalid_grant, invalid_client, access_denied …"""

    def __init__(self, error: str, *, status: int) -> None:
        super().__init__(f"PagerDuty's sign-in answered {error}", status=status)
        self.error = error

    @property
    def is_used_up(self) -> bool:
        """What was handed in is no good any more; else it is about our client id, secret or request."""
        return self.error == USED_UP


class OAuthUnavailable(PagerDutyUnavailable):
    """PagerDuty's identity service did not answer so that it could be understood."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What PagerDuty gave: `scopes` empty where it did not say, `refresh` None where the old one stays.

    `expires_in`: seconds the access token lives from now.
    """

    access: SecretStr
    refresh: SecretStr | None
    scopes: frozenset[str]
    expires_in: float


class PagerDutyOAuth:
    """Our app at PagerDuty, over a session that the caller opens and closes.

    `scopes` are what the commands declare; a classic app has `read` and `write` instead. `redirect_uri` must
    be the registered one, to the letter.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        identity_url: str,
        client_id: str,
        client_secret: SecretStr,
        redirect_uri: str,
        kind: Kind = "scoped",
        scopes: Iterable[str] = (),
        on_call: OnCall | None = None,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._session = session
        self._origin = identity_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._on_call = on_call
        self._call_seconds = call_seconds
        self.scopes = ALWAYS | frozenset(scopes) if kind == "scoped" else CLASSIC

    def __repr__(self) -> str:
        return f"PagerDutyOAuth({self._origin!r})"

    def authorize_url(self, state: str, challenge: str) -> str:
        """Where the person's browser goes to consent; `challenge` is PKCE's."""
        query = {
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "response_type": "code",
            "scope": " ".join(sorted(self.scopes)),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "state": state,
        }
        return f"{self._origin}/oauth/authorize?{urlencode(query)}"

    def missing_scopes(self, granted: Granted) -> frozenset[str]:
        """What was asked for and not granted. PagerDuty says nothing about scopes it does not know or give:
        they are only absent.
        """
        missing = self.scopes - granted.scopes - {"openid"}
        return missing - {"read"} if "write" in granted.scopes else missing

    async def exchange(self, code: str, verifier: str) -> Granted:
        """A code for tokens: at once, it lives 30 seconds. Raises OAuthRefused, OAuthUnavailable."""
        granted = await self._token(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect_uri,
                "code_verifier": verifier,
            }
        )
        # Left out, it is what was asked for (RFC 6749, 5.1).
        return granted if granted.scopes else _with_scopes(granted, self.scopes)

    async def refresh(self, refresh_token: SecretStr) -> Granted:
        """A refresh token for a new pair: the old one is used up. Raises OAuthRefused, OAuthUnavailable."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.get_secret_value()}
        return await self._token(form)

    async def revoke(self, token: SecretStr) -> bool:
        """Ask PagerDuty to end a token; best effort, since its pages do not document it. Never raises."""
        try:
            status, _ = await self._post("/oauth/revoke", {"token": token.get_secret_value()})
        except OAuthUnavailable:
            return False
        return 200 <= status < 300

    async def _token(self, form: Mapping[str, str]) -> Granted:
        status, body = await self._post("/oauth/token", form)
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            told = {}
        if 400 <= status < 500 and status not in (408, 429):
            raise OAuthRefused(_error(told, status), status=status)
        granted = _granted(told) if 200 <= status < 300 else None
        if granted is None:
            raise OAuthUnavailable(
                f"PagerDuty's sign-in answered {status}", status=status, maybe_done=status != 429
            )
        return granted

    async def _post(self, path: str, form: Mapping[str, str]) -> tuple[int, str]:
        proof = {
            "client_id": self._client_id,
            "client_secret": self._client_secret.get_secret_value(),
        }
        timeout = aiohttp.ClientTimeout(total=self._call_seconds, connect=CONNECT_SECONDS)
        began, status = time.monotonic(), 0
        try:
            async with self._session.post(
                self._origin + path,
                data={**form, **proof},
                timeout=timeout,
                allow_redirects=False,
                headers={"Accept": "application/json"},
            ) as answer:
                body = await answer.text("utf-8", "replace")
                status = answer.status
                return status, body
        # Whatever these say of the request, they must not: it holds secrets.
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise OAuthUnavailable(
                f"PagerDuty's sign-in cannot be reached ({type(error).__name__})"
            ) from None
        except TimeoutError:
            raise OAuthUnavailable("PagerDuty's sign-in did not answer in time", maybe_done=True) from None
        except (aiohttp.ClientError, OSError):
            raise OAuthUnavailable("The connection to PagerDuty's sign-in broke", maybe_done=True) from None
        finally:
            seconds = time.monotonic() - began
            if self._on_call is not None:
                self._on_call("POST", path, status, seconds)
            log.debug("pagerduty_sign_in_call", path=path, status=status, seconds=round(seconds, 3))


def _error(told: Mapping[str, Any], status: int) -> str:
    """OAuth's word for it. Its description is not passed on: nobody knows what it quotes."""
    word = text(told.get("error")) or ""
    return word if _WORD.fullmatch(word) else str(status)


def _granted(told: Mapping[str, Any]) -> Granted | None:
    access, refresh = text(told.get("access_token")), text(told.get("refresh_token"))
    if not access:
        return None
    lives = told.get("expires_in")
    return Granted(
        SecretStr(access),
        SecretStr(refresh) if refresh else None,
        frozenset((text(told.get("scope")) or "").split()),
        float(lives) if isinstance(lives, (int, float)) and 0 < lives < 1e10 else DAY,
    )


def _with_scopes(granted: Granted, scopes: frozenset[str]) -> Granted:
    return Granted(granted.access, granted.refresh, scopes, granted.expires_in)
