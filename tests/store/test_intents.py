"""An accepted act is remembered once, run by one, and found again when its holder is gone."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from bot.errors import StoreUnavailable
from bot.model import SlackUser
from bot.store.audit import Audit, Entry
from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.intent_steps import DONE, EXPIRED, FAILED, STARTED, WAITING, Intent, NewIntent
from bot.store.intents import Intents
from bot.store.people_tables import audit, intents
from bot.store.sealing import Sealer

SEALER = Sealer([Fernet.generate_key().decode()])
NEW = NewIntent(
    key="slash:1",
    user=SlackUser("T0ACME", "U0ALICE"),
    surface="slash",
    verb="ack",
    words="ack 123",
    channel_id="C0CHECK",
    fields={"incident": "Q1"},
    response_url="https://hooks.slack.example/1",
)


def at(database: Database, holder: str = "first") -> Intents:
    return Intents(database, Batcher(database), SEALER, holder=holder)


def entry(intent: Intent) -> Entry:
    return Entry(
        intent_id=intent.id,
        team_id="T0ACME",
        user_id="U0ALICE",
        person_id="PALICE1",
        identity="email",
        surface="slash",
        channel_id="C0CHECK",
        verb="ack",
        words="ack 123",
    )


async def stored(store: Intents, new: NewIntent = NEW) -> Intent:
    intent = await store.store(new)
    assert intent is not None
    return intent


async def age(database: Database, seconds: float) -> None:
    """Let time pass for everything stored."""
    async with database.write() as connection:
        await connection.execute(
            update(intents).values(
                lease_until=intents.c.lease_until - seconds, expires_at=intents.c.expires_at - seconds
            )
        )


async def test_slacks_repeats_are_noticed(database: Database) -> None:
    store = at(database)
    await stored(store)
    assert await store.store(NEW) is None
    assert await at(database, "second").store(NEW) is None
    assert await store.store(replace(NEW, key="slash:2")) is not None


async def test_of_two_in_one_batch_one_counts(database: Database) -> None:
    store = at(database)
    both = await asyncio.gather(
        *(store.store(NEW) for _ in range(4)), store.store(replace(NEW, key="slash:2"))
    )
    assert sum(one is not None for one in both[:4]) == 1
    assert both[4] is not None
    assert both[4].new.key == "slash:2"


async def test_the_reply_address_is_sealed(database: Database) -> None:
    await stored(at(database))
    async with database.read() as connection:
        row = (await connection.execute(select(intents))).one()
    assert "hooks.slack" not in row.response_url
    assert row.state == WAITING


async def test_an_act_is_on_record_before_and_after(database: Database) -> None:
    store = at(database)
    intent = await stored(store)
    assert await store.start(intent, entry(intent))
    async with database.read() as connection:
        before = (await connection.execute(select(audit))).one()
    assert (before.outcome, before.person_id, before.words) == (None, "PALICE1", "ack 123")
    assert await store.finish(intent, DONE, "done", subjects=["Q1", "Q2"], detail="Acknowledged.")
    async with database.read() as connection:
        after = (await connection.execute(select(audit))).one()
        kept = (await connection.execute(select(intents))).one()
    assert (after.outcome, after.subjects, after.detail) == ("done", "Q1,Q2", "Acknowledged.")
    assert after.done_at >= after.accepted_at
    assert (kept.state, kept.response_url) == (DONE, None)
    assert await store.state_of(NEW.key) == DONE
    assert await store.state_of("never") is None


async def test_it_starts_once(database: Database) -> None:
    store = at(database)
    intent = await stored(store)
    assert await store.start(intent, entry(intent))
    assert not await store.start(intent, entry(intent))


async def test_a_living_holder_keeps_its_own(database: Database) -> None:
    first, second = at(database), at(database, "second")
    intent = await stored(first)
    assert await second.take_interrupted() == []
    await age(database, 15)
    await first.renew([intent.id])
    await age(database, 15)
    assert await second.take_interrupted() == []


async def test_a_dead_holders_is_taken_over_with_everything_needed(database: Database) -> None:
    first, second = at(database), at(database, "second")
    intent = await stored(first)
    await age(database, 30)
    (taken,) = await second.take_interrupted()
    assert taken.new == NEW
    assert taken.is_young
    assert taken.state == WAITING
    assert taken.fence == intent.fence + 1
    assert await second.take_interrupted() == []
    # The old holder, should it only have slept, may neither begin nor end it.
    assert not await first.start(intent, entry(intent))
    assert not await first.finish(intent, DONE, "done")
    assert await second.start(taken, entry(taken))
    assert await second.finish(taken, DONE, "done")


async def test_what_is_held_ends_before_anybody_else_may_take_it(database: Database) -> None:
    now = 100.0
    first = Intents(database, Batcher(database), SEALER, holder="first", lease=20, timer=lambda: now)
    second = at(database, "second")
    intent = await stored(first)
    assert not first.is_held(intent)
    await first.start(intent, entry(intent))
    now += 15
    await first.renew([intent.id])
    now += 19
    assert first.is_held(intent)
    await age(database, 30)
    (taken,) = await second.take_interrupted()
    await first.renew([intent.id])
    assert first.is_held(intent)  # by its own clock, which the database's has not gone along with
    now += 1
    assert not first.is_held(intent)
    assert not second.is_held(taken)  # begun by somebody else: looked up, and not carried out


async def test_what_was_not_held_once_is_not_held_again(database: Database) -> None:
    now = 100.0
    store = Intents(database, Batcher(database), SEALER, holder="first", lease=20, timer=lambda: now)
    intent = await stored(store)
    await store.start(intent, entry(intent))
    now += 20
    assert not store.is_held(intent)
    await store.renew([intent.id])
    assert not store.is_held(intent)


async def test_one_of_two_takes_it(database: Database) -> None:
    await stored(at(database))
    await age(database, 30)
    both = await asyncio.gather(
        at(database, "second").take_interrupted(), at(database, "third").take_interrupted()
    )
    assert sum(len(some) for some in both) == 1


@pytest.mark.parametrize("started", [False, True])
async def test_what_was_begun_or_is_old_is_told_apart(database: Database, started: bool) -> None:
    first, second = at(database), at(database, "second")
    intent = await stored(first)
    if started:
        await first.start(intent, entry(intent))
    await age(database, 130)
    (taken,) = await second.take_interrupted()
    assert not taken.is_young
    assert taken.state == (STARTED if started else WAITING)
    assert await second.finish(taken, FAILED if started else EXPIRED, "expired")
    assert await second.take_interrupted() == []


async def test_the_only_process_takes_all_at_its_start(database: Database) -> None:
    await stored(at(database))
    (taken,) = await at(database, "reborn").take_interrupted(all_of_them=True)
    assert taken.new.key == NEW.key


async def test_recent_acts_are_found_by_what_they_changed(database: Database) -> None:
    store, record = at(database), Audit(database)
    intent = await stored(store)
    await store.start(intent, replace(entry(intent), verb="escalate"))
    assert await record.recent("escalate", "Q1", 30) is None
    await store.finish(intent, DONE, "done", subjects=["Q11", "Q1"])
    recent = await record.recent("escalate", "Q1", 30)
    assert recent is not None
    assert recent.user_id == "U0ALICE"
    assert 0 <= recent.seconds_ago < 30
    assert await record.recent("escalate", "Q2", 30) is None
    assert await record.recent("ack", "Q1", 30) is None
    async with database.write() as connection:
        await connection.execute(update(audit).values(done_at=audit.c.done_at - 31))
    assert await record.recent("escalate", "Q1", 30) is None


async def test_an_end_that_could_not_be_written_is_written_later(migrated_sqlite_url: str) -> None:
    database = await Database.open(migrated_sqlite_url, busy_timeout=0.1)
    try:
        assert database.path is not None
        store = at(database)
        intent = await stored(store)
        await store.start(intent, entry(intent))
        other = sqlite3.connect(database.path, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await store.finish(intent, DONE, "done")
        finally:
            other.close()
        assert await store.finish(intent, DONE, "done")
        async with database.read() as connection:
            (row,) = await connection.execute(select(audit.c.outcome, audit.c.done_at))
        assert row.outcome == "done"
        assert row.done_at is not None
    finally:
        await database.close()


async def test_words_that_no_database_stores_are_kept_readable(database: Database) -> None:
    new = replace(NEW, words="note 1 a\x00b \ud800", fields={"text": "a\x00b \ud800"})
    stored = await at(database).store(new)
    assert stored is not None
    assert "a" in stored.new.words
    assert "b" in stored.new.words
    assert await at(database).store(new) is None


async def test_a_lost_key_costs_the_address_and_not_the_act(database: Database) -> None:
    await stored(at(database))
    other_keys = Sealer([Fernet.generate_key().decode()])
    reborn = Intents(database, Batcher(database), other_keys, holder="reborn")
    (taken,) = await reborn.take_interrupted(all_of_them=True)
    assert taken.new == replace(NEW, response_url=None)
