"""Every call to PagerDuty's REST API goes through here: timeouts, repeats, rate limits, failures.

Between bot/pagerduty/client.py and the wire. What is repeated, and when:

    429, or no connection came about      always: nothing has happened
    5xx, 408, no answer, connection lost  what is safe to repeat; of other writes the outcome is unknown, and
                                          the failure says `maybe_done`
    401 to a person's own token           once, with the token its owner gives instead: nothing has happened
    any other answer                      never

Waiting is exponential backoff with full jitter, unless PagerDuty says for how long. Whoever calls gives a
deadline; a wait that would pass it is a failure at once.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import structlog

from bot import outbound
from bot.errors import NotOursAnyMore, PagerDutyUnauthorized, PagerDutyUnavailable
from bot.model import MadeCall
from bot.pagerduty import paging
from bot.pagerduty.answers import Answer, Reply, read
from bot.pagerduty.credentials import AccountKey, Budget, Credentials, UserToken
from bot.pagerduty.exchange import exchange
from bot.pagerduty.journal import Journal
from bot.pagerduty.limiter import Left, Limiter, Rank, retry_after
from bot.pagerduty.paths import path_template
from bot.pagerduty.tally import Tally
from bot.pagerduty.their_clock import TheirClock
from bot.pagerduty.wire import HARMLESS, Params, address, headers

__all__ = ["AccountKey", "Answer", "Credentials", "PagerDutyHttp", "Params", "UserToken"]

CALL_SECONDS = 15.0
DEADLINE_SECONDS = 30.0
FIRST_BACKOFF = 0.25  # seconds; doubles with every try
LONGEST_BACKOFF = 8.0
MOST_TRIES = 5
MAX_IN_FLIGHT = 8
FREE_FOR_PEOPLE = (
    2  # of those in flight: while PagerDuty is slow, what is read in the background fills the rest
)

OnCall = Callable[[str, str, int, float], None]
"""Told of every try: method, path template, status (0: no answer came), seconds."""

OnEnd = Callable[[str, str, float], None]
"""Told of every request once all its tries are over: whose it was (a Rank's word), how it ended, and which
share of the time it was given it took. Ends: answered, refused, unavailable, too_late (another try, or the
limit, would have passed the deadline) and cancelled.
"""

log = structlog.get_logger("pagerline.pagerduty")


@dataclass(slots=True)
class _Call:
    """One request, with what its tries share."""

    method: str
    url: str
    template: str
    credentials: Credentials
    headers: Mapping[str, str]
    body: bytes | None
    repeatable: bool
    ends: float
    journal: Journal | None = None
    tries: int = 0
    unsure: bool = False  # an earlier try may have been carried out
    renewed: bool = False
    late: bool = False  # it would have gone on, had there been time

    @property
    def is_write(self) -> bool:
        return self.method not in HARMLESS

    @property
    def rank(self) -> Rank:
        if self.is_write:
            return Rank.ACT
        return Rank.BACKGROUND if self.credentials.in_background else Rank.READ


def open_session(*, trust_env: bool = False) -> aiohttp.ClientSession:
    """The one session all calls to PagerDuty share; the caller closes it. Call inside the running loop.

    `trust_env` lets HTTPS_PROXY and NO_PROXY count. Each call brings its own timeout.
    """
    return outbound.open_session(trust_env=trust_env)


class PagerDutyHttp:
    """Calls over a session that the caller opens and closes. Raises the kinds of PagerDutyFailure, and where
    a person's token turns out to be over whatever its `renew` raises (NotLinked), and what a journal forbids
    to send (NotOursAnyMore); nothing else.

    `clock` gives UTC for `sent_at`, `timer` monotonic seconds, `sleep` waits: tests pass their own. `on_call`
    and `on_end` count, `tally` by identity; `is_silent`: whether a call to this address is to find nobody (a
    rehearsal, bot/delivery/rehearsed.py). Seconds throughout.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        api_url: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_call: OnCall | None = None,
        on_end: OnEnd | None = None,
        tally: Tally | None = None,
        is_silent: Callable[[str], bool] | None = None,
        max_in_flight: int = MAX_IN_FLIGHT,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._session = session
        self._origin = api_url
        self._timer = timer
        self._on_call = on_call
        self._on_end = on_end
        self._tally = tally
        self._is_silent = is_silent
        self._call_seconds = call_seconds
        self._in_flight = asyncio.Semaphore(max_in_flight)
        self._in_background = asyncio.Semaphore(max(1, max_in_flight - FREE_FOR_PEOPLE))
        self._limiter = Limiter(timer)
        self.their_clock = TheirClock(timer)
        self.clock = clock
        self.sleep = sleep

    async def request(
        self,
        method: str,
        path: str,
        credentials: Credentials,
        *,
        params: Params | None = None,
        body: Any = None,
        sender: str | None = None,
        further: Mapping[str, str] | None = None,
        retry_safe: bool = False,
        deadline: float = DEADLINE_SECONDS,
        journal: Journal | None = None,
    ) -> Answer:
        """One request, repeated where that is safe.

        `body`: JSON. `sender`: the e-mail for `From`. `further`: other headers. `retry_safe`: this write may
        be done twice without harm (a GET always may). `deadline`: for everything together. `journal`: where a
        write's answer is kept. Raises PagerDutyUnavailable with `maybe_done` for a write that may have been
        carried out.
        """
        call = _Call(
            method=method,
            url=address(self._origin, path, params),
            template=path_template(path),
            credentials=credentials,
            headers=headers(credentials, sender, with_body=body is not None, further=further),
            body=None if body is None else json.dumps(body).encode(),
            repeatable=retry_safe or method in HARMLESS,
            ends=self._timer() + deadline,
            journal=journal,
        )
        began, end = self._timer(), "refused"
        try:
            answer = await self._answered(call)
            end = "answered"
            return answer
        except PagerDutyUnavailable:
            end = "too_late" if call.late or self._timer() >= call.ends else "unavailable"
            raise
        except (asyncio.CancelledError, NotOursAnyMore):
            end = "cancelled"
            raise
        finally:
            if self._on_end is not None:
                self._on_end(call.rank.value, end, (self._timer() - began) / max(0.001, call.ends - began))

    def budgets(self) -> Mapping[str, Left]:
        """What is left of PagerDuty's limit in this minute, by kind of token (`account`, `person`): of the
        one that has least, where PagerDuty told anything lately.
        """
        found: dict[str, Left] = {}
        for who, left in self._limiter.left():
            kind = who.kind if isinstance(who, Budget) else "account"
            found[kind] = min(left, found.get(kind, left), key=lambda one: one.share)
        return found

    async def _answered(self, call: _Call) -> Answer:
        """Try until it is answered or there is no more to try."""
        while True:
            call.tries += 1
            try:
                return await self._try(call)
            except PagerDutyUnauthorized:
                if not await self._renewed(call):
                    raise
            except PagerDutyUnavailable as failure:
                call.unsure = call.unsure or failure.maybe_done
                if (call.unsure and not call.repeatable) or not await self._waited(call, failure):
                    failure.maybe_done = call.unsure
                    raise

    async def pages(
        self,
        path: str,
        credentials: Credentials,
        key: str,
        *,
        params: Params | None = None,
        journal: Journal | None = None,
    ) -> AsyncIterator[paging.Page]:
        """Every page of a list by offset, up to the 10,000th entry; each page has its own deadline."""
        async for page in paging.pages(self._getter(credentials, journal), path, key, params or {}):
            yield page

    async def one_page(
        self, path: str, credentials: Credentials, key: str, *, params: Params, offset: int
    ) -> paging.Page:
        """The page of a list that begins at `offset`."""
        return await paging.one_page(self._getter(credentials), path, key, params, offset=offset)

    async def cursor_pages(
        self, path: str, credentials: Credentials, key: str, *, params: Params | None = None
    ) -> AsyncIterator[paging.Page]:
        """Every page of a list that is read by cursor."""
        async for page in paging.cursor_pages(self._getter(credentials), path, key, params or {}):
            yield page

    def _getter(self, credentials: Credentials, journal: Journal | None = None) -> paging.Get:
        async def get(path: str, params: Params) -> Answer:
            return await self.request("GET", path, credentials, params=params, journal=journal)

        return get

    # -------------------------------------------------------------------------------------------- one try

    async def _try(self, call: _Call) -> Answer:
        """Send it once there is a place for it, and the limit leaves it one."""
        if self._is_silent is not None and self._is_silent(call.url):
            raise PagerDutyUnavailable("PagerDuty is away, for a rehearsal")
        who = call.credentials.budget
        while True:
            await self._wait_for_limit(call)
            async with self._place(call):
                # What was in flight meanwhile may have told that there is nothing left.
                if self._limiter.blocked(who, call.rank):
                    continue
                if spread := self._limiter.take(who, call.rank):
                    await self.sleep(min(spread, max(0.0, call.ends - self._timer())))
                # Here and no sooner: a newer token, the limit and other calls in flight take their time.
                if call.journal is not None:
                    call.journal.about_to_send(call.method)
                began, reply = self._timer(), None
                try:
                    reply = await self._send(call)
                finally:
                    self._count(call, reply, self._timer() - began)
                self._limiter.learn(who, reply.headers)
                self.their_clock.hear(reply.headers)
                if reply.status == 429:
                    self._limiter.exhausted(who, retry_after(reply.headers) or 0.0)
                return read(reply, is_write=call.is_write)

    async def _wait_for_limit(self, call: _Call) -> None:
        while (seconds := self._limiter.blocked(call.credentials.budget, call.rank)) > 0:
            if seconds >= call.ends - self._timer():
                raise PagerDutyUnavailable("PagerDuty is limiting requests", status=429, retry_after=seconds)
            await self.sleep(seconds)

    @asynccontextmanager
    async def _place(self, call: _Call) -> AsyncIterator[None]:
        """One of those that may be in flight."""
        async with AsyncExitStack() as places:
            try:
                async with asyncio.timeout(max(0.0, call.ends - self._timer())):
                    if call.rank is Rank.BACKGROUND:
                        await places.enter_async_context(self._in_background)
                    await places.enter_async_context(self._in_flight)
            except TimeoutError:
                raise PagerDutyUnavailable("Too many requests to PagerDuty are waiting") from None
            yield

    async def _send(self, call: _Call) -> Reply:
        return await exchange(
            self._session,
            call.method,
            call.url,
            headers=call.headers,
            body=call.body,
            seconds=max(0.05, min(self._call_seconds, call.ends - self._timer())),
            clock=self.clock,
        )

    async def _renewed(self, call: _Call) -> bool:
        """Go on with a newer token; False when there is none. The time it takes is not the call's."""
        credentials = call.credentials
        if call.renewed or not isinstance(credentials, UserToken) or credentials.renew is None:
            return False
        call.renewed = True
        began = self._timer()
        newer = await credentials.renew()
        call.ends += self._timer() - began
        call.credentials = newer
        call.headers = {**call.headers, "Authorization": newer.authorization}
        return True

    async def _waited(self, call: _Call, failure: PagerDutyUnavailable) -> bool:
        """Wait before the next try; False when there is to be none."""
        backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (call.tries - 1))
        seconds = failure.retry_after if failure.retry_after is not None else random.uniform(0, backoff)
        more = call.tries < MOST_TRIES
        call.late = more and seconds >= call.ends - self._timer()
        again = more and not call.late
        log.warning(
            "pagerduty_call_failed",
            method=call.method,
            path=call.template,
            status=failure.status,
            code=failure.code,
            request_id=failure.request_id,
            reason=str(failure),
            tries=call.tries,
            again_in=round(seconds, 2) if again else None,
        )
        if again:
            await self.sleep(seconds)
        return again

    def _count(self, call: _Call, reply: Reply | None, seconds: float) -> None:
        status = reply.status if reply else 0
        if self._on_call is not None:
            self._on_call(call.method, call.template, status, seconds)
        if self._tally is not None:
            for identity in call.credentials.counted_as:
                self._tally.count(identity, status)
        if call.journal is not None:
            request_id = reply.request_id if reply else None
            call.journal.called(MadeCall(call.method, call.template, status, request_id, round(seconds, 3)))
        log.debug(
            "pagerduty_call",
            method=call.method,
            path=call.template,
            status=status,
            request_id=reply.request_id if reply else None,
            seconds=round(seconds, 3),
        )
