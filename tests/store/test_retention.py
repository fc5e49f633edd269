"""What is old goes and the database stays bounded; what is open, shown or pointed at stays."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select, update

from bot.model import Status
from bot.store.database import Database
from bot.store.people_tables import audit, intents, link_tickets, notices, usage
from bot.store.retention import DAY, Days, Retention
from bot.store.tables import events, incidents, leases, messages, shown, thread_lines
from tests.store.acts import an_act
from tests.store.conftest import Store
from tests.store.news import a_note
from tests.store.seeding import CHECKOUT, SEARCH, Seed, StillDatabase, a_line, an_incident, opened, resolved

ALL = (incidents, events, messages, shown, thread_lines, intents, audit, usage, notices, leases)


@pytest.fixture
async def seed(database_url: str) -> AsyncIterator[Seed]:
    async with opened(database_url, StillDatabase) as database:
        yield Seed(database)


async def retire(database: Database, days: Days | None = None) -> Counter[str]:
    """One round in small batches; rows by table."""
    deleted: Counter[str] = Counter()
    async for batch in Retention(database, days or Days(), rows=7, together=3).batches():
        deleted[batch.table] += batch.rows
    return deleted


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as connection:
        return {table.name: await _count(connection, table) for table in ALL}


async def _count(connection: Any, table: Table) -> int:
    return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def ids(database: Database, table: Table) -> set[Any]:
    async with database.read() as connection:
        return set((await connection.execute(select(next(iter(table.primary_key))))).scalars())


def later(seed: Seed, days: float) -> None:
    seed.database.clock_offset += days * DAY


async def shown_everywhere(seed: Seed, name: str, *, status: Status = Status.RESOLVED) -> list[int]:
    """An incident that two channels show as it is, with a line in each thread; its messages."""
    await seed.incident(an_incident(name, status=status))
    rows = [
        await seed.message(name, channel, ts=f"{n}.{name}", shown_revision=1)
        for n, channel in enumerate((CHECKOUT, SEARCH))
    ]
    for row in rows:
        await seed.line(row, a_line(), name, ts="9.1")
    return rows


async def an_intent(database: Database, key: str, state: str) -> None:
    now = database.now_sql
    row = {
        "key": key,
        "team_id": "T0ACME",
        "user_id": "U0ALICE",
        "surface": "slash",
        "verb": "ack",
        "words": "ack 1",
        "state": state,
        "created_at": now(),
        "finished_at": now() if state == "done" else None,
        "expires_at": now(120),
    }
    async with database.write() as connection:
        await connection.execute(insert(intents).values(row))


# ------------------------------------------------------------------------------------------------- the year


async def test_a_year_leaves_a_bounded_database_and_every_open_incident_its_message(seed: Seed) -> None:
    """Two incidents a week with all that belongs to them, one open from the first day to the last."""
    database = seed.database
    (open_one, _) = await shown_everywhere(seed, "QOPEN", status=Status.ACKNOWLEDGED)
    biggest: Counter[str] = Counter()
    for week in range(52):
        for n in range(2):
            await shown_everywhere(seed, f"Q{week}x{n}")
        await _acts(database, week)
        later(seed, 7)
        await retire(database)
        biggest |= Counter(await counts(database))
    # 90 days are 13 weeks; one more until the round comes.
    assert biggest["incidents"] <= 2 * 14 + 1
    assert biggest["messages"] == biggest["shown"] == biggest["thread_lines"] <= 4 * 14 + 2
    assert biggest["events"] <= 4 * 14 + 2
    assert biggest["intents"] <= 3 * 2
    assert biggest["usage"] <= 2 * 3
    assert biggest["notices"] <= 14
    assert biggest["leases"] <= 2
    assert biggest["audit"] == 52 * 3  # 400 days
    assert open_one in await ids(database, messages)
    assert await seed.shown(open_one) == (1, "looks")


async def _acts(database: Database, week: int) -> None:
    for n in range(3):
        await an_intent(database, f"{week}:{n}", "done")
    now = database.now_sql
    async with database.write() as connection:
        rows = [an_act(words=f"ack {n}") for n in range(3)]
        for row in rows:
            await connection.execute(insert(audit).values(**row | {"accepted_at": now(), "done_at": now()}))
        for identity in ("account", "T0ACME:U0ALICE"):
            await connection.execute(insert(usage).values(identity=identity, hour=now(), calls=3, refused=0))
        await connection.execute(insert(notices).values(key=f"told:{week}", told_at=now()))
        await connection.execute(
            insert(leases).values(name=f"escalate:{week}", holder="gone", until=now(), fence=1)
        )


async def test_a_row_that_went_leaves_its_id_to_nobody(seed: Seed) -> None:
    """Slack keeps it in the old message, and a press on that must not find another one's row."""
    before = await shown_everywhere(seed, "Q1")
    later(seed, 100)
    await retire(seed.database)
    assert await counts(seed.database) == dict.fromkeys((table.name for table in ALL), 0)
    assert min(await shown_everywhere(seed, "Q2")) > max(before)


