"""Socket Mode: Slack's payloads over a websocket that we opened, to the same listeners as the HTTP door."""

from __future__ import annotations

from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp


class SocketFront:
    """Open it inside the running loop (its client starts tasks at once); close it on stop."""

    def __init__(self, app: AsyncApp, app_token: SecretStr) -> None:
        self._app = app
        self._token = app_token
        self._handler: AsyncSocketModeHandler | None = None

    async def connect(self) -> None:
        """Returns once connected; the SDK reconnects by itself afterwards."""
        self._handler = AsyncSocketModeHandler(self._app, self._token.get_secret_value())
        await self._handler.connect_async()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """Ends the websocket and its tasks; what was accepted goes on. Safe to call twice."""
        handler, self._handler = self._handler, None
        if handler is not None:
            await handler.close_async()  # type: ignore[no-untyped-call]

    async def is_connected(self) -> bool:
        """Whether Slack can reach us now."""
        return self._handler is not None and bool(await self._handler.client.is_connected())
