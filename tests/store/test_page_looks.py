"""An edit of a storm's page without an answer may land on top of the next one, as bot/store/looks.py says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select

from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.outcomes import Outcomes
from bot.store.pace import Pace
from bot.store.page_turns import PageTurns
from bot.store.rows import SETTLING
from bot.store.storms import PageSums, Storms
from bot.store.tables import shown
from bot.store.turns import NotNow, Turn
from tests.store.replica import LEASE, SETTLED, a_turn
from tests.store.seeding import CHECKOUT, Seed, StillDatabase, acknowledged, an_incident, opened, resolved

INCIDENTS = [replace(an_incident(f"Q{number}"), number=5000 + number) for number in range(4)]


@dataclass(frozen=True, slots=True)
class Storm:
    """A channel in storm, and a process that writes its pages."""

    database: Database
    seed: Seed
    turns: PageTurns
    outcomes: Outcomes

    async def page(self) -> PageSums:
        """The page that stands."""
        (storm,) = await Storms(self.database).look(SETTLED)
        (page,) = [one for one in storm.pages if one.rows]
        return page

    async def becomes(self, change: Callable[..., object] = acknowledged) -> None:
        for one in INCIDENTS[:2]:
            await self.seed.incident(change(one))  # type: ignore[arg-type]

    async def edit(self) -> Turn:
        """Begun as the delivery would."""
        page = await self.page()
        settled = page.settling if page.settled else None
        return a_turn(await self.turns.begin_edit(page.message, settled=settled))

    async def looks(self) -> set[str]:
        async with self.database.read() as connection:
            return set((await connection.execute(select(shown.c.hash))).scalars())

    def passes(self, seconds: float) -> None:
        self.database.clock_offset += seconds


@pytest.fixture
async def storm(database_url: str) -> AsyncIterator[Storm]:
    """A page stands and is true."""
    async with opened(database_url, StillDatabase) as database:
        seed, leases = Seed(database), Leases(database, "us")
        turns = PageTurns(database, leases, Pace(database), lease_seconds=LEASE)
        storm = Storm(database, seed, turns, Outcomes(database, leases))
        for one in INCIDENTS:
            await seed.incident(one)
        await seed.messages(one.id for one in INCIDENTS)
        assert await Storms(database).begin([CHECKOUT], waiting=3, behind=30) == [CHECKOUT]
        posted = a_turn(await turns.begin_page(CHECKOUT, (), 10))
        await storm.outcomes.posted(posted, "1.1", looks="red")
        storm.passes(5)
        yield storm


@pytest.fixture
async def settling(storm: Storm) -> Storm:
    """Its edit got no answer, and was made again."""
    await storm.becomes()
    await storm.outcomes.unknown(await storm.edit())
    storm.passes(2)
    await storm.outcomes.updated(await storm.edit(), "yellow")
    assert await storm.looks() == {SETTLING}
    return storm


async def test_an_edit_with_an_answer_leaves_no_doubt(storm: Storm) -> None:
    await storm.becomes()
    turn = await storm.edit()
    assert not (await storm.page()).is_true
    await storm.outcomes.updated(turn, "yellow")
    assert (await storm.page()).is_true
    assert await storm.looks() == {"yellow"}


async def test_it_is_made_once_more_when_nothing_can_land_any_more(settling: Storm) -> None:
    page = await settling.page()
    assert page.oldest == 0  # no row is known to be untrue
    assert not page.is_true
    assert not page.settled
    assert await settling.turns.begin_edit(page.message) is None
    settling.passes(SETTLED)
    assert (await settling.page()).settled
    await settling.outcomes.updated(await settling.edit(), "yellow")
    assert (await settling.page()).is_true
    assert await settling.looks() == {"yellow"}


async def test_news_are_not_kept_waiting_and_end_no_doubt(settling: Storm) -> None:
    await settling.becomes(resolved)
    await settling.outcomes.updated(await settling.edit(), "green")
    assert await settling.looks() == {SETTLING}


async def test_a_killed_process_leaves_it_in_doubt(storm: Storm) -> None:
    await storm.becomes()
    await storm.edit()  # and never came back
    storm.passes(LEASE + 1)
    for one in INCIDENTS[:2]:
        await storm.seed.incident(one)
    await storm.outcomes.updated(await storm.edit(), "red")
    assert await storm.looks() == {SETTLING}


async def test_one_killed_while_it_made_sure_leaves_it_to_the_next(settling: Storm) -> None:
    settling.passes(SETTLED)
    await settling.edit()  # and never came back
    settling.passes(LEASE + 1)
    page = await settling.page()
    assert page.oldest == 0
    assert page.in_doubt
    await settling.outcomes.updated(await settling.edit(), "yellow")
    assert await settling.looks() == {SETTLING}


async def test_an_edit_that_was_not_made_leaves_no_doubt(storm: Storm) -> None:
    await storm.becomes()
    await storm.outcomes.failed(await storm.edit(), pause=False)
    assert await storm.looks() == {"red"}


async def test_a_page_posted_anew_is_in_no_doubt(settling: Storm) -> None:
    await settling.becomes(resolved)
    page = await settling.page()
    turn = a_turn(await settling.turns.begin_page(CHECKOUT, (page.message.id,), 0))
    await settling.outcomes.posted(turn, "2.2", looks="green")
    assert (await settling.page()).message.ts == "2.2"
    assert (await settling.page()).is_true


async def test_a_fold_without_an_answer_is_written_over_when_the_storm_goes_on(storm: Storm) -> None:
    """Killed after Slack took it; then it storms again."""
    await Storms(storm.database).calm(CHECKOUT)
    assert isinstance(await storm.turns.begin_fold(CHECKOUT), Turn)  # and never came back
    assert isinstance(await storm.turns.begin_edit((await storm.page()).message), NotNow)
    storm.passes(LEASE + 1)
    page = await storm.page()
    assert page.oldest == 0
    assert page.in_doubt
    await storm.outcomes.updated(await storm.edit(), "red")
    assert await storm.looks() == {SETTLING}