# ------------------------------------------------------------------------------------------------ what stays


async def test_what_is_young_stays(seed: Seed) -> None:
    await shown_everywhere(seed, "Q1")
    later(seed, 89)
    assert await retire(seed.database) == {}


async def test_for_ever_is_for_ever(seed: Seed) -> None:
    await shown_everywhere(seed, "Q1")
    await _acts(seed.database, 1)
    later(seed, 4000)
    deleted = await retire(seed.database, Days(events=0, audit=0))
    assert set(deleted) == {"intents", "usage", "notices", "leases"}


async def test_news_and_readings_keep_an_incident(seed: Seed) -> None:
    for name, column in (("Q1", "accepted_at"), ("Q2", "read_at"), ("Q3", "heard_at")):
        await shown_everywhere(seed, name)
        later(seed, 80)
        async with seed.database.write() as connection:
            await connection.execute(
                update(incidents).where(incidents.c.id == name).values({column: seed.database.now_sql()})
            )
        later(seed, 20)
        await retire(seed.database)
        assert name in await ids(seed.database, incidents)


async def test_what_waits_to_be_read_stays(seed: Seed) -> None:
    await shown_everywhere(seed, "Q1")
    async with seed.database.write() as connection:
        await connection.execute(update(incidents).values(stale_seq=1))
    later(seed, 100)
    assert "incidents" not in +await retire(seed.database)


@pytest.mark.parametrize(
    "waits",
    [
        {"ts": None},
        {"ts": "1.1", "shown_revision": None},
        {"ts": "1.1", "shown_revision": 0},
        {"ts": None, "posting_ago": 60.0},
    ],
)
async def test_a_message_that_is_not_true_yet_is_kept_twice_as_long(
    seed: Seed, waits: dict[str, Any]
) -> None:
    await seed.incident(resolved(an_incident("Q1")))
    await seed.message("Q1", **waits)
    later(seed, 100)
    assert not +await retire(seed.database)
    later(seed, 81)
    assert await retire(seed.database) == {"incidents": 1}
    assert await counts(seed.database) == dict.fromkeys((table.name for table in ALL), 0)


async def test_a_line_that_is_not_said_yet_keeps_its_message_too(seed: Seed) -> None:
    await seed.incident(resolved(an_incident("Q1")))
    row = await seed.message("Q1", ts="1.1", shown_revision=1)
    await seed.line(row, a_line())
    later(seed, 100)
    assert not +await retire(seed.database)


async def test_a_gone_message_goes_while_others_still_ask_for_its_incident(seed: Seed) -> None:
    first, second = await shown_everywhere(seed, "Q1")
    async with seed.database.write() as connection:
        await connection.execute(
            update(messages).where(messages.c.id == first).values(gone=seed.database.now_sql())
        )
    later(seed, 100)
    async with seed.database.write() as connection:
        await connection.execute(update(incidents).values(read_at=seed.database.now_sql()))
    assert (await retire(seed.database))["messages"] == 1
    assert await ids(seed.database, messages) == {second}


