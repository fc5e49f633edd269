"""What every REST request goes through before its handler: credentials, rate limit, headers, scope, person,
body.
"""

from __future__ import annotations

from bot.sandbox.pagerduty.access import Access, Actor
from bot.sandbox.pagerduty.failures import MESSAGES, ApiError, invalid_input, not_found
from bot.sandbox.pagerduty.limits import RateLimits
from bot.sandbox.pagerduty.query import Query
from bot.sandbox.pagerduty.rest.routes import Call, Route
from bot.sandbox.pagerduty.roles import Roles
from bot.sandbox.pagerduty.wire import Incoming, Inner, Reply

MEDIA_TYPE = "application/vnd.pagerduty+json"


class Front:
    def __init__(self, access: Access, roles: Roles, limits: RateLimits) -> None:
        self._access = access
        self._roles = roles
        self._limits = limits

    def serve(self, route: Route | None) -> Inner:
        """The way in for a route; None stands for every path that does not exist."""

        def inner(incoming: Incoming) -> Reply:
            reply = Reply(500)
            try:
                actor = self._access.identify(incoming.request.headers.get("Authorization"))
                allowance = self._limits.take(actor.bucket)
                reply.headers.update(allowance.headers())
                if allowance.refused:
                    raise ApiError(429, 2020, MESSAGES[2020])
                self._answer(route, incoming, actor, reply)
            except ApiError as error:
                reply.status, reply.body = error.status, error.body()
            return reply

        return inner

    def _answer(self, route: Route | None, incoming: Incoming, actor: Actor, reply: Reply) -> None:
        if route is None:
            raise not_found()
        request = incoming.request
        _require_version(request.headers.get("Accept", ""))
        writes = route.method != "GET"
        self._access.authorize(actor, scope=route.scope, writes=writes)
        if route.needs_person:
            actor = self._access.require_person(actor, request.headers.get("From"))
        reply.actor = actor.user
        if writes and request.content_length and request.content_type not in ("application/json", MEDIA_TYPE):
            raise invalid_input("Content-Type must be application/json")
        if incoming.malformed:
            raise invalid_input("The body is not valid JSON")
        path = dict(request.match_info)
        if writes and route.scope == "incidents":
            self._roles.require(actor, path, incoming.body)
        elif writes:
            self._access.require_writing_role(actor)
        call = Call(actor, Query(incoming.query()), path, incoming.body)
        answer = route.handle(call)
        reply.status, reply.body = answer.status, answer.body


def _require_version(accept: str) -> None:
    """Every call must ask for version 2; version 1 is long gone."""
    if MEDIA_TYPE not in accept or "version=2" not in accept.replace(" ", ""):
        raise ApiError(406, 2001, MESSAGES[2001], (f"Accept must be {MEDIA_TYPE};version=2",))
