"""Two workspaces with the same channel, user and message ids: what is asked of one leaves the other alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.model import Channel, ScopeKind, SlackUser, Subscription
from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.incidents import Incidents
from bot.store.intent_steps import NewIntent
from bot.store.intents import Intents
from bot.store.messages import Adoption, Messages
from bot.store.pace import UPDATES, Charge, Pace, PaceLimits
from bot.store.people import Match, People
from bot.store.sealing import Sealer, new_key
from bot.store.subscriptions import Subscriptions
from bot.store.wake import Wake
from tests.store.seeding import Seed, StillDatabase, an_incident, opened

HERE, THERE = Channel("T0ACME", "C0CHECK"), Channel("T0LABS", "C0CHECK")
TS = "1700000000.000100"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, StillDatabase) as database:
        yield database


@pytest.fixture
async def incidents(database: Database) -> AsyncIterator[Incidents]:
    batcher = Batcher(database)
    yield Incidents(database, batcher, Wake(database))
    await batcher.close()


async def test_a_message_is_its_own_workspaces(database: Database, incidents: Incidents) -> None:
    seed, messages = Seed(database), Messages(database)
    await seed.incident(an_incident("Q1"))
    row = await seed.message("Q1", HERE, ts=None)
    assert await messages.adopt(THERE, TS, row_id=row) is Adoption.NOT_OURS
    assert await messages.adopt(THERE, TS, incident_id="Q1") is Adoption.NOT_OURS
    assert await messages.adopt(HERE, TS, row_id=row) is Adoption.ADOPTED
    assert await messages.adopt(THERE, "1700000000.000200", row_id=row) is Adoption.NOT_OURS
    assert await messages.adopt(HERE, "1700000000.000200", row_id=row) is Adoption.EXTRA
    assert (await incidents.by_message(HERE, TS)) is not None
    assert await incidents.by_message(THERE, TS) is None
    assert [one.id for one in await incidents.open_in(HERE)] == ["Q1"]
    assert await incidents.open_in(THERE) == []


async def test_the_same_message_id_in_both_is_two_messages(database: Database, incidents: Incidents) -> None:
    seed = Seed(database)
    await seed.incident(an_incident("Q1"))
    await seed.incident(an_incident("Q2"))
    await seed.message("Q1", HERE, ts=TS)
    await seed.message("Q2", THERE, ts=TS)
    here, there = await incidents.by_message(HERE, TS), await incidents.by_message(THERE, TS)
    assert here is not None
    assert there is not None
    assert (here.id, there.id) == ("Q1", "Q2")


async def test_what_a_channel_follows_is_its_own_workspaces(database: Database) -> None:
    rules = Subscriptions(database, Wake(database))
    for channel in (HERE, THERE):
        await rules.add(Subscription(channel, ScopeKind.ALL, None, made_by="U0ALICE"))
    assert len(await rules.mark_broken(THERE, "is_archived")) == 1
    assert [one.broken_since for one in await rules.of_channel(HERE)] == [None]
    assert await Messages(database).closed_channels() == [THERE]
    assert await rules.mend(HERE) == []
    assert await Messages(database).closed_channels() == [THERE]
    assert await rules.remove(THERE, "all", "") is True
    assert len(await rules.of_channel(HERE)) == 1
    assert await rules.of_channel(THERE) == []


async def test_who_is_who_is_each_workspaces_own(database: Database) -> None:
    people = People(database)
    await people.replace_all(
        HERE.team_id, [Match(SlackUser(HERE.team_id, "U0ALICE"), "PALICE1", "Alice", "a@x")]
    )
    await people.replace_all(
        THERE.team_id, [Match(SlackUser(THERE.team_id, "U0ALICE"), "PBOB002", "Bob", "b@x")]
    )
    assert await people.slack_ids(HERE.team_id, ["PALICE1", "PBOB002"]) == {"PALICE1": "U0ALICE"}
    assert await people.slack_ids(THERE.team_id, ["PALICE1", "PBOB002"]) == {"PBOB002": "U0ALICE"}
    await people.replace_all(THERE.team_id, [])
    assert await people.slack_ids(HERE.team_id, ["PALICE1"]) == {"PALICE1": "U0ALICE"}


async def test_one_workspaces_pace_slows_no_other(database: Database) -> None:
    pace = Pace(database, PaceLimits())

    async def wait(team: str) -> float:
        return await pace.spend(team, [Charge(UPDATES)])

    await pace.blocked(HERE.team_id, UPDATES, 60)
    await pace.post_blocked(HERE, 60)
    assert await wait(HERE.team_id) > 0
    assert await wait(THERE.team_id) == 0


async def test_an_act_is_run_for_whom_it_was_asked_by_in_their_workspace(database: Database) -> None:
    batcher = Batcher(database)
    sealer = Sealer([new_key()])
    intents = Intents(database, batcher, sealer, holder="first")
    for team in (HERE.team_id, THERE.team_id):
        new = NewIntent(
            key=f"message:{team}:C0CHECK:{TS}",
            user=SlackUser(team, "U0ALICE"),
            surface="mention",
            verb="ack",
            words="ack",
            channel_id="C0CHECK",
        )
        assert await intents.store(new) is not None, "the same message id in another workspace is no repeat"
        assert await intents.store(new) is None
    taken = await Intents(database, batcher, sealer, holder="second").take_interrupted(all_of_them=True)
    assert [one.new.user.team_id for one in taken] == [HERE.team_id, THERE.team_id]
    await batcher.close()
