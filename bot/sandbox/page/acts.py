"""What a person does on the page: some of the fakes' own verbs, with a sentence when one is refused.

Everything done is kept for the story (`story.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from bot.sandbox.page.story import Story
from bot.sandbox.page.trouble import Trouble
from bot.sandbox.pagerduty import ApiError, FakePagerDuty, Incident
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.control import perform

Json = dict[str, Any]
# What a person could do in Slack; the rest of /control (tokens, scopes, single faults) is for tests.
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
_UNTOLD = ("options",)
FASTEST = 1000.0


class Acts:
    """Carries out acts and answers how they went. `tell` says to every open page what to look at again."""

    def __init__(
        self,
        slack: FakeSlack,
        pagerduty: FakePagerDuty,
        trouble: Trouble,
        story: Story,
        tell: Callable[[Json], None],
    ) -> None:
        self._slack = slack
        self._pagerduty = pagerduty
        self._trouble = trouble
        self._story = story
        self._tell = tell

    async def in_slack(self, request: web.Request) -> web.Response:
        verb = request.match_info["verb"]
        if verb not in _SLACK:
            return web.json_response({"error": f"The page has no verb {verb!r}."}, status=404)
        body = await _object(request)
        if body is None:
            return web.json_response({"error": "The body must be a JSON object."}, status=400)
        if verb in _UNTOLD:
            return await perform(self._slack.verbs[verb], body)
        step = self._story.begin("slack", verb, body)
        answer = await perform(self._slack.verbs[verb], body)
        if answer.status != 200:
            self._story.forget(step)
        return answer

    async def in_pagerduty(self, request: web.Request) -> web.Response:
        verbs: dict[str, Callable[..., Incident]] = {
            "trigger": self._pagerduty.trigger,
            "act": self._pagerduty.act,
        }
        name = request.match_info["verb"]
        body = await _object(request)
        if name == "speed" and body is not None:
            return self._speed(body)
        verb = verbs.get(name)
        if verb is None or body is None:
            return web.json_response({"error": "PagerDuty's half knows trigger, act and speed."}, status=404)
        step = self._story.begin("pagerduty", name, body)
        try:
            incident = verb(**body)
        except ApiError as problem:
            said = f"PagerDuty refuses: {'; '.join([problem.message, *problem.errors])}."
        except (TypeError, KeyError, ValueError) as problem:
            said = f"Something is missing: {problem}."
        else:
            self._story.end(step, (incident.id,) if name == "trigger" else ())
            return web.json_response({"id": incident.id, "number": incident.number})
        self._story.forget(step)
        return web.json_response({"error": said}, status=400)

    async def in_trouble(self, request: web.Request) -> web.Response:
        """Break things, and mend them."""
        verb, body = request.match_info["verb"], await _object(request)
        if verb not in ("switch", "storm", "mend") or body is None:
            return web.json_response({"error": "Trouble knows switch, storm and mend."}, status=404)
        step = self._story.begin("trouble", verb, body)
        made: tuple[str, ...] = ()
        try:
            match verb:
                case "switch":
                    self._trouble.switch(str(body["name"]), on=bool(body["on"]))
                case "storm":
                    made = tuple(incident.id for incident in self._trouble.storm(int(body["count"])))
                case _:
                    self._trouble.mend()
        except KeyError as missing:
            said = f"Something is missing: {missing}."
        except (LookupError, TypeError, ValueError) as problem:
            said = str(problem)
        else:
            self._story.end(step, made)
            self._tell({"part": "trouble"})
            return web.json_response(self._trouble.view())
        self._story.forget(step)
        return web.json_response({"error": said}, status=400)

    def _speed(self, body: Json) -> web.Response:
        """How many times faster PagerDuty's durations pass; those already running are shortened too."""
        life = self._pagerduty.lifecycle
        try:
            speed = float(body["speed"])
        except (KeyError, TypeError, ValueError):
            speed = 0.0
        if not 1 <= speed <= FASTEST:
            return web.json_response({"error": f"Time runs 1 to {FASTEST:g} times as fast."}, status=400)
        factor, now = life.speed / speed, life.clock()
        life.speed = speed
        for incident in self._pagerduty.state.open.values():
            incident.escalate_at = _sooner(incident.escalate_at, now, factor)
            incident.unacknowledge_at = _sooner(incident.unacknowledge_at, now, factor)
            incident.resolve_at = _sooner(incident.resolve_at, now, factor)
            life.timers.watch(incident)
        self._tell({"part": "pagerduty"})
        return web.json_response({"speed": speed})


def _sooner(at: datetime | None, now: datetime, factor: float) -> datetime | None:
    return None if at is None else now + max(at - now, timedelta(0)) * factor


async def _object(request: web.Request) -> Json | None:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
