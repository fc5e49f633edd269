"""`POST /pagerduty/webhook`: verified, committed, answered 202; everything else happens afterwards.

Where PagerDuty's events come in. What each status means to PagerDuty (its webhook documentation, "Webhook
behavior"): 2xx taken; other 4xx dropped at once, and three dropped in a row disable the subscription for a
day; 5xx retried for 48 hours. So a signature that is well formed but matches none of our secrets is answered
503: a wrongly rotated secret must not lose an event. So is one from an address that is not on PagerDuty's
list (where that is checked): the list may have changed before we heard of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import structlog
from aiohttp import web

from bot.errors import StoreUnavailable
from bot.events import Event
from bot.inbound.legacy_webhooks import LegacyDoor
from bot.inbound.reading import Unreadable, read_body
from bot.inbound.secrets import Secrets
from bot.inbound.sources import SourceCheck
from bot.metrics import Metrics
from bot.pagerduty.webhooks import NotAWebhook, Verdict, parse, verify

PATH = "/pagerduty/webhook"
NOTICE = "signature:"  # what was told of a subscription; `check` reads it too
TELL_AFTER = 3  # wrongly signed deliveries of a subscription we know, with none verified between them
TELL_GAP = 60.0  # seconds before the admins are told again when nobody was reached
LOOKUP_GAP = 1.0  # seconds between look-ups of who sends wrong signatures: strangers can send them too
LOG_GAP = 60.0  # seconds between log lines about deliveries that anybody can send
SUBSCRIPTION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
MOST_SUBSCRIPTIONS = 256  # remembered as well; an account has far fewer

log = structlog.get_logger("pagerline.webhook")


class SignatureAlarm:
    """Tells the admins, once, that a subscription we know signs with a secret we do not have; `tell_admins`
    says False when it reached nobody, and then a later delivery tells them.

    Anyone can send a wrong signature: only a subscription that was verified before counts, and only while
    nothing of it has verified since.
    """

    def __init__(
        self,
        *,
        heard_from: Callable[[str], Awaitable[bool]],
        tell_admins: Callable[[str, str], Awaitable[bool]],
        settle: Callable[[str], Awaitable[object]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._heard_from = heard_from
        self._tell_admins = tell_admins
        self._settle = settle
        self._clock = clock
        self._failures: dict[str, int] = {}
        self._told: set[str] = set()
        self._well: set[str] = set()
        self._next_lookup = self._next_line = self._next_note = float("-inf")

    async def mismatch(self, subscription_id: str | None) -> None:
        """A well-formed signature matched none of our secrets. Raises StoreUnavailable."""
        if self._clock() >= self._next_line:
            self._next_line = self._clock() + LOG_GAP
            log.warning("webhook_signature_unknown", subscription=subscription_id)
        if subscription_id is None or (
            subscription_id not in self._failures and not await self._is_ours(subscription_id)
        ):
            return
        self._failures[subscription_id] = self._failures.get(subscription_id, 0) + 1
        if self._failures[subscription_id] >= TELL_AFTER and subscription_id not in self._told:
            await self._tell(subscription_id)

    async def verified(self, subscription_id: str | None) -> None:
        """A delivery verified: whatever was wrong with this subscription is over. Raises StoreUnavailable."""
        if subscription_id is None:
            return
        self._failures.pop(subscription_id, None)
        if subscription_id in self._well and subscription_id not in self._told:
            return
        # The first one since our start counts too: the admins were told to restart us.
        await self._settle(NOTICE + subscription_id)
        self._told.discard(subscription_id)
        if len(self._well) < MOST_SUBSCRIPTIONS:
            self._well.add(subscription_id)

    async def _tell(self, subscription_id: str) -> None:
        if self._clock() < self._next_note:
            return
        told = await self._tell_admins(
            NOTICE + subscription_id,
            f"PagerDuty's webhook subscription {subscription_id} signs with a secret I do not have. "
            "PagerDuty keeps retrying for 48 hours, so nothing is lost yet: add its secret to "
            "PAGERDUTY_WEBHOOK_SECRETS and restart me.",
        )
        if told:
            self._told.add(subscription_id)
        else:
            # Each delivery waits for Slack meanwhile.
            self._next_note = self._clock() + TELL_GAP

    async def _is_ours(self, subscription_id: str) -> bool:
        if self._clock() < self._next_lookup:
            return False
        self._next_lookup = self._clock() + LOOKUP_GAP
        return await self._heard_from(subscription_id)


class Accept(Protocol):
    """Commits an event, then returns whether it was known before."""

    async def __call__(self, event: Event) -> bool: ...


class WebhookDoor:
    """The handler of PagerDuty's deliveries."""

    def __init__(
        self,
        *,
        secrets: Secrets,
        accept: Accept,
        ranks: Callable[[], Mapping[str, int]],
        after: Callable[[Event], None],
        alarm: SignatureAlarm,
        metrics: Metrics,
        legacy: LegacyDoor,
        sources: SourceCheck | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secrets = secrets
        self._accept = accept
        self._ranks = ranks
        self._after = after
        self._alarm = alarm
        self._metrics = metrics
        self._legacy = legacy
        self._sources = sources
        self._clock = clock
        self._store_is_away = False

    async def __call__(self, request: web.Request) -> web.Response:
        """202 after the commit; the module's docstring says what else."""
        if self._sources is not None and self._sources.refuses(request):
            return self._answer(503, "foreign_source", "This address is not one of PagerDuty's.")
        try:
            raw = await read_body(request)
        except Unreadable as refusal:
            return self._answer(refusal.status, refusal.outcome, refusal.text)
        try:
            return await self._judge(raw, request)
        except StoreUnavailable as away:
            self._say_store_is_away(away)
            return self._answer(503, "store_away", "The database cannot take it right now: try again.")

    async def _judge(self, raw: bytes, request: web.Request) -> web.Response:
        """By its signature; what has none may be of the kind that never had one."""
        signature = request.headers.get("X-PagerDuty-Signature")
        if signature is None and (told := await self._legacy.answer(raw, request)):
            return self._answer(told.status, told.outcome, told.text)
        if verify(raw, signature, ()) is Verdict.MISSING_OR_MALFORMED:
            return self._answer(401, "unsigned", "X-PagerDuty-Signature is missing or malformed.")
        header = request.headers.get("X-Webhook-Subscription", "")
        subscription_id = header if SUBSCRIPTION_ID.fullmatch(header) else None
        verdict = verify(raw, signature, await self._secrets.now())
        if verdict is Verdict.NO_MATCH:
            verdict = verify(raw, signature, await self._secrets.newer())
        if verdict is Verdict.NO_MATCH:
            await self._alarm.mismatch(subscription_id)
            return self._answer(
                503, "unknown_secret", "The signature matches none of the secrets configured here."
            )
        return await self._take(raw, request, subscription_id)

    async def _take(self, raw: bytes, request: web.Request, subscription_id: str | None) -> web.Response:
        try:
            event = parse(raw, request.headers, self._ranks())
        except NotAWebhook as problem:
            log.warning("webhook_not_understood", reason=str(problem))
            return self._answer(400, "not_a_webhook", str(problem))
        duplicate = await self._accept(event)
        self._store_is_away = False
        lag = None if duplicate else self._clock() - event.occurred_at.timestamp()
        self._after(event)
        try:
            await self._alarm.verified(subscription_id)
        except StoreUnavailable as away:
            # The event is safe, which is what the answer is about; the next delivery settles the matter.
            log.warning("webhook_alarm_not_settled", reason=str(away))
        return self._answer(202, "duplicate" if duplicate else "accepted", "Taken.", lag=lag)

    def _say_store_is_away(self, away: StoreUnavailable) -> None:
        if not self._store_is_away:
            log.error("webhook_store_away", reason=str(away))
        self._store_is_away = True

    def _answer(self, status: int, outcome: str, text: str, *, lag: float | None = None) -> web.Response:
        self._metrics.webhook(outcome, lag=lag)
        return web.Response(status=status, text=text)
