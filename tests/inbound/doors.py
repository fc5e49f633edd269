"""A handler behind real HTTP on the loopback, for the tests of one door at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

HOST = "127.0.0.1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(
    *routes: tuple[str, str, Handler], host: str = HOST, client_max_size: int = 1024**2
) -> AsyncIterator[str]:
    """The origin of a server with these routes (method, path, handler)."""
    application = web.Application(client_max_size=client_max_size)
    for method, path, handler in routes:
        application.router.add_route(method, path, handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0).start()
        port = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        await runner.cleanup()


async def first_line(origin: str, request: bytes) -> str:
    """The status line that answers these bytes: for requests that no HTTP library would send."""
    host, _, port = origin.removeprefix("http://").rpartition(":")
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
    return line.decode()
