"""Sign in with Slack (OpenID Connect): proof, in one browser, of who somebody is in Slack.

Called by bot/accounts/linking.py when the e-mail addresses do not prove it. The identity token comes straight
from Slack over TLS in exchange for a code, our secret and nothing else, so its signature is not checked again
(OpenID Connect Core 3.1.3.7, 6); issuer, audience, time and nonce are.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from pydantic import SecretStr

from bot.model import SlackUser
from bot.slack.connection import Connection, OnCall

USER, TEAM, ENTERPRISE = (f"https://slack.com/{name}_id" for name in ("user", "team", "enterprise"))
ISSUER = "https://slack.com"
LATE_SECONDS = 60.0  # how far clocks may differ


class NotProven(Exception):
    """Slack's answer does not say who signed in."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in; `enterprise_id` in an Enterprise Grid organisation."""

    user: SlackUser
    enterprise_id: str | None

    def is_same(self, user: SlackUser) -> bool:
        """Whether it is this person; an organisation-wide install names the organisation as the workspace."""
        return self.user.id == user.id and user.team_id in (self.user.team_id, self.enterprise_id)


class SignIn:
    """Our Slack app as an OpenID Connect client. `redirect_uri` stands in the app's manifest."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        client_id: str,
        client_secret: SecretStr,
        redirect_uri: str,
        on_call: OnCall | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connection = Connection(session, SecretStr(""), base_url=base_url, on_call=on_call)
        api = urlsplit(base_url)
        self._origin = f"{api.scheme}://{api.netloc}"
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock

    def __repr__(self) -> str:
        return f"SignIn({self._origin!r})"

    def authorize_url(self, *, state: str, nonce: str, team_id: str) -> str:
        """Where the person's browser goes to sign in."""
        query = {
            "response_type": "code",
            "scope": "openid",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "state": state,
            "nonce": nonce,
            "team": team_id,
        }
        return f"{self._origin}/openid/connect/authorize?{urlencode(query)}"

    async def who(self, code: str, nonce: str) -> SignedIn:
        """Whoever signed in for this code. Raises NotProven, and SlackFailure."""
        answer = await self._connection.exchange(
            "openid.connect.token",
            {"code": code, "redirect_uri": self._redirect_uri, "grant_type": "authorization_code"},
            client_id=self._client_id,
            client_secret=self._client_secret,
        )
        claims = _claims(answer.get("id_token"))
        audience = claims.get("aud")
        expires_at = claims.get("exp")
        proven = (
            claims.get("iss") == ISSUER
            and self._client_id in (audience if isinstance(audience, list) else [audience])
            and isinstance(expires_at, (int, float))
            and expires_at > self._clock() - LATE_SECONDS
            and hmac.compare_digest(str(claims.get("nonce") or "").encode(), nonce.encode())
        )
        user, team, enterprise = (claims.get(name) for name in (USER, TEAM, ENTERPRISE))
        if not proven or not isinstance(user, str) or not isinstance(team, str):
            raise NotProven("Slack's identity token is not for us, or not for this sign-in")
        return SignedIn(SlackUser(team, user), enterprise if isinstance(enterprise, str) else None)


def _claims(token: Any) -> Mapping[str, Any]:
    """The middle part of a JWT. Raises NotProven."""
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        raise NotProven("Slack sent no identity token")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise NotProven("Slack's identity token cannot be read")
    return claims
