"""What a webhook, delivery's question and a sweep cost, whatever is open and however many channels follow
something.

Worlds of different sizes stand side by side and take turns; the smallest is the floor. Cost is processor time
of the bot and its database, which a busy machine hardly changes; PagerDuty's is not in it. Each channel
follows a service of its own, so that a new incident always means one message.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import psutil
from pydantic import SecretStr
from sqlalchemy import insert, literal, select, text, update

from bot.delivery.sweep import Sweep
from bot.events import Event
from bot.model import Channel, Incident, Reference, ScopeKind, Status, Subscription
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.store.batcher import Batcher
from bot.store.cursors import Cursors
from bot.store.database import Database
from bot.store.incidents import Incidents
from bot.store.leases import Leases
from bot.store.messages import NEWS, Messages
from bot.store.schema import migrate
from bot.store.storms import Storms
from bot.store.subscriptions import Subscriptions
from bot.store.tables import incidents, messages, shown
from bot.store.wake import Wake
from tests.bench.measures import Bench, Row
from tests.bench.processes import World, open_incidents, world
from tests.bench.requests import BODY_BYTES

OPEN = (100, 1_000, 10_000)
CHANNELS = (10, 100, 1_000)
OPEN_BESIDE_CHANNELS = 1_000
CHANNELS_BESIDE_OPEN = 100
ROUNDS = 20
TOGETHER = 100  # webhooks at once
QUESTIONS = 5
SETTLED = 20.0  # seconds
SERVICES = 10  # that these are about
FLAT = 0.2  # what a size may cost more or less than the smallest
LATER = 600.0  # seconds
LONG_AGO = 2 * NEWS.total_seconds()
TEAM = "T0ACME"
RAW = "x" * BODY_BYTES


@dataclass
class Sized:
    """A database with so many incidents open at PagerDuty, and channels that follow something."""

    open: int
    channels: int
    database: Database
    incidents: Incidents
    subscriptions: Subscriptions
    messages: Messages
    storms: Storms
    sweep: Sweep
    server: psutil.Process | None  # PostgreSQL's
    known: list[Incident] = field(default_factory=list)
    calls: int = 0

    def called(self, method: str, path: str, status: int, seconds: float) -> None:
        self.calls += 1

    def spent(self) -> float:
        """Seconds of processor time so far: ours, and PostgreSQL's (told in hundredths)."""
        ours = time.process_time()
        for process in self.server.children() if self.server else ():
            with suppress(psutil.NoSuchProcess):
                ours += sum(process.cpu_times()[:2])
        return ours

    async def fill(self) -> None:
        """Everything open is known, shown in one channel each, and was read just now."""
        for number in range(self.channels):
            await self.subscriptions.add(
                Subscription(
                    Channel(TEAM, f"C{number:05}"), ScopeKind.SERVICE, service(number), made_by="U0CAROL"
                )
            )
        await self.sweep.once(at_start=True)
        self.known = sorted(
            (await self.incidents.many(await self.incidents.open_ids())).values(), key=lambda one: one.id
        )
        if len(self.known) != self.open:
            raise RuntimeError(f"{len(self.known)} of {self.open} incidents are known")
        await self.show()
        # From now on the log is quiet: what the sweeps look back at is later than all this.
        self.database.clock_offset += LATER
        await self.sweep.once()

    async def show(self) -> None:
        """Everything open stands in one channel, as true as can be, and none of it is news."""
        stood = select(
            literal(TEAM),
            literal("CSTANDS"),
            literal("incident"),
            incidents.c.id,
            incidents.c.id,
            self.database.now_sql(),
        )
        into = ["team_id", "channel_id", "kind", "incident_id", "ts", "made_at"]
        true = select(messages.c.id, incidents.c.id, incidents.c.revision, literal(""), messages.c.made_at)
        async with self.database.write() as connection:
            await connection.execute(insert(messages).from_select(into, stood))
            await connection.execute(
                insert(shown).from_select(
                    ["message_id", "incident_id", "revision", "hash", "shown_at"],
                    true.join(incidents, incidents.c.id == messages.c.incident_id),
                )
            )
            await connection.execute(
                update(incidents).values(
                    read_at=incidents.c.read_at - LONG_AGO, heard_at=incidents.c.heard_at - LONG_AGO
                )
            )
            if self.server is not None:
                await connection.execute(text("ANALYZE"))  # as autovacuum has done by then


def service(number: int) -> Reference:
    """The one that this channel follows."""
    return Reference(f"PSVC{number:05}", f"Service {number}")


@asynccontextmanager
async def sized(url: str, around_it: World, open_: int, channels: int) -> AsyncIterator[Sized]:
    async with AsyncExitStack() as stack:
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        await migrate(database)
        session = await stack.enter_async_context(open_session())
        batcher, wake = Batcher(database), Wake(database)
        stack.push_async_callback(batcher.close)
        stack.push_async_callback(wake.close)
        known = Incidents(database, batcher, wake)
        made: list[Sized] = []

        def called(method: str, path: str, status: int, seconds: float) -> None:
            made[0].called(method, path, status, seconds)

        wire = PagerDutyHttp(session, around_it.pagerduty_url, on_call=called)
        reader = PagerDuty(wire, AccountKey(SecretStr(around_it.api_key))).in_background()
        sweep = Sweep(known, reader, Leases(database, "bench"), Cursors(database), seconds=0.001)
        subscriptions = Subscriptions(database, wake)
        server = await _server(database)
        shows = Messages(database), Storms(database)
        made.append(Sized(open_, channels, database, known, subscriptions, *shows, sweep, server))
        await made[0].fill()
        yield made[0]


