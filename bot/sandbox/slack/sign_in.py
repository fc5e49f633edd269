"""Sign in with Slack (OpenID Connect): the page a browser opens, and codes that become an identity token.

A code lives ten minutes and works once, for the redirect address it was made for and no other.
"""

from __future__ import annotations

import base64
import html
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from bot.sandbox.sign_in_page import HEADERS, Frame, choose, decide, signed_in, who
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.tokens import Tokens
from bot.sandbox.world import Person

CODE_SECONDS = 600.0
TOKEN_SECONDS = 300.0
ISSUER = "https://slack.com"
_LOOK = Frame("Slack", "#611f69", "#d8a4e0")
_SEES = {"openid": "who you are", "profile": "your name and picture", "email": "your e-mail address"}


@dataclass(frozen=True)
class _Code:
    """A sign-in that was allowed; UNIX seconds."""

    user: str
    redirect_uri: str
    scopes: frozenset[str]
    nonce: str
    expires_at: float


class SignIn:
    """Whoever is at the sandbox's page is signed in at Slack too, unless the page is asked to change that."""

    def __init__(self, workspace: Workspace, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._workspace = workspace
        self._tokens = tokens
        self._clock = clock
        self._codes: dict[str, _Code] = {}
        self._used: set[str] = set()
        self._allowed: dict[str, _Code] = {}

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/openid/connect/authorize", self._show)
        router.add_post("/openid/connect/authorize", self._decide)

    # ── the browser's side ──

    async def _show(self, request: web.Request) -> web.Response:
        query = request.query
        if said := self._wrong(query):
            return _page("This link does not work", f"<h1>This link does not work</h1><p>{said}</p>", 400)
        if refusal := _refused(query):
            raise web.HTTPFound(_with_query(query["redirect_uri"], refusal | _state(query)))
        people, me = self._people(), signed_in(self._people(), query, request.cookies)
        if me is None:
            inside = f"<h1>Sign in to Slack</h1><p>Who are you?</p>{choose(people, query)}"
            return _page("Sign in to Slack", inside)
        sees = "".join(f"<li>{_SEES[one]}</li>" for one in query["scope"].split() if one in _SEES)
        others = [one for one in people if one is not me]
        world = self._workspace.world
        app = html.escape(self._workspace.person(world.bot_user_id).name)
        inside = (
            f"<h1>{app} asks who you are in Slack</h1>{who(me, f'{world.slack_domain}.slack.com')}"
            f"<details><summary>Not you?</summary>{choose(others, query)}</details>"
            f"<h2>It may see</h2><ul>{sees}</ul>{decide(query, me)}"
            f'<p class="quiet">You go on to {html.escape(query["redirect_uri"])}</p>'
        )
        return _page("Sign in with Slack", inside)

    async def _decide(self, request: web.Request) -> web.Response:
        """`decision` is allow or deny, `user` who was signed in on the page."""
        query, form = request.query, await request.post()
        if said := self._wrong(query):
            return _page("This link does not work", f"<h1>This link does not work</h1><p>{said}</p>", 400)
        me = signed_in(self._people(), {"as": str(form.get("user", ""))}, {})
        answer = _refused(query)
        if not answer and (me is None or form.get("decision") != "allow"):
            answer = {"error": "access_denied"}
        elif not answer and me is not None:
            answer = {"code": self._code(query, me)}
        raise web.HTTPSeeOther(_with_query(query["redirect_uri"], answer | _state(query)))

    def _people(self) -> list[Person]:
        """Those who can sign in to this workspace."""
        mine = self._workspace.people.values()
        return [one for one in mine if one.kind not in ("bot", "deleted", "stranger")]

    def _wrong(self, query: Mapping[str, str]) -> str:
        if query.get("client_id") != self._tokens.client_id:
            return "Slack does not know this app."
        if query.get("redirect_uri") not in self._tokens.redirect_uris:
            return "The redirect address is not one of those in the app's settings."
        return ""

    def _code(self, query: Mapping[str, str], me: Person) -> str:
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(
            me.slack_id,
            query["redirect_uri"],
            frozenset(query["scope"].split()),
            query.get("nonce", ""),
            self._clock() + CODE_SECONDS,
        )
        return code

    # ── the app's side ──

    def token(self, code: str, redirect_uri: str) -> Json:
        """What `openid.connect.token` answers. Raises `invalid_code`, `code_already_used`,
        `bad_redirect_uri`.
        """
        if code in self._used:
            raise SlackError("code_already_used")
        found = self._codes.pop(code, None)
        if found is None or found.expires_at <= self._clock():
            raise SlackError("invalid_code")
        self._used.add(code)
        if redirect_uri != found.redirect_uri:
            raise SlackError("bad_redirect_uri")
        token = f"xoxp-sandbox-{secrets.token_hex(12)}"
        self._allowed[token] = found
        return {"access_token": token, "token_type": "Bearer", "id_token": self._id_token(found)}

    def claims(self, token: str) -> Json:
        """Who the holder of an access token is. Raises `not_authed`, `invalid_auth`."""
        if not token:
            raise SlackError("not_authed")
        if token not in self._allowed:
            raise SlackError("invalid_auth")
        return self._claims(self._allowed[token])

    def secrets(self) -> list[str]:
        """The access tokens that were given out."""
        return list(self._allowed)

    def _claims(self, allowed: _Code) -> Json:
        world, person = self._workspace.world, self._workspace.person(allowed.user)
        claims: Json = {
            "sub": person.slack_id,
            "https://slack.com/user_id": person.slack_id,
            "https://slack.com/team_id": person.slack_team,
            "https://slack.com/team_domain": world.slack_domain,
        }
        if "email" in allowed.scopes:
            claims |= {"email": person.email, "email_verified": bool(person.email)}
        if "profile" in allowed.scopes:
            claims |= {"name": person.name, "locale": "en-US"}
        return claims

    def _id_token(self, allowed: _Code) -> str:
        """A JWT whose signature is made up, since it comes straight from this host."""
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": self._tokens.client_id,
            "iat": now,
            "auth_time": now,
            "exp": now + int(TOKEN_SECONDS),
            **({"nonce": allowed.nonce} if allowed.nonce else {}),
            **self._claims(allowed),
        }
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
        signed = [*parts, secrets.token_bytes(32)]
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in signed)


def _refused(query: Mapping[str, str]) -> dict[str, str]:
    if query.get("response_type") != "code":
        return {"error": "unsupported_response_type"}
    return {} if "openid" in query.get("scope", "").split() else {"error": "invalid_scope"}


def _state(query: Mapping[str, str]) -> dict[str, str]:
    return {"state": query["state"]} if "state" in query else {}


def _with_query(address: str, extra: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(extra)}"


def _page(title: str, inside: str, status: int = 200) -> web.Response:
    return web.Response(
        text=_LOOK.page(title, inside), content_type="text/html", status=status, headers=HEADERS
    )
