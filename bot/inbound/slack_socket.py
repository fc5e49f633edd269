"""Socket Mode: Slack's payloads over a websocket that we opened, to the same listeners as the HTTP door.

Runs beside the requests, so that a bot whose Slack is away, or whose app token is wrong, still takes what
PagerDuty
sends. The SDK tries to connect for ever by itself; that it cannot is said once in the log, and by
/health/ready meanwhile.
"""

from __future__ import annotations

import asyncio
import logging

import structlog
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bot.background import rest

log = structlog.get_logger("pagerline.slack")

LOOK_SECONDS = 1.0
PROBLEM = (
    "Slack's websocket is not open, so nothing from Slack reaches me: check SLACK_APP_TOKEN "
    "(scope connections:write), and that this machine reaches Slack."
)


class SocketFront:
    """One websocket to Slack."""

    def __init__(self, app: AsyncApp, app_token: SecretStr, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._app = app
        self._token = app_token
        self._look_seconds = look_seconds
        self._connected: bool | None = None
        # The SDK logs a traceback at every try; what matters of it is said here, once.
        self._quiet = logging.getLogger("slack_sdk.socket_mode.quiet")
        self._quiet.setLevel(logging.CRITICAL)

    def problems(self) -> list[str]:
        """One line while Slack cannot reach us."""
        return [PROBLEM] if self._connected is False else []

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop`; what was accepted goes on. Call inside the running loop."""
        handler = AsyncSocketModeHandler(self._app, self._token.get_secret_value(), logger=self._quiet)
        connecting = asyncio.ensure_future(handler.connect_async())  # type: ignore[no-untyped-call]
        try:
            while not stop.is_set():
                await rest(stop, self._look_seconds)
                if connecting.done():
                    connecting.result()
                self._note(connected=bool(await handler.client.is_connected()))
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await handler.close_async()  # type: ignore[no-untyped-call]

    def _note(self, *, connected: bool) -> None:
        if connected is not self._connected:
            if connected:
                log.info("socket_open")
            else:
                log.warning("socket_not_open", problem=PROBLEM)
        self._connected = connected
