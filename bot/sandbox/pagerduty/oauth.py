"""PagerDuty's identity service: authorization codes with PKCE, token exchange, refresh rotation, app tokens.

A code lives 30 seconds and works once. A refresh gives a new refresh token and ends the old one. Unknown
scopes are no error: they are silently left out, as PagerDuty does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from bot.sandbox.pagerduty.access import Access, Token
from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.state import Json, State

CODE_LIFETIME = timedelta(seconds=30)
ACCESS_LIFETIME = timedelta(days=1)
REFRESH_LIFETIME = timedelta(days=30)
RESOURCES = (
    "abilities",
    "change_events",
    "custom_fields",
    "escalation_policies",
    "incident_types",
    "incident_workflows",
    "incident_workflows:instances",
    "incidents",
    "oncalls",
    "priorities",
    "schedules",
    "services",
    "subscribers",
    "tags",
    "teams",
    "templates",
    "users",
    "users:contact_methods",
    "webhook_subscriptions",
)
KNOWN_SCOPES = frozenset(
    {"openid", "read", "write", *(f"{name}.{way}" for name in RESOURCES for way in ("read", "write"))}
)
ISSUER = "https://identity.pagerduty.com/global/oauth/anonymous"


@dataclass(frozen=True)
class OAuthApp:
    """A registered app; without a secret it is a public client and PKCE alone proves it."""

    client_id: str
    client_secret: str | None
    redirect_uris: frozenset[str]


@dataclass(frozen=True)
class Grant:
    """What a person has allowed, waiting behind a code or a refresh token."""

    client_id: str
    user: str
    scopes: frozenset[str]
    expires_at: datetime
    redirect_uri: str = ""
    challenge: str = ""


class OAuthError(Exception):
    """An OAuth error answer: `error` and `error_description`."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body: Json = {"error": error, "error_description": description}


