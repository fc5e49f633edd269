"""`POST /control/<verb>`: everything a person, an admin or bad luck can do, for tests and for curl.

Bodies are JSON objects; the keys are those of `FakeSlack`'s methods of the same name. A verb that delivers
something answers what the bot answered: `{status, body, milliseconds, failure}`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.slack.acting import CannotAct
from bot.sandbox.slack.answers import Json, SlackError

Verb = Callable[..., Any]


class Control:
    """Turns a POST into a call of the verb, and what the verb raises into a sentence."""

    def __init__(self, verbs: Mapping[str, Verb]) -> None:
        self._verbs = dict(verbs)

    async def handle(self, request: web.Request) -> web.Response:
        name = request.match_info["verb"]
        verb = self._verbs.get(name)
        if verb is None:
            known = ", ".join(sorted(self._verbs))
            return _refused(404, f"There is no verb {name!r}. There are: {known}.")
        try:
            raw = await request.text()
            body = json.loads(raw) if raw.strip() else {}
        except ValueError as problem:
            return _refused(400, f"The body is not JSON: {problem}.")
        if not isinstance(body, dict):
            return _refused(400, "The body must be a JSON object.")
        return await perform(verb, body)


async def perform(verb: Verb, arguments: Json) -> web.Response:
    """Call a verb with JSON arguments; 400 with a sentence when it cannot be done."""
    try:
        inspect.signature(verb).bind(**arguments)
    except TypeError as problem:
        return _refused(400, f"{problem}. Expected: {', '.join(_wanted(verb))}.")
    try:
        result = verb(**arguments)
        if isinstance(result, Awaitable):
            result = await result
    except SlackError as problem:
        return _refused(400, problem.code, problem.messages)
    except (CannotAct, LookupError, ValueError) as problem:
        return _refused(400, str(problem))
    return web.json_response(_plain(result))


def _wanted(verb: Verb) -> list[str]:
    optional = inspect.Parameter.empty
    parameters = inspect.signature(verb).parameters.values()
    return [p.name if p.default is optional else f"{p.name}?" for p in parameters]


def _plain(result: Any) -> Any:
    if result is None:
        return {"ok": True}
    if hasattr(result, "as_json"):
        return result.as_json()
    if isinstance(result, list):
        return [_plain(item) for item in result]
    return result


def _refused(status: int, problem: str, messages: list[str] | None = None) -> web.Response:
    return web.json_response({"ok": False, "error": problem, "messages": messages or []}, status=status)