async def test_a_gone_message_of_an_open_incident_stays(seed: Seed) -> None:
    """It may be posted again, once: the row remembers that."""
    await seed.incident(an_incident("Q1"))
    await seed.message("Q1", ts="1.1", shown_revision=1, gone=seed.database.now_sql())
    later(seed, 1000)
    assert not +await retire(seed.database)


async def test_a_page_goes_when_all_it_shows_is_over_and_its_incidents_after_it(seed: Seed) -> None:
    for name, status in (("Q1", Status.RESOLVED), ("Q2", Status.TRIGGERED)):
        await seed.incident(an_incident(name, status=status))
    async with seed.database.write() as connection:
        now = seed.database.now_sql()
        row = {"team_id": "T0ACME", "channel_id": "C0CHECK", "kind": "page", "ts": "1.1", "made_at": now}
        made = await connection.execute(insert(messages).values(row).returning(messages.c.id))
        page = made.scalar_one()
        for name in ("Q1", "Q2"):
            await connection.execute(
                insert(shown).values(message_id=page, incident_id=name, revision=1, hash="x")
            )
    later(seed, 100)
    assert not +await retire(seed.database)
    await seed.incident(resolved(an_incident("Q2")))
    later(seed, 1)
    assert +await retire(seed.database) == {"messages": 1, "incidents": 1}
    assert await ids(seed.database, incidents) == {"Q2"}


async def test_one_event_of_each_subscription_stays(seed: Seed) -> None:
    """It says that we have heard from it, whenever that was."""
    now = seed.database.now_sql()
    async with seed.database.write() as connection:
        for n in range(20):
            row = {
                "event_id": f"E{n}",
                "subscription_id": f"PWEBHK{n % 2}",
                "type": "service.updated",
                "occurred_at": now,
                "received_at": now,
                "applied": False,
                "raw": "{}",
            }
            await connection.execute(insert(events).values(row))
    later(seed, 100)
    assert (await retire(seed.database))["events"] == 18
    assert not +await retire(seed.database)


async def test_what_has_not_ended_stays_and_what_a_link_waits_for(seed: Seed) -> None:
    database = seed.database
    for state in ("waiting", "started", "linking"):
        await an_intent(database, state, state)
    await an_intent(database, "asked", "done")
    async with database.write() as connection:
        ident = (await connection.execute(select(intents.c.id).where(intents.c.key == "asked"))).scalar_one()
        now = database.now_sql()
        ticket = {"ticket_hash": "t", "team_id": "T0ACME", "user_id": "U0ALICE", "intent_id": ident}
        await connection.execute(insert(link_tickets).values(**ticket, created_at=now, expires_at=now))
    later(seed, 1000)
    assert not +await retire(database)


# --------------------------------------------------------------------------------------------- beside others


async def test_news_of_what_is_just_being_deleted_is_taken_all_the_same(store: Store) -> None:
    """Whoever comes first: the event is kept, and its incident is known (again)."""
    database = store.database
    seed = Seed(database)
    names = [f"Q{n}" for n in range(40)]
    for name in names:
        await shown_everywhere(seed, name)
    await _age(database, 100)

    async def news(name: str) -> bool:
        return (await store.incidents.accept(a_note(500, name, f"Again {name}"))).poisoned

    poisoned, *_ = await asyncio.gather(
        asyncio.gather(*(news(name) for name in names)), retire(database), retire(database)
    )
    assert not any(poisoned)
    assert await ids(database, incidents) == set(names)
    kept = {row.event_id for row in await store.events()}
    assert {f"note-Again {name}" for name in names} <= kept
    await retire(database)
    assert await ids(database, incidents) == set(names)


async def _age(database: Database, days: float) -> None:
    """Everything happened so long ago."""
    async with database.write() as connection:
        for column in (incidents.c.accepted_at, events.c.received_at, messages.c.made_at):
            await connection.execute(update(column.table).values({column: column - days * DAY}))
