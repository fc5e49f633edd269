"""The door the bot calls: `/api/<method>` and response URLs. Limits and faults first, then rules."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.sandbox.slack.acting import Acting
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.faults import RESPONSE_URL, Fault, Faults
from bot.sandbox.slack.installing import Installing
from bot.sandbox.slack.journal import Exchange, Journal, masked, without_secrets
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.method import SPECIAL, Call, Method
from bot.sandbox.slack.methods import METHODS
from bot.sandbox.slack.response_urls import respond
from bot.sandbox.slack.sign_in import SignIn

MAX_BODY = 4 * 1024 * 1024


class WebApi:
    """Answers the bot's requests and keeps every one of them in the journal."""

    def __init__(
        self,
        acting: Acting,
        sign_in: SignIn,
        installing: Installing,
        *,
        faults: Faults,
        limits: RateLimits,
        journal: Journal,
    ) -> None:
        self._acting = acting
        self._sign_in = sign_in
        self._installing = installing
        self._workspace = acting.workspace
        self._tokens = acting.tokens
        self._faults = faults
        self._limits = limits
        self._journal = journal

    async def call(self, request: web.Request) -> web.StreamResponse:
        """`/api/<method>`."""
        name = request.match_info["method"]
        entry = self._entry(request, "api")
        entry.api_method = name
        self._journal.append(entry)
        arguments, unreadable = await self._arguments(request, name)
        entry.body = without_secrets(arguments.values)
        channel = arguments.text("channel")
        if method := METHODS.get(name):
            wait = self._limits.refuse_for(name, method.per_minute, channel)
            if wait is not None:
                return self._limited(entry, wait)

        def carry_out() -> web.Response:
            return self._answer(entry, self._carried_out(name, arguments, request, unreadable))

        return await self._under_fault(request, entry, self._faults.take(name, channel), carry_out)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A response URL: the ticket says who acted on what."""
        entry = self._entry(request, "response_url")
        self._journal.append(entry)
        raw = await request.read()
        try:
            entry.body = json.loads(raw)
        except ValueError:
            entry.body = raw.decode(errors="replace")
        ticket = request.match_info["ticket"]

        def carry_out() -> web.Response:
            try:
                respond(self._workspace, self._acting.tickets.use_response_url(ticket), entry.body)
            except SlackError as problem:
                gone = problem.code in ("no_service", "expired_url", "used_url")
                return self._answer(entry, problem.answer(), status=404 if gone else 400)
            entry.status, entry.answer = 200, "ok"
            return web.Response(text="ok")

        if (wait := self._limits.refuse_for(RESPONSE_URL, SPECIAL, ticket)) is not None:
            return self._limited(entry, wait)
        return await self._under_fault(request, entry, self._faults.take(RESPONSE_URL, ""), carry_out)

    async def _under_fault(
        self,
        request: web.Request,
        entry: Exchange,
        fault: Fault | None,
        carry_out: Callable[[], web.Response],
    ) -> web.StreamResponse:
        if fault is None:
            return carry_out()
        entry.fault = fault.mode
        if fault.mode == "error":
            return self._answer(entry, SlackError(fault.error).answer())
        if fault.mode == "rate_limit":
            return self._limited(entry, fault.retry_after)
        if fault.mode == "server_error":
            entry.status, entry.answer = 500, "server error"
            return web.Response(
                status=500, text="<html><body>Server Error</body></html>", content_type="text/html"
            )
        if fault.mode in ("drop_after", "drop_before", "late"):
            if fault.mode == "drop_after":
                carry_out()
            entry.status = 0
            if request.transport is not None:
                request.transport.abort()
            if fault.mode == "late":
                await asyncio.sleep(fault.seconds)
                carry_out()
            return web.Response(status=500)  # never sent: the connection is gone
        answer = carry_out() if fault.carried_out else web.Response(status=503, text="gave up")
        await asyncio.sleep(fault.seconds)
        return answer

    def _carried_out(
        self, name: str, arguments: Arguments, request: web.Request, unreadable: str | None
    ) -> Json:
        method = METHODS.get(name)
        try:
            if method is None:
                raise SlackError("unknown_method", req_method=name)
            token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
            token = token or arguments.text("token")
            scopes = self._proven(method, token, arguments, request)
            if unreadable:
                raise SlackError(unreadable)
            call = Call(
                arguments,
                self._workspace,
                self._acting.views,
                self._acting.tickets,
                scopes,
                self._acting.origin,
                lambda: self._acting.delivery.sockets.new_url(self._acting.origin),
                self._sign_in,
                self._installing,
                self._tokens,
                token,
            )
            if method.proof == "token" and not method.app_token:
                call.need(*method.scopes)
            result = method.handler(call)
        except SlackError as problem:
            return problem.answer()
        for event in call.events:
            self._acting.delivery.announce(event)
        return {"ok": True, **result}

    def _proven(self, method: Method, token: str, arguments: Arguments, request: web.Request) -> set[str]:
        """The token's scopes, none where the app or a person proves itself otherwise. Raises SlackError."""
        if method.proof == "app":
            self._tokens.prove(*_app_credentials(arguments, request))
        return set() if method.proof != "token" else self._tokens.scopes_of(token, app_level=method.app_token)

    async def _arguments(self, request: web.Request, name: str) -> tuple[Arguments, str | None]:
        """The call's arguments, and Slack's complaint when the body cannot be read."""
        values: Json = dict(request.query)
        method = METHODS.get(name)
        if request.content_type == "application/json":
            raw = await request.read()
            # A method that takes no JSON ignores such a body, which then looks like missing arguments.
            if raw and (method is None or method.json_input):
                try:
                    body = json.loads(raw)
                except ValueError:
                    return Arguments(values), "invalid_json"
                if not isinstance(body, dict):
                    return Arguments(values), "json_not_object"
                values |= body
        elif request.can_read_body:
            form = await request.post()
            values |= {k: v for k, v in form.items() if isinstance(v, str)}
        return Arguments(values), None

    def _entry(self, request: web.Request, direction: Any) -> Exchange:
        return Exchange(
            direction,
            datetime.fromtimestamp(self._workspace.clock(), UTC),
            request.method,
            request.path,
            query=without_secrets(dict(request.query)),
            headers=masked(dict(request.headers)),
        )

    def _answer(self, entry: Exchange, answer: Json, *, status: int = 200) -> web.Response:
        entry.status, entry.answer = status, without_secrets(answer)
        scopes = ",".join(sorted(self._tokens.scopes))
        method = METHODS.get(entry.api_method or "")
        headers = {"x-oauth-scopes": scopes, "x-slack-req-id": self._workspace.next_id("req")}
        if method is not None:
            headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        return web.json_response(answer, status=status, headers=headers)

    def _limited(self, entry: Exchange, wait: int) -> web.Response:
        entry.status, entry.answer = 429, {"ok": False, "error": "ratelimited"}
        return web.json_response(entry.answer, status=429, headers={"Retry-After": str(wait)})


def _app_credentials(arguments: Arguments, request: web.Request) -> tuple[str, str]:
    """Client id and secret: by HTTP Basic, as Slack prefers, or among the arguments."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return arguments.text("client_id"), arguments.text("client_secret")
    try:
        client_id, _, client_secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return "", ""
    return client_id, client_secret