class OAuth:
    def __init__(self, state: State, access: Access, clock: Clock) -> None:
        self._state = state
        self._access = access
        self._clock = clock
        self._apps: dict[str, OAuthApp] = {}
        self._codes: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}

    def register(self, app: OAuthApp) -> None:
        self._apps[app.client_id] = app

    # ── the browser's side ──

    def authorize(self, query: Mapping[str, str]) -> str | None:
        """Where to send the browser, or None when the person has not chosen who they are yet.

        `as` (a PagerDuty user id) or `deny` is what the consent page adds. Raises OAuthError when the app
        or its redirect address is unknown, for then nobody may be sent anywhere.
        """
        app = self._apps.get(query.get("client_id", ""))
        redirect_uri = query.get("redirect_uri", "")
        if app is None or redirect_uri not in app.redirect_uris:
            raise OAuthError(400, "invalid_request", "Unknown client_id or redirect_uri")
        state = {"state": query["state"]} if "state" in query else {}
        refusal = _refused(query, app)
        if refusal:
            return _with_query(redirect_uri, {**refusal, **state})
        user = query.get("as")
        if user not in self._state.people:
            return None
        code = secrets.token_urlsafe(24)
        asked = frozenset(query.get("scope", "").split())
        self._codes[code] = Grant(
            app.client_id,
            str(user),
            (asked & KNOWN_SCOPES) | {"openid"},
            self._clock() + CODE_LIFETIME,
            redirect_uri,
            query.get("code_challenge", ""),
        )
        return _with_query(redirect_uri, {"code": code, **state})

    def consent_page(self, query: Mapping[str, str]) -> str:
        def link(extra: dict[str, str], label: str) -> str:
            address = html.escape("?" + urlencode({**query, **extra}))
            return f'<li><a href="{address}">{html.escape(label)}</a></li>'

        people = "".join(link({"as": id_}, f"Allow as {p.name}") for id_, p in self._state.people.items())
        app = html.escape(query.get("client_id", ""))
        scope = html.escape(query.get("scope", ""))
        return (
            "<!doctype html><meta charset=utf-8><title>PagerDuty sandbox</title>"
            f"<h1>Allow {app}?</h1><p>It asks for: {scope}</p><ul>{people}{link({'deny': '1'}, 'Deny')}</ul>"
        )

    # ── the app's side ──

    def token(self, form: Mapping[str, str]) -> Json:
        """Exchange a code, refresh a token, or issue an app token; raises OAuthError."""
        app = self._apps.get(form.get("client_id", ""))
        if app is None or not _proves(app, form.get("client_secret")):
            raise OAuthError(401, "invalid_client", "Unknown client or wrong secret")
        match form.get("grant_type"):
            case "authorization_code":
                return self._exchange(app, form)
            case "refresh_token":
                return self._renew(app, form)
            case "client_credentials" if app.client_secret:
                scopes = frozenset(form.get("scope", "").split())
                granted = frozenset(s for s in scopes if s in KNOWN_SCOPES or s.startswith("as_account-"))
                return self._issue(Grant(app.client_id, "", granted, self._clock()), refresh=False)
            case _:
                raise OAuthError(400, "unsupported_grant_type", "Unknown grant type")

    def _exchange(self, app: OAuthApp, form: Mapping[str, str]) -> Json:
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.client_id != app.client_id or grant.expires_at <= self._clock():
            raise OAuthError(400, "invalid_grant", "The code is unknown, used or expired")
        if grant.redirect_uri != form.get("redirect_uri"):
            raise OAuthError(400, "invalid_grant", "The redirect_uri is not the one of the authorization")
        if grant.challenge != challenge_of(form.get("code_verifier", "")):
            raise OAuthError(400, "invalid_grant", "The code_verifier does not match")
        return self._issue(grant, with_identity=True)

    def _renew(self, app: OAuthApp, form: Mapping[str, str]) -> Json:
        grant = self._refresh.pop(form.get("refresh_token", ""), None)
        if grant is None or grant.client_id != app.client_id or grant.expires_at <= self._clock():
            raise OAuthError(400, "invalid_grant", "The refresh token is unknown, used or expired")
        return self._issue(grant)

    def _issue(self, grant: Grant, *, refresh: bool = True, with_identity: bool = False) -> Json:
        expires_at = self._clock() + ACCESS_LIFETIME
        answer: Json = {
            "client_info": "prefix_legacy_app",
            "token_type": "bearer",
            "access_token": self._access.issue(Token(grant.user or None, grant.scopes, expires_at)),
            "scope": " ".join(sorted(grant.scopes)),
            "expires_in": int(ACCESS_LIFETIME.total_seconds()),
        }
        if refresh:
            renewed = Grant(grant.client_id, grant.user, grant.scopes, self._clock() + REFRESH_LIFETIME)
            answer["refresh_token"] = f"pdus+_1X{secrets.token_urlsafe(24)}"
            self._refresh[answer["refresh_token"]] = renewed
        if with_identity:
            answer["id_token"] = self._id_token(grant, expires_at)
        return answer

    def _id_token(self, grant: Grant, expires_at: datetime) -> str:
        """Who has signed in, as a JWT; its signature is made up, since it comes straight from this host."""
        claims = {
            "iss": ISSUER,
            "aud": ["https://api.pagerduty.com", grant.client_id],
            "exp": int(expires_at.timestamp()),
            "iat": int(self._clock().timestamp()),
            "user_id": grant.user,
            "account_id": "PACME00",
            "subdomain": self._state.world.pagerduty_subdomain,
            "region": "UnitedStates",
            "delegation_id": secrets.token_hex(8),
        }
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
        return ".".join([*(_unpadded(part) for part in parts), _unpadded(secrets.token_bytes(32))])

    def revoke(self, form: Mapping[str, str]) -> None:
        token = form.get("token", "")
        self._access.revoke(token)
        self._refresh.pop(token, None)


def challenge_of(verifier: str) -> str:
    """PKCE S256."""
    return _unpadded(hashlib.sha256(verifier.encode()).digest())


def _refused(query: Mapping[str, str], app: OAuthApp) -> dict[str, str]:
    if query.get("response_type") != "code":
        return {"error": "unsupported_response_type", "error_description": "response_type must be code"}
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        return {"error": "invalid_request", "error_description": "PKCE with S256 is required"}
    if "deny" in query:
        return {"error": "access_denied", "error_description": f"The person did not allow {app.client_id}"}
    return {}


def _proves(app: OAuthApp, secret: str | None) -> bool:
    return app.client_secret is None or hmac.compare_digest(app.client_secret, secret or "")


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _with_query(address: str, extra: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(extra)}"
