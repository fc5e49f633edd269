"""PagerDuty's identity service: authorization codes with PKCE, token exchange, refresh rotation, app tokens.

A code lives 30 seconds and works once. A refresh gives a new refresh token and ends the old one. Scopes that
are unknown, or that the app was not registered with, are no error: they are silently left out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from bot.sandbox.pagerduty.access import Access, Region, Token
from bot.sandbox.pagerduty.registration import OAuthApp
from bot.sandbox.pagerduty.state import Json, State

CODE_LIFETIME = timedelta(seconds=30)
ISSUER = "https://identity.pagerduty.com/global/oauth/anonymous"
API_OF: dict[Region, str] = {"us": "https://api.pagerduty.com", "eu": "https://api.eu.pagerduty.com"}
REGION_NAMES: dict[Region, str] = {"us": "UnitedStates", "eu": "Europe"}
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

Deed = Literal["consent", "denied", "exchange", "refresh", "refused", "revoked", "app_token"]


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `user` is empty for app tokens and for what nobody could be found behind."""

    what: Deed
    user: str
    at: datetime
    why: str = ""


@dataclass(frozen=True)
class Grant:
    """What a person has allowed, waiting behind a code or a refresh token."""

    client_id: str
    user: str
    scopes: frozenset[str]
    expires_at: datetime
    delegation: str
    redirect_uri: str = ""
    challenge: str = ""


@dataclass(frozen=True)
class Question:
    """What an app asks of whoever is signed in. `back` leads back to it without having asked anybody."""

    app: OAuthApp
    scopes: frozenset[str]
    redirect_uri: str
    state: Mapping[str, str]
    challenge: str
    back: str | None = None