async def _server(database: Database) -> psutil.Process | None:
    if database.dialect == "sqlite":
        return None
    async with database.read() as connection:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
    return psutil.Process(pid).parent()


# ----------------------------------------------------------------------------------------- what is measured

NUMBERS = itertools.count(1)


def told(incident: Incident, kind: str, status: Status) -> Event:
    """A webhook's event that changes it."""
    number = next(NUMBERS)
    return Event(
        id=f"01SCALE{number:019d}",
        webhook_id=f"scale-{number}",
        type=f"incident.{kind}",
        occurred_at=incident.created_at + timedelta(days=1, milliseconds=number),
        incident_id=incident.id,
        seen=replace(incident, status=status),
        raw=RAW,
    )


async def about_open(one: Sized) -> float:
    """Of webhooks about incidents that are known, others each time."""
    turn = next(NUMBERS)
    step = one.open // min(TOGETHER, one.open)
    some = [one.known[(turn + place * step) % one.open] for place in range(TOGETHER)]
    return await _news(one, some, turn)


async def _news(one: Sized, some: Sequence[Incident], turn: int) -> float:
    """Of acknowledging these, or of the contrary: one after the other."""
    kind, status = ("acknowledged", Status.ACKNOWLEDGED) if turn % 2 else ("unacknowledged", Status.TRIGGERED)
    events = [told(incident, kind, status) for incident in some]
    before = one.spent()
    await asyncio.gather(*map(one.incidents.accept, events))
    return one.spent() - before


async def about_new(one: Sized) -> float:
    """Of webhooks that open incidents, each wanted by one channel; they are closed again after it."""
    base = one.known[0]
    new = []
    for number in (next(NUMBERS) for _ in range(TOGETHER)):
        about = service(number % SERVICES)
        new.append(replace(base, id=f"QNEW{number:010}", number=10**6 + number, service=about))
    opened = [told(incident, "triggered", Status.TRIGGERED) for incident in new]
    before = one.spent()
    await asyncio.gather(*map(one.incidents.accept, opened))
    cost = one.spent() - before
    closed = [told(incident, "resolved", Status.RESOLVED) for incident in new]
    await asyncio.gather(*map(one.incidents.accept, closed))
    return cost


async def question(one: Sized) -> float:
    """Of asking at a hint what delivery is to do; the same hundred incidents have news."""
    await _news(one, one.known[:TOGETHER], next(NUMBERS))
    before = one.spent()
    for _ in range(QUESTIONS):
        await one.messages.due(SETTLED, news_only=True)
        await one.messages.due_lines(SETTLED)
        await one.storms.look(SETTLED)
    return one.spent() - before


async def sweep(one: Sized) -> float:
    """Of a sweep."""
    before, calls = one.spent(), one.calls
    if await one.sweep.once() is None:
        raise RuntimeError("the sweep was not its turn")
    cost = one.spent() - before
    if one.calls - calls > 3:
        raise RuntimeError(f"a sweep made {one.calls - calls} calls")
    return cost


Measured = Callable[[Sized], Awaitable[float]]

MEASURED: dict[str, Measured] = {
    f"{QUESTIONS} questions": question,  # first: what the others change is news, too
    f"{TOGETHER} webhooks, known": about_open,
    f"{TOGETHER} webhooks, new": about_new,
    "a sweep": sweep,
}


# ------------------------------------------------------------------------------------------------ the table


async def scale(bench: Bench) -> AsyncIterator[Row]:
    """Per webhook and per sweep, beside the same in the smallest world."""
    by_open = [(open_, CHANNELS_BESIDE_OPEN) for open_ in OPEN]
    by_channels = [(OPEN_BESIDE_CHANNELS, channels) for channels in CHANNELS]
    for kind in bench.databases():
        for sizes, word in ((by_open, "open"), (by_channels, "channels")):
            async for row in compared(bench, kind, sizes, word):
                yield row


async def compared(
    bench: Bench, kind: str, sizes: Sequence[tuple[int, int]], word: str
) -> AsyncIterator[Row]:
    """A row for each measure and each size but the smallest."""
    async with AsyncExitStack() as stack:
        worlds = []
        for open_, channels in sizes:
            around_it = await stack.enter_async_context(world(bench.folder))
            await open_incidents(around_it, open_)
            url = bench.databases()[kind]
            worlds.append(await stack.enter_async_context(sized(url, around_it, open_, channels)))
        # The worlds lie in this process: collecting garbage would go through them at random moments.
        gc.collect()
        gc.freeze()
        for what, measure in MEASURED.items():
            seconds = await _by_turns(worlds, measure)
            for one, cost in list(zip(worlds, seconds, strict=True))[1:]:
                size = one.open if word == "open" else one.channels
                yield _flat(f"{what}, {size:,} {word}, {kind}", seconds[0], cost)


async def _by_turns(worlds: Sequence[Sized], measure: Measured) -> list[float]:
    """The mean of each; the first round only warms up. Hundredths of a second add up to figures."""
    spent = [0.0 for _ in worlds]
    for turn in range(ROUNDS + 1):
        for place, one in enumerate(worlds):
            cost = await measure(one)
            spent[place] += cost if turn else 0.0
    return [seconds / ROUNDS for seconds in spent]


def _flat(what: str, smallest: float, seconds: float) -> Row:
    ratio = seconds / smallest
    figures = f"{smallest * 1000:,.2f} ms", f"{seconds * 1000:,.2f} ms"
    return Row(what, *figures, ratio, f"≤ {1 + FLAT:.1f}", ratio <= 1 + FLAT)
