"""The door to the bot: signed HTTP or a socket, three seconds to answer, retries for events only."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.events import envelope, name_of
from bot.sandbox.slack.journal import Exchange, Journal
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.tokens import Tokens

Kind = Literal["slash_commands", "interactive", "events_api"]
ANSWER_SECONDS = 3.0
RETRY_GAPS = (0.0, 60.0, 300.0)
DEFAULT_EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "channel_archive",
        "channel_left",
        "channel_unarchive",
        "group_archive",
        "group_left",
        "group_unarchive",
        "member_joined_channel",
        "message.im",
        "tokens_revoked",
    }
)


@dataclass(frozen=True)
class Delivered:
    """What the bot answered. `failure` is what a person sees instead (`operation_timeout`, …)."""

    status: int | None
    body: Any
    milliseconds: float
    failure: str | None = None
    headers: dict[str, str] | None = None

    def as_json(self) -> Json:
        return {
            "status": self.status,
            "body": self.body,
            "milliseconds": round(self.milliseconds, 2),
            "failure": self.failure,
        }


@dataclass(frozen=True)
class Parcel:
    """One thing to deliver; sending it again sends the same body."""

    kind: Kind
    name: str
    payload: Json
    actor: str | None = None

    def body(self) -> tuple[str, bytes]:
        """Content type and body as Slack sends them over HTTP."""
        if self.kind == "events_api":
            return "application/json", json.dumps(self.payload).encode()
        fields = self.payload if self.kind == "slash_commands" else {"payload": json.dumps(self.payload)}
        return "application/x-www-form-urlencoded", urlencode(fields).encode()


class Delivery:
    """Sends parcels to the bot. `speed` divides the gaps between retries and nothing else; `answer_seconds`
    may be longer than Slack's own, for who tests on a busy machine.
    """

    def __init__(
        self,
        workspace: Workspace,
        journal: Journal,
        tokens: Tokens,
        clock: Callable[[], float],
        *,
        speed: float = 1.0,
    ) -> None:
        self._workspace = workspace
        self._journal = journal
        self._tokens = tokens
        self._clock = clock
        self._speed = speed
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.sockets = Sockets(workspace.world.app_id)
        self.url: str | None = None
        self.subscribed: set[str] = set(DEFAULT_EVENTS)
        self.sent: list[Parcel] = []
        self.answer_seconds = ANSWER_SECONDS

    def connect(self, bot_url: str) -> None:
        self.url = bot_url.rstrip("/") + "/slack/events"

    async def start(self) -> None:
        self._session = aiohttp.ClientSession()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def sign(self, body: bytes, timestamp: int | None = None) -> dict[str, str]:
        """The two headers that prove a body to the bot: HMAC-SHA256 over `v0:timestamp:body`."""
        stamp = str(int(self._clock()) if timestamp is None else timestamp)
        digest = hmac.new(
            self._tokens.signing_secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256
        )
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest.hexdigest()}"}

    async def send(self, parcel: Parcel, retry: tuple[int, str] | None = None) -> Delivered:
        """Deliver once and wait for the answer."""
        self.sent.append(parcel)
        del self.sent[:-1000]
        entry = Exchange(
            "delivery",
            datetime.fromtimestamp(self._clock(), UTC),
            "POST",
            self.url or "",
            body=parcel.payload,
            name=parcel.name,
            actor=parcel.actor,
        )
        if retry:
            entry.headers = {"x-slack-retry-num": str(retry[0]), "x-slack-retry-reason": retry[1]}
        self._journal.append(entry)
        began = time.perf_counter()
        if self.sockets.connected:
            entry.method, entry.path = "WS", "socket"
            status, body, headers, failure = await self._over_socket(parcel, retry)
        else:
            status, body, headers, failure = await self._over_http(parcel, entry)
        entry.milliseconds = (time.perf_counter() - began) * 1000
        entry.status, entry.answer = status or 0, body
        return Delivered(status, body, entry.milliseconds, failure, headers)

    async def event(self, event: Json) -> Delivered:
        """Deliver an event the app subscribes to; failures are retried in the background, three times."""
        if name_of(event) not in self.subscribed:
            return Delivered(None, None, 0.0)
        whole = envelope(self._workspace, event, self._tokens.verification_token)
        parcel = Parcel("events_api", name_of(event), whole, event.get("user"))
        first = await self.send(parcel)
        if first.failure and not _asks_for_no_retry(first):
            self._in_background(self._retry(parcel, first))
        return first

    def announce(self, event: Json) -> None:
        """Deliver an event without waiting: it follows from something the bot itself did."""
        if self.url or self.sockets.connected:
            self._in_background(self.event(event))

    async def verify_url(self, challenge: str) -> Delivered:
        """The question Slack asks when a request URL is saved; a good answer holds the challenge."""
        payload = {
            "token": self._tokens.verification_token,
            "challenge": challenge,
            "type": "url_verification",
        }
        return await self.send(Parcel("events_api", "url_verification", payload))

    async def repeat(self, name: str | None = None) -> Delivered:
        """Send the last parcel (of this name) again, body unchanged. Raises LookupError without one."""
        for parcel in reversed(self.sent):
            if name in (None, parcel.name):
                return await self.send(parcel, (1, "http_timeout") if parcel.kind == "events_api" else None)
        raise LookupError(f"Nothing {f'of kind {name} ' if name else ''}was delivered yet; act first.")

    async def _retry(self, parcel: Parcel, last: Delivered) -> None:
        for number, gap in enumerate(RETRY_GAPS, 1):
            await asyncio.sleep(gap / self._speed)
            reason = "http_timeout" if last.failure == "operation_timeout" else "http_error"
            if last.status is None and last.failure != "operation_timeout":
                reason = "connection_failed"
            last = await self.send(parcel, (number, reason))
            if not last.failure or _asks_for_no_retry(last):
                return

    async def _over_http(
        self, parcel: Parcel, entry: Exchange
    ) -> tuple[int | None, Any, dict[str, str], str | None]:
        if self._session is None or self.url is None:
            return None, None, {}, "dispatch_failed"
        content_type, body = parcel.body()
        headers = {
            **entry.headers,
            **self.sign(body),
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        patience = aiohttp.ClientTimeout(total=self.answer_seconds)
        try:
            async with self._session.post(
                self.url, data=body, headers=headers, max_redirects=2, timeout=patience
            ) as answer:
                text = await answer.text()
                ok = 200 <= answer.status < 300
                return answer.status, _read(text), dict(answer.headers), None if ok else "dispatch_failed"
        except TimeoutError:
            return None, None, {}, "operation_timeout"
        except aiohttp.ClientError as problem:
            return None, str(problem), {}, "dispatch_failed"

    async def _over_socket(
        self, parcel: Parcel, retry: tuple[int, str] | None
    ) -> tuple[int | None, Any, dict[str, str], str | None]:
        try:
            answer = await asyncio.wait_for(
                self.sockets.deliver(parcel.kind, parcel.payload, retry), self.answer_seconds
            )
        except TimeoutError:
            return None, None, {}, "operation_timeout"
        except ConnectionError:
            return None, None, {}, "dispatch_failed"
        return 200, answer, {}, None

    def _in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _asks_for_no_retry(answer: Delivered) -> bool:
    return {k.lower(): v for k, v in (answer.headers or {}).items()}.get("x-slack-no-retry") == "1"


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