class OAuthError(Exception):
    """An OAuth error answer: `error` and `error_description`."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body: Json = {"error": error, "error_description": description}


class OAuth:
    def __init__(self, state: State, access: Access) -> None:
        self._state = state
        self._access = access
        self._apps: dict[str, OAuthApp] = {}
        self._codes: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._regions: dict[str, Region] = {}
        self.ledger: list[Entry] = []

    def register(self, app: OAuthApp) -> None:
        self._apps[app.client_id] = app

    def change_app(self, client_id: str, **fields: Any) -> None:
        """Change a registration: kind, scopes, redirect_uris, lifetimes. Raises KeyError for no such app."""
        self._apps[client_id] = replace(self._apps[client_id], **fields)

    # ── what a test, a person or an admin does beside it ──

    def count(self, what: Deed, user: str | None = None) -> int:
        """How often something happened, to one person or to all."""
        return sum(one.what == what and user in (None, one.user) for one in self.ledger)

    def tokens(self) -> list[str]:
        """Every refresh token that still works, for tests that look for them where they must not be."""
        return list(self._refresh)

    def let_pass(self, gap: timedelta) -> None:
        """Let tokens grow older by this; nothing else notices."""
        self._access.ahead += gap

    def refuse_refresh(self, user: str) -> int:
        """End a person's refresh tokens but not the access tokens; how many there were."""
        mine = [value for value, grant in self._refresh.items() if grant.user == user]
        for value in mine:
            del self._refresh[value]
        return len(mine)

    def revoke_all_of(self, user: str) -> int:
        """What "Revoke All Tokens" does in PagerDuty's pages; how many tokens there were."""
        self._note("revoked", user, "in PagerDuty's pages")
        return self.refuse_refresh(user) + self._access.revoke(lambda token: token.user == user)

    def move(self, user: str, region: Region) -> None:
        """Let a person's account live in a region; tokens issued from now on are good only there."""
        self._regions[user] = region

    def region_of(self, user: str) -> Region:
        return self._regions.get(user, self._access.region)

    # ── the browser's side ──

    def ask(self, query: Mapping[str, str]) -> Question:
        """What is asked. Raises OAuthError when the app or its redirect address is unknown, for then nobody
        may be sent anywhere.
        """
        app = self._apps.get(query.get("client_id", ""))
        redirect_uri = query.get("redirect_uri", "")
        if app is None or redirect_uri not in app.redirect_uris:
            raise OAuthError(400, "invalid_request", "Unknown client_id or redirect_uri")
        state = {"state": query["state"]} if "state" in query else {}
        refusal = _refused(query)
        return Question(
            app,
            app.granted(query.get("scope", "").split()),
            redirect_uri,
            state,
            query.get("code_challenge", ""),
            _with_query(redirect_uri, {**refusal, **state}) if refusal else None,
        )

    def allow(self, question: Question, user: str) -> str:
        """The person allows it: where the browser goes, with a code. Raises OAuthError for nobody."""
        if user not in self._state.people:
            raise OAuthError(400, "invalid_request", "Nobody is signed in")
        code = secrets.token_urlsafe(24)
        self._codes[code] = Grant(
            question.app.client_id,
            user,
            question.scopes,
            self._access.now() + CODE_LIFETIME,
            secrets.token_hex(8),
            question.redirect_uri,
            question.challenge,
        )
        self._note("consent", user)
        return _with_query(question.redirect_uri, {"code": code, **question.state})

    def deny(self, question: Question, user: str) -> str:
        """The person does not: where the browser goes."""
        self._note("denied", user)
        refusal = {"error": "access_denied", "error_description": f"{question.app.name} was not allowed"}
        return _with_query(question.redirect_uri, {**refusal, **question.state})

    # ── the app's side ──

    def token(self, form: Mapping[str, str]) -> Json:
        """Exchange a code, refresh a token, or issue an app token; raises OAuthError."""
        app = self._proven(form)
        match form.get("grant_type"):
            case "authorization_code":
                return self._exchange(app, form)
            case "refresh_token":
                return self._renew(app, form)
            case "client_credentials" if app.client_secret and app.kind == "scoped":
                scopes = app.app_token_scopes(form.get("scope", "").split())
                grant = Grant(app.client_id, "", scopes, self._access.now(), "")
                self._note("app_token", "")
                return self._issue(app, grant, refresh=False)
            case _:
                raise OAuthError(400, "unsupported_grant_type", "Unknown grant type")

    def revoke(self, form: Mapping[str, str]) -> None:
        """End a token and the consent it came from; one that is unknown is no error. Raises OAuthError."""
        app = self._proven(form)
        value = form.get("token", "")
        grant, token = self._refresh.get(value), self._access.token(value)
        if grant is not None and grant.client_id != app.client_id:
            return
        delegation = grant.delegation if grant else token.delegation if token else ""
        if delegation:
            user = grant.user if grant else token.user if token else None
            self._note("revoked", user or "", "by the app")
            self._refresh = {v: g for v, g in self._refresh.items() if g.delegation != delegation}
            self._access.revoke(lambda token: token.delegation == delegation)

    def _proven(self, form: Mapping[str, str]) -> OAuthApp:
        app = self._apps.get(form.get("client_id", ""))
        if app is None or not _proves(app, form.get("client_secret")):
            raise OAuthError(401, "invalid_client", "Unknown client or wrong secret")
        return app

    def _exchange(self, app: OAuthApp, form: Mapping[str, str]) -> Json:
        grant = self._codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        if grant is None or grant.client_id != app.client_id or grant.expires_at <= self._access.now():
            raise self._refusal(grant, "The code is unknown, used or expired")
        if grant.redirect_uri != form.get("redirect_uri"):
            raise self._refusal(grant, "The redirect_uri is not the one of the authorization")
        if not _VERIFIER.fullmatch(verifier) or grant.challenge != challenge_of(verifier):
            raise self._refusal(grant, "The code_verifier does not match")
        self._note("exchange", grant.user)
        return self._issue(app, grant, with_identity=True)

    def _renew(self, app: OAuthApp, form: Mapping[str, str]) -> Json:
        grant = self._refresh.pop(form.get("refresh_token", ""), None)
        if grant is None or grant.client_id != app.client_id or grant.expires_at <= self._access.now():
            raise self._refusal(grant, "The refresh token is unknown, used or expired")
        self._note("refresh", grant.user)
        return self._issue(app, grant)

    def _refusal(self, grant: Grant | None, why: str) -> OAuthError:
        self._note("refused", grant.user if grant else "", why)
        return OAuthError(400, "invalid_grant", why)

    def _issue(
        self, app: OAuthApp, grant: Grant, *, refresh: bool = True, with_identity: bool = False
    ) -> Json:
        now = self._access.now()
        expires_at = now + app.access_lasts
        region = self.region_of(grant.user)
        token = Token(grant.user or None, grant.scopes, expires_at, grant.delegation, region)
        answer: Json = {
            "client_info": "prefix_legacy_app",
            "token_type": "bearer",
            "access_token": self._access.issue(token),
            "scope": " ".join(sorted(grant.scopes)),
            "expires_in": int(app.access_lasts.total_seconds()),
        }
        if refresh:
            answer["refresh_token"] = f"pdus+_1X{secrets.token_urlsafe(24)}"
            self._refresh[answer["refresh_token"]] = replace(grant, expires_at=now + app.refresh_lasts)
        if with_identity:
            answer["id_token"] = self._id_token(grant, expires_at)
        return answer

    def _id_token(self, grant: Grant, expires_at: datetime) -> str:
        """Who has signed in, as a JWT; its signature is made up, since it comes straight from this host."""
        region = self.region_of(grant.user)
        claims = {
            "iss": ISSUER,
            "aud": [API_OF[region], grant.client_id],
            "exp": int(expires_at.timestamp()),
            "iat": int(self._access.now().timestamp()),
            "user_id": grant.user,
            "account_id": "PACME00",
            "subdomain": self._state.world.pagerduty_subdomain,
            "region": REGION_NAMES[region],
            "delegation_id": grant.delegation,
        }
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
        return ".".join([*(_unpadded(part) for part in parts), _unpadded(secrets.token_bytes(32))])

    def _note(self, what: Deed, user: str, why: str = "") -> None:
        self.ledger.append(Entry(what, user, self._access.now(), why))


def challenge_of(verifier: str) -> str:
    """PKCE S256."""
    return _unpadded(hashlib.sha256(verifier.encode()).digest())


def _refused(query: Mapping[str, str]) -> dict[str, str]:
    if query.get("response_type") != "code":
        return {"error": "unsupported_response_type", "error_description": "response_type must be code"}
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        return {"error": "invalid_request", "error_description": "PKCE with S256 is required"}
    return {}


def _proves(app: OAuthApp, secret: str | None) -> bool:
    return app.client_secret is None or hmac.compare_digest(app.client_secret, secret or "")


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _with_query(address: str, extra: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(extra)}"
