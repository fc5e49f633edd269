"""Webhook deliveries over real HTTP: signed, in order per incident, retried, given up, and a subscription
disabled.

Real rules: an answer outside 2xx within 5 s is a failure; timeouts, connection errors, 5xx and 429 are
retried with growing gaps for 48 hours while later webhooks for the same incident wait behind; any other 4xx
drops the webhook, and three drops in a row disable the subscription and lose its queue.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Literal

import aiohttp

from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.journal import Exchange, Journal
from bot.sandbox.pagerduty.state import Incident, Json, State
from bot.sandbox.pagerduty.subscriptions import DROPS_UNTIL_DISABLED, Subscription, Subscriptions

GAPS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0)  # seconds between tries; PagerDuty does not publish its own
GIVE_UP_AFTER = 48 * 3600.0  # seconds
TIMEOUT = 5.0  # seconds
DISABLED_FOR = 24 * 3600.0  # seconds
CONNECTIONS = 50

Mode = Literal["deliver", "drop", "delay", "duplicate", "shuffle", "hold"]
Tell = Callable[[str, Json, str | None], None]


@dataclass
class Webhook:
    subscription: Subscription
    event_type: str
    event_id: str
    incident: str | None
    raw: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    tries: int = 0


class Deliveries:
    """`speed` divides the gaps between tries, the 48 hours and the 24 hours; an answer still has 5 s."""

    def __init__(
        self,
        state: State,
        subscriptions: Subscriptions,
        journal: Journal,
        clock: Clock,
        tell: Tell,
        *,
        speed: float = 1.0,
    ) -> None:
        self._state = state
        self._subscriptions = subscriptions
        self._journal = journal
        self._clock = clock
        self._tell = tell
        self._speed = speed
        self.timeout = TIMEOUT
        self.mode: Mode = "deliver"
        self.delay = 0.0  # seconds, for the modes delay and shuffle
        self._random = random.Random(7)
        self._held: list[Webhook] = []
        self._queues: dict[tuple[str, str], deque[Webhook]] = {}
        self._on_their_way = 0
        # Not the connector's limit: waiting for a connection must not eat the 5 s an answer has.
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    # ── what goes in ──

    def publish(self, body: Json, incident: Incident | None) -> None:
        """Queue an event for every subscription that wants it."""
        event = body["event"]
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        for subscription in self._subscriptions.all():
            if subscription.temporarily_disabled:
                continue
            if subscription.wants(event["event_type"], incident, event["data"], self._state):
                self._accept(self._webhook(subscription, event, incident, raw))

    def send_to(self, subscription: Subscription, body: Json) -> None:
        """Queue one event for one subscription whatever it wants: a ping."""
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        self._accept(self._webhook(subscription, body["event"], None, raw))

    @staticmethod
    def _webhook(subscription: Subscription, event: Json, incident: Incident | None, raw: bytes) -> Webhook:
        about = incident.id if incident else None
        return Webhook(subscription, event["event_type"], event["id"], about, raw)

    def _accept(self, webhook: Webhook) -> None:
        match self.mode:
            case "drop":
                self._report("lost", webhook)
            case "hold":
                self._held.append(webhook)
            case "delay":
                self._spawn(self._later(webhook, self.delay))
            case "shuffle":
                self._spawn(self._later(webhook, self._random.uniform(0, self.delay or 1.0), in_order=False))
            case "duplicate":
                self._enqueue(webhook)
                self._enqueue(replace(webhook))
            case "deliver":
                self._enqueue(webhook)

    def set_mode(self, mode: Mode, *, seconds: float = 0.0) -> None:
        self.mode = mode
        self.delay = seconds

    def release(self, *, shuffled: bool = False) -> int:
        """Send what was held, in order or shuffled (then without waiting in line); returns how many."""
        held, self._held = self._held, []
        self.mode = "deliver"
        if shuffled:
            self._random.shuffle(held)
        for webhook in held:
            if shuffled:
                self._spawn(self._later(webhook, 0, in_order=False))
            else:
                self._enqueue(webhook)
        return len(held)

    def waiting(self) -> int:
        """How many webhooks are queued, held or on their way."""
        return len(self._held) + self._on_their_way + sum(len(queue) for queue in self._queues.values())

    async def _later(self, webhook: Webhook, seconds: float, *, in_order: bool = True) -> None:
        self._on_their_way += 1
        try:
            await asyncio.sleep(seconds)
            if in_order:
                self._enqueue(webhook)
            else:
                await self._deliver(webhook)
        finally:
            self._on_their_way -= 1

    # ── how it goes out ──

    def _enqueue(self, webhook: Webhook) -> None:
        key = (webhook.subscription.id, webhook.incident or "")
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = deque()
            self._spawn(self._drain(key, queue))
        queue.append(webhook)

    async def _drain(self, key: tuple[str, str], queue: deque[Webhook]) -> None:
        self._on_their_way += 1
        try:
            while queue:
                await self._deliver(queue.popleft())
        finally:
            self._on_their_way -= 1
            if self._queues.get(key) is queue:
                del self._queues[key]

    async def _deliver(self, webhook: Webhook) -> None:
        """Try until it is taken, dropped or 48 hours old."""
        subscription = webhook.subscription
        waited = 0.0
        while not subscription.temporarily_disabled and self._subscriptions.get(subscription.id):
            async with self._free:
                status = await self._post(webhook)
            if status is not None and 200 <= status < 300:
                subscription.drops_in_a_row = 0
                self._report("delivered", webhook)
                return
            retried = status is None or status == 429 or status >= 500
            if not retried or waited >= GIVE_UP_AFTER:
                self._drop(webhook)
                return
            gap = GAPS[min(webhook.tries - 1, len(GAPS) - 1)]
            waited += gap
            self._report("retrying", webhook)
            await asyncio.sleep(gap / self._speed)

    async def _post(self, webhook: Webhook) -> int | None:
        """The status of one try, or None when no answer came."""
        assert self._session is not None
        webhook.tries += 1
        subscription = webhook.subscription
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "user-agent": "PagerDuty-Webhook/V3.0",
            "x-webhook-id": webhook.id,
            "x-webhook-subscription": subscription.id,
            "x-pagerduty-signature": subscription.signature(webhook.raw),
            **{str(h["name"]): str(h["value"]) for h in subscription.custom_headers},
        }
        at, loop = self._clock(), asyncio.get_running_loop()
        began = loop.time()
        status: int | None = None
        answer = ""
        try:
            async with self._session.post(
                subscription.url,
                data=webhook.raw,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
                allow_redirects=False,
            ) as response:
                status = response.status
                answer = await response.text(errors="replace")
        except TimeoutError:
            answer = "no answer in time"
        except aiohttp.ClientError as error:
            answer = type(error).__name__
        self._journal.add(
            Exchange(
                direction="out",
                at=at,
                method="POST",
                path=subscription.url,
                query={},
                headers=headers,
                body=json.loads(webhook.raw),
                status=status,
                answer=answer,
                actor=None,
                milliseconds=(loop.time() - began) * 1000,
            )
        )
        return status

    def _drop(self, webhook: Webhook) -> None:
        subscription = webhook.subscription
        subscription.drops_in_a_row += 1
        self._report("dropped", webhook)
        if subscription.drops_in_a_row >= DROPS_UNTIL_DISABLED:
            self.disable(subscription)

    def disable(self, subscription: Subscription) -> None:
        """For a day, as PagerDuty does after three drops in a row; what waits is lost."""
        subscription.temporarily_disabled = True
        for key, queue in self._queues.items():
            if key[0] == subscription.id:
                queue.clear()
        self._held = [w for w in self._held if w.subscription is not subscription]
        self._tell("webhook.disabled", {"subscription": subscription.id}, None)
        self._spawn(self._enable_later(subscription))

    async def _enable_later(self, subscription: Subscription) -> None:
        await asyncio.sleep(DISABLED_FOR / self._speed)
        self.enable(subscription)

    def enable(self, subscription: Subscription) -> None:
        subscription.temporarily_disabled = False
        subscription.drops_in_a_row = 0

    def _report(self, outcome: str, webhook: Webhook) -> None:
        body = {
            "subscription": webhook.subscription.id,
            "event_type": webhook.event_type,
            "event": webhook.event_id,
            "tries": webhook.tries,
        }
        self._tell(f"webhook.{outcome}", body, webhook.incident)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
