"""An app that asks to be installed: the page a browser opens, and codes that become a bot's token.

One app, several workspaces on one listener; some may belong to an organisation that installs it as a whole.
A code lives ten minutes and works once, for the redirect address it was made for and no other.
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from aiohttp import web

from bot.sandbox.sign_in_page import HEADERS, Frame
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.tokens import Tokens

CODE_SECONDS = 600.0
_LOOK = Frame("Slack", "#611f69", "#d8a4e0")


class Installable(Protocol):
    """A workspace that the app may be installed in."""

    workspace: Workspace
    tokens: Tokens


@dataclass(frozen=True)
class Organisation:
    """An Enterprise Grid organisation: its id begins with E."""

    id: str
    name: str


@dataclass(frozen=True)
class _Code:
    """An install that was allowed: in a workspace, or in an organisation; UNIX seconds."""

    place: str
    scopes: str
    redirect_uri: str
    expires_at: float


class Installing:
    """`places` are the workspaces there are; the first is where the page begins."""

    def __init__(self, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._tokens = tokens
        self._clock = clock
        self._codes: dict[str, _Code] = {}
        self.places: list[Installable] = []
        self.organisation: Organisation | None = None
        self.rotates = False

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/oauth/v2/authorize", self._show)
        router.add_post("/oauth/v2/authorize", self._decide)

    def found(self, organisation: Organisation) -> None:
        """All workspaces belong to this organisation from now on."""
        self.organisation = organisation
        for place in self.places:
            place.workspace.enterprise_id = organisation.id

    # ── the browser's side ──

    async def _show(self, request: web.Request) -> web.Response:
        query = request.query
        if said := self._wrong(query):
            return _page("This link does not work", f"<p>{said}</p>", 400)
        asks = "".join(f"<li><code>{html.escape(one)}</code></li>" for one in query["scope"].split(","))
        buttons = "".join(
            f'<button class="allow" name="place" value="{html.escape(key)}">'
            f"Allow in {html.escape(name)}</button>"
            for key, name in self._choices().items()
        )
        return _page(
            "Pagerline is requesting permission to access Slack",
            f"<h2>It may use</h2><ul>{asks}</ul>"
            f'<form method="post" action="{html.escape("?" + urlencode(dict(query)))}">{buttons}'
            '<button name="place" value="">Cancel</button></form>'
            f'<p class="quiet">You go on to {html.escape(query["redirect_uri"])}</p>',
        )

    async def _decide(self, request: web.Request) -> web.Response:
        """`place` is the id of the workspace or the organisation, empty for Cancel."""
        query, form = request.query, await request.post()
        if said := self._wrong(query):
            return _page("This link does not work", f"<p>{said}</p>", 400)
        place = str(form.get("place", ""))
        answer = {"error": "access_denied"}
        if place in self._choices():
            answer = {"code": self.allow(place, query["scope"], query["redirect_uri"])}
        if "state" in query:
            answer["state"] = query["state"]
        raise web.HTTPSeeOther(f"{query['redirect_uri']}?{urlencode(answer)}")

    def _choices(self) -> dict[str, str]:
        """Id and name of everywhere the app may be installed."""
        worlds = [place.workspace.world for place in self.places]
        choices = {world.slack_team_id: world.slack_team_name for world in worlds}
        if self.organisation is not None:
            choices[self.organisation.id] = f"the whole of {self.organisation.name}"
        return choices

    def _wrong(self, query: Mapping[str, str]) -> str:
        if query.get("client_id") != self._tokens.client_id:
            return "Slack does not know this app."
        if query.get("redirect_uri") not in self._tokens.redirect_uris:
            return "The redirect address is not one of those in the app's settings."
        return "" if query.get("scope") else "The app asks for nothing."

    # ── the app's side ──

    def allow(self, place: str, scopes: str, redirect_uri: str) -> str:
        """Somebody allowed it: the code for the app."""
        code = f"{secrets.token_hex(8)}.{secrets.token_hex(16)}"
        self._codes[code] = _Code(place, scopes, redirect_uri, self._clock() + CODE_SECONDS)
        return code

    def exchange(self, code: str, redirect_uri: str) -> Json:
        """What `oauth.v2.access` answers. Raises `invalid_code`, `bad_redirect_uri`."""
        found = self._codes.pop(code, None)
        if found is None or found.expires_at <= self._clock():
            raise SlackError("invalid_code")
        if redirect_uri != found.redirect_uri:
            raise SlackError("bad_redirect_uri")
        organisation = self.organisation
        whole = organisation is not None and found.place == organisation.id
        chosen = [one for one in self.places if whole or one.workspace.world.slack_team_id == found.place]
        token = self._organisation_token(chosen) if whole else self._own_token(chosen[0])
        world = chosen[0].workspace.world
        rotating = {"refresh_token": f"xoxe-1-{secrets.token_hex(8)}", "expires_in": 43200}
        return {
            "app_id": world.app_id,
            "authed_user": {"id": "U0CAROL"},
            "scope": found.scopes,
            "token_type": "bot",
            "access_token": token,
            "bot_user_id": world.bot_user_id,
            "team": None if whole else {"id": world.slack_team_id, "name": world.slack_team_name},
            "enterprise": {"id": organisation.id, "name": organisation.name} if organisation else None,
            "is_enterprise_install": whole,
            **(rotating if self.rotates else {}),
        }

    def _own_token(self, place: Installable) -> str:
        """As Slack does, the same one again while the app is installed."""
        if place.tokens.dead:
            place.tokens.renew()
        return place.tokens.bot_token

    def _organisation_token(self, places: list[Installable]) -> str:
        token = f"xoxb-sandbox-org-{secrets.token_hex(12)}"
        for place in places:
            place.tokens.organisation_token = token
            place.workspace.by_organisation = True
        return token

    def workspaces_of(self, token: str) -> list[Json]:
        """What `auth.teams.list` answers: where an organisation's token works."""
        worlds = [one.workspace.world for one in self.places if one.tokens.organisation_token == token]
        return [{"id": world.slack_team_id, "name": world.slack_team_name} for world in worlds]


def _page(title: str, inside: str, status: int = 200) -> web.Response:
    shown = _LOOK.page(title, f"<h1>{html.escape(title)}</h1>{inside}")
    return web.Response(text=shown, content_type="text/html", status=status, headers=HEADERS)
