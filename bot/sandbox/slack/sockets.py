"""Socket Mode: websockets instead of signed HTTP. Each payload goes to one of the open connections."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.slack.answers import Json, SlackError

MOST_CONNECTIONS = 10


class Sockets:
    """The open connections, and the envelopes that wait for their ack."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._open: list[web.WebSocketResponse] = []
        self._waiting: dict[str, tuple[web.WebSocketResponse, asyncio.Future[Any]]] = {}
        self._turn = 0

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def new_url(self, origin: str) -> str:
        """A websocket URL good for one connection, as `apps.connections.open` hands out."""
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return f"{origin.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self._app_id}"

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """The websocket itself: hello, then acks until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.json_response(SlackError("invalid_auth").answer(), status=403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self._open) >= MOST_CONNECTIONS:
            await self._goodbye(socket, "too_many_websockets")
            return socket
        self._open.append(socket)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._open),
                "connection_info": {"app_id": self._app_id},
                "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060},
            }
        )
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acked(message.data)
        finally:
            self._gone(socket)
        return socket

    async def deliver(self, kind: str, payload: Json, retry: tuple[int, str] | None = None) -> Any:
        """Send to the next connection in turn and wait for its ack; the ack's payload.

        Raises ConnectionError when no connection is open, or the one chosen closes before it acks.
        """
        if not self._open:
            raise ConnectionError("no socket is open")
        self._turn += 1
        socket = self._open[self._turn % len(self._open)]
        envelope: Json = {
            "envelope_id": secrets.token_hex(16),
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {
                "retry_attempt": retry[0] if retry else 0,
                "retry_reason": retry[1] if retry else "",
            }
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = (socket, answered)
        try:
            await socket.send_json(envelope)
            return await answered
        finally:
            self._waiting.pop(envelope["envelope_id"], None)

    async def disconnect(self, reason: str = "refresh_requested", *, every: bool = False) -> None:
        """Tell one connection (or each) to go away, and close it unless it is only a warning."""
        for socket in list(self._open) if every else self._open[:1]:
            await self._goodbye(socket, reason)

    async def close_all(self) -> None:
        for socket in list(self._open):
            await socket.close()

    async def _goodbye(self, socket: web.WebSocketResponse, reason: str) -> None:
        await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})
        if reason != "warning":
            self._gone(socket)
            await socket.close()

    def _acked(self, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            return
        if not isinstance(ack, dict):
            return
        _, answered = self._waiting.get(str(ack.get("envelope_id")), (None, None))
        if answered is not None and not answered.done():
            answered.set_result(ack.get("payload"))

    def _gone(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)
        for owner, answered in self._waiting.values():
            if owner is socket and not answered.done():
                answered.set_exception(ConnectionError("the socket closed before it acked"))
