"""The bot as one aiohttp application: opened in order, closed in reverse, nothing global.

`build_app` only declares; what connects is opened when the application starts (bot/wiring) and closed when
it stops, after the requests under way were answered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

from aiohttp import web

from bot.command.catalog import Catalog
from bot.inbound.health import MetricsPage
from bot.inbound.install import INSTALL_PATH, REDIRECT_PATH
from bot.inbound.linking import ROUTES as LINK_ROUTES
from bot.inbound.linking import Door
from bot.inbound.pagerduty import PATH
from bot.inbound.reading import LARGEST
from bot.settings import Settings
from bot.wiring import Bot, open_bot

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BOT: web.AppKey[Bot] = web.AppKey("bot", Bot)
SLACK_PATH = "/slack/events"


def build_app(settings: Settings, catalog: Catalog) -> web.Application:
    """Everything behind one port; with METRICS_PORT, metrics behind another."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            bot = await open_bot(settings, catalog, stack)
            app[BOT] = bot
            if settings.metrics_port is not None:
                await _open_metrics_port(bot, settings, stack)
            yield
            await bot.finish()

    app = web.Application(client_max_size=LARGEST)
    app.cleanup_ctx.append(life)
    app.router.add_get("/health/live", _to(lambda bot: bot.health.live))
    app.router.add_get("/health/ready", _to(lambda bot: bot.health.ready))
    app.router.add_post(PATH, _to(lambda bot: bot.webhooks))
    if not settings.socket_mode:
        app.router.add_post(SLACK_PATH, _to(lambda bot: bot.slack))
    if settings.links_people:
        for method, path, door in LINK_ROUTES:
            app.router.add_route(method, path, _to_link(door))
    if settings.installs:
        app.router.add_get(INSTALL_PATH, _to(lambda bot: bot.install))
        app.router.add_get(REDIRECT_PATH, _to(lambda bot: bot.install_return))
    if settings.metrics_port is None:
        app.router.add_get("/metrics", _to(lambda bot: MetricsPage(bot.metrics, guarded=True)))
    return app


def _to(part: Callable[[Bot], Handler]) -> Handler:
    """The part of the open bot that answers a path."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await part(request.app[BOT])(request)

    return handle


def _to_link(door: Door) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        doors = request.app[BOT].linking
        assert doors is not None  # these routes are there only where people link
        return await door(doors)(request)

    return handle


async def _open_metrics_port(bot: Bot, settings: Settings, stack: AsyncExitStack) -> None:
    app = web.Application()
    app.router.add_get("/metrics", MetricsPage(bot.metrics, guarded=False).__call__)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, settings.bind_host, settings.metrics_port).start()
