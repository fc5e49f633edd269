"""`/health/live`, `/health/ready` and `/metrics`: what load balancers, people and Prometheus ask.

Ready means: the store answers and its schema is new enough for this code. What is wrong elsewhere (Slack's
token, PagerDuty away) is said in the body but stays 200, because the intake must go on.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.errors import StoreUnavailable
from bot.metrics import Metrics

FORWARDED = ("forwarded", "x-forwarded-", "x-real-ip")  # how header names begin that proxies add
STORE_SECONDS = 5.0  # a database that takes longer is away


class Health:
    """`store_problem` gives a reason not to be ready, or None; `complaints` what else is wrong, in words."""

    def __init__(
        self,
        *,
        store_problem: Callable[[], Awaitable[str | None]],
        complaints: Callable[[], list[str]],
        store_seconds: float = STORE_SECONDS,
    ) -> None:
        self._store_problem = store_problem
        self._complaints = complaints
        self._store_seconds = store_seconds

    async def live(self, request: web.Request) -> web.Response:
        """The process runs and its loop turns."""
        del request
        return web.json_response({"status": "live"})

    async def ready(self, request: web.Request) -> web.Response:
        """503 while the store is away or its schema is older than this code needs."""
        del request
        try:
            async with asyncio.timeout(self._store_seconds):
                problem = await self._store_problem()
        except StoreUnavailable as away:
            problem = str(away)
        except TimeoutError:
            problem = f"The database has not answered for {self._store_seconds:g} s."
        if problem:
            return web.json_response({"status": "not ready", "problems": [problem]}, status=503)
        complaints = self._complaints()
        return web.json_response({"status": "degraded" if complaints else "ready", "problems": complaints})


class MetricsPage:
    """On the bot's own port it answers loopback only, and never a request that came through a proxy."""

    def __init__(self, metrics: Metrics, *, guarded: bool) -> None:
        self._metrics = metrics
        self._guarded = guarded

    async def __call__(self, request: web.Request) -> web.Response:
        """Prometheus' text format, or 403."""
        if self._guarded and not _comes_from_here(request):
            return web.Response(
                status=403, text="Metrics are for this machine only. Set METRICS_PORT to open a port."
            )
        return web.Response(
            body=self._metrics.exposition(), headers={"Content-Type": self._metrics.content_type}
        )


def _comes_from_here(request: web.Request) -> bool:
    if any(name.lower().startswith(FORWARDED) for name in request.headers):
        return False
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return False
    # A socket that listens on IPv6 and IPv4 sees 127.0.0.1 as ::ffff:127.0.0.1.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
