"""What stands before the replicas, as a proxy does for people who run two: one address, whoever is up.

It passes every request on to one of them, and notices a little late that one is away: then it answers 503
where nobody was there, 502 where the answer was lost, or waits until whoever asked has given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import aiohttp
from aiohttp import web

from tests.stories.office import HOST, free_port

LONGEST = 10.0  # seconds; Slack and PagerDuty give up long before
NOBODY = 503  # the request has reached no bot: it can be made again
LARGEST = 4 * 2**20  # bytes
HOP = frozenset({"host", "content-length", "connection", "transfer-encoding", "content-encoding", "date"})


class Proxy:
    """`choose` gives the port of a replica, for each request anew."""

    def __init__(self, choose: Callable[[], int]) -> None:
        self._choose = choose
        self.port = free_port()
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        # A connection of its own for each request: one that was kept would lead to whoever was up then.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
            timeout=aiohttp.ClientTimeout(total=LONGEST),
            trust_env=False,
        )
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        try:
            async with self._session.request(
                request.method,
                f"http://{HOST}:{self._choose()}{request.path_qs}",
                data=await request.read(),
                headers=headers,
                allow_redirects=False,
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)
        except aiohttp.ClientConnectorError:
            return web.Response(status=NOBODY, text="nobody is there")
        except (aiohttp.ClientError, TimeoutError):
            return web.Response(status=502, text="the answer was lost")
