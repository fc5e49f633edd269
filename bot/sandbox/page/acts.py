"""What a person does on the page: some of the fakes' own verbs, with a sentence when one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox.pagerduty import ApiError, FakePagerDuty, Incident
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.control import perform

# What a person could do in Slack; the rest of /control (faults, tokens, limits) is for tests.
_SLACK = (
    "action",
    "close",
    "command",
    "invite",
    "kick",
    "message",
    "open_home",
    "options",
    "submit",
)


class Acts:
    """Carries out acts and answers how they went."""

    def __init__(self, slack: FakeSlack, pagerduty: FakePagerDuty) -> None:
        self._slack = slack
        self._pagerduty = pagerduty

    async def in_slack(self, request: web.Request) -> web.Response:
        verb = request.match_info["verb"]
        if verb not in _SLACK:
            return web.json_response({"error": f"The page has no verb {verb!r}."}, status=404)
        body = await _object(request)
        if body is None:
            return web.json_response({"error": "The body must be a JSON object."}, status=400)
        return await perform(self._slack.verbs[verb], body)

    async def in_pagerduty(self, request: web.Request) -> web.Response:
        verbs: dict[str, Callable[..., Incident]] = {
            "trigger": self._pagerduty.trigger,
            "act": self._pagerduty.act,
        }
        verb = verbs.get(request.match_info["verb"])
        body = await _object(request)
        if verb is None or body is None:
            return web.json_response({"error": "PagerDuty's half knows trigger and act."}, status=404)
        try:
            incident = verb(**body)
        except ApiError as problem:
            said = f"PagerDuty refuses: {'; '.join([problem.message, *problem.errors])}."
            return web.json_response({"error": said}, status=400)
        except (TypeError, KeyError, ValueError) as problem:
            return web.json_response({"error": f"Something is missing: {problem}."}, status=400)
        return web.json_response({"id": incident.id, "number": incident.number})


async def _object(request: web.Request) -> dict[str, Any] | None:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
