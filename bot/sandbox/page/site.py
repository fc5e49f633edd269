"""Serves the page: its files, its view of both fakes, and what a person does on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.page.acts import Acts
from bot.sandbox.page.story import Story
from bot.sandbox.page.stream import Stream
from bot.sandbox.page.telling import tell
from bot.sandbox.page.trouble import Trouble
from bot.sandbox.page.view import MOST_INCIDENTS, PageView
from bot.sandbox.page.wire import Wire
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.answers import SlackError

Json = dict[str, Any]
Verbs = Sequence[Json]
"""The bot's words for completion: `verb`, `usage` and `summary` of each."""
Inspect = Callable[[str], Awaitable[Sequence[Json]]]
"""What the bot's database holds on a channel's messages: plain rows, each with the `ts` it is about."""

STATIC = Path(__file__).parent / "static"
# The page runs its own scripts and styles and nothing else; pictures may come from where a message says.
POLICY = (
    "default-src 'self'; img-src 'self' data: https: http:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class Page:
    """One page for whoever is at the keyboard; which person that is, it says itself with each request."""

    def __init__(
        self,
        slack: FakeSlack,
        pagerduty: FakePagerDuty,
        *,
        verbs: Verbs = (),
        inspect: Inspect | None = None,
        hidden: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._view = PageView(slack, pagerduty)
        self._trouble = Trouble(slack, pagerduty)
        self._story = Story(slack, pagerduty)
        self._stream = Stream(slack, pagerduty, self._trouble.saw)
        self._acts = Acts(slack, pagerduty, self._trouble, self._story, self._stream.tell)
        self._wire = Wire(slack, pagerduty, hidden)
        self.verbs = verbs
        self.inspect = inspect
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> str:
        """Listen; the page's URL. Raises OSError when the port is taken."""
        self._stream.start()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._stream.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[_careful])
        router = app.router
        router.add_get("/", self._index)
        router.add_static("/static/", STATIC)
        router.add_get("/view/workspace", _json(lambda r: self._view.workspace(_reader(r))))
        router.add_get("/view/channel/{channel}", _json(self._channel))
        router.add_get("/view/thread/{channel}/{ts}", _json(self._thread))
        router.add_get("/view/surfaces", _json(lambda r: self._view.surfaces(_reader(r))))
        router.add_get("/view/pagerduty", _json(self._pagerduty))
        router.add_get("/view/verbs", _json(lambda _r: {"verbs": list(self.verbs)}))
        router.add_get("/view/trouble", _json(lambda _r: self._trouble.view()))
        router.add_get("/view/wire", _json(lambda r: self._wire.newest(r.query.get("find", ""))))
        router.add_get("/view/wire/{id}", _json(lambda r: self._wire.exchange(r.match_info["id"])))
        router.add_get("/view/rows/{channel}", self._rows)
        router.add_get("/view/story", _json(lambda _r: {"text": tell(self._story)}))
        router.add_get("/stream", self._stream.serve)
        router.add_post("/do/slack/{verb}", self._acts.in_slack)
        router.add_post("/do/pagerduty/{verb}", self._acts.in_pagerduty)
        router.add_post("/do/trouble/{verb}", self._acts.in_trouble)
        return app

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    def _channel(self, request: web.Request) -> Json:
        channel, user, query = request.match_info["channel"], _reader(request), request.query
        if "only" in query:
            return self._view.messages(channel, user, query["only"].split(","))
        return self._view.channel(channel, user, before=query.get("before", ""))

    def _thread(self, request: web.Request) -> Json:
        return self._view.thread(request.match_info["channel"], _reader(request), request.match_info["ts"])

    def _pagerduty(self, request: web.Request) -> Json:
        most = request.query.get("most", "")
        return self._view.pagerduty(
            find=request.query.get("find", ""), most=int(most) if most.isdecimal() else MOST_INCIDENTS
        )

    async def _rows(self, request: web.Request) -> web.Response:
        """`known` is false when nobody lends the page the bot's database."""
        rows = await self.inspect(request.match_info["channel"]) if self.inspect else ()
        return web.json_response({"known": self.inspect is not None, "rows": list(rows)})


def _reader(request: web.Request) -> str:
    return request.query.get("user", "")


def _json(look: Callable[[web.Request], Json]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(look(request))

    return handle


@web.middleware
async def _careful(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only this page may act: other sites cannot send JSON here unasked, and a rebound name is refused."""
    if request.url.host not in ("127.0.0.1", "localhost", "::1"):
        return web.json_response({"error": "Open the page by 127.0.0.1 or localhost."}, status=403)
    if request.method == "POST" and request.content_type != "application/json":
        return web.json_response({"error": "Send JSON."}, status=415)
    try:
        response = await handler(request)
    except SlackError as problem:
        response = web.json_response({"error": problem.code}, status=404)
    except LookupError as problem:
        response = web.json_response({"error": str(problem)}, status=404)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-cache"
    return response
