"""Serves the page: its files, its view of both fakes, and what a person does on it."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.page.acts import Acts
from bot.sandbox.page.stream import Stream
from bot.sandbox.page.view import PageView
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.answers import SlackError

STATIC = Path(__file__).parent / "static"
# The page runs its own scripts and styles and nothing else; pictures may come from where a message says.
POLICY = (
    "default-src 'self'; img-src 'self' data: https: http:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class Page:
    """One page for whoever is at the keyboard; which person that is, it says itself with each request."""

    def __init__(self, slack: FakeSlack, pagerduty: FakePagerDuty) -> None:
        self._view = PageView(slack, pagerduty)
        self._acts = Acts(slack, pagerduty)
        self._stream = Stream(slack, pagerduty)
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
        app.router.add_get("/", self._index)
        app.router.add_static("/static/", STATIC)
        app.router.add_get("/view/workspace", self._workspace)
        app.router.add_get("/view/channel/{channel}", self._channel)
        app.router.add_get("/view/surfaces", self._surfaces)
        app.router.add_get("/view/pagerduty", self._pagerduty)
        app.router.add_get("/stream", self._stream.serve)
        app.router.add_post("/do/slack/{verb}", self._acts.in_slack)
        app.router.add_post("/do/pagerduty/{verb}", self._acts.in_pagerduty)
        return app

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _workspace(self, request: web.Request) -> web.Response:
        return web.json_response(self._view.workspace(_reader(request)))

    async def _channel(self, request: web.Request) -> web.Response:
        return web.json_response(self._view.channel(request.match_info["channel"], _reader(request)))

    async def _surfaces(self, request: web.Request) -> web.Response:
        return web.json_response(self._view.surfaces(_reader(request)))

    async def _pagerduty(self, _request: web.Request) -> web.Response:
        return web.json_response(self._view.pagerduty())


def _reader(request: web.Request) -> str:
    return request.query.get("user", "")


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
    if not response.prepared:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-cache"
    return response
