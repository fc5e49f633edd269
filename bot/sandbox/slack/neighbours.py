"""Several workspaces behind one listener: which of them a request is for, by its token or its address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.tokens import Tokens
from bot.sandbox.slack.web_api import WebApi


class Neighbour(Protocol):
    """A workspace with its own people, channels, tokens and journal."""

    tokens: Tokens
    tickets: Tickets
    web_api: WebApi
    workspace: Workspace


class Neighbours:
    """The first answers whatever names none of them."""

    def __init__(self, all_of_them: Sequence[Neighbour]) -> None:
        self._all = all_of_them

    async def call(self, request: web.Request) -> web.StreamResponse:
        """`/api/<method>`."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        named = [one for one in self._all if one.tokens.knows(token)]
        if len(named) > 1:  # an organisation's: the call says which workspace it is about
            team = await _team(request)
            named = [one for one in named if one.workspace.world.slack_team_id == team] or named
        return await (named or self._all)[0].web_api.call(request)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A response URL."""
        ticket = request.match_info["ticket"]
        named = [one for one in self._all if one.tickets.has_response_url(ticket)]
        return await (named or self._all)[0].web_api.respond(request)


async def _team(request: web.Request) -> str:
    if "team_id" in request.query:
        return request.query["team_id"]
    try:
        body = json.loads(await request.read())
    except ValueError:
        return ""
    return str(body.get("team_id", "")) if isinstance(body, dict) else ""
