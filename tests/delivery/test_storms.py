"""A storm in a channel: pages in place of messages, kept true, never double, folded when it is over."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, update

from bot.delivery.storm import Tuning
from bot.model import Incident, Priority, Reference
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.state import Message
from bot.store.leases import Leases
from bot.store.outcomes import Outcomes
from bot.store.pace import PaceLimits
from bot.store.page_turns import PageTurns
from bot.store.tables import channels, messages, shown
from bot.store.turns import Turn
from tests.delivery.office import PERIODS as SHORT
from tests.delivery.office import Office, words
from tests.store.seeding import CHECKOUT, acknowledged, an_incident, opened, resolved
from tests.stories.waiting import until, until_async

# It is calm when a test moves the time: a machine that needs long for a page must not end its storm.
TUNING = Tuning(enter_waiting=6, enter_behind=6, calm=600.0, gather=0.05, news_after=0.4, move_after=1.0)
LIMITS = PaceLimits(
    channel_per_second=20,
    channel_burst=3,
    posts_per_minute=6000,
    updates_per_minute=3000,
    others_per_minute=3000,
)
# A page is much to check, for Slack's fake too: a busy machine must not look like a lost answer.
PERIODS = replace(SHORT, call=2.0, lease=5.0)
MANY = 30


@pytest.fixture
async def office(database_url: str, fake: FakeSlack, session: aiohttp.ClientSession) -> AsyncIterator[Office]:
    async with opened(database_url) as database:
        yield Office(database, fake, session, limits=LIMITS, tuning=TUNING, periods=PERIODS)


@asynccontextmanager
async def at_work(*offices: Office) -> AsyncIterator[None]:
    """Their deliveries run."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(one.delivery.run(stop)) for one in offices]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)


def numbered(count: int, first: int = 0) -> list[Incident]:
    return [
        replace(an_incident(f"Q{number}", title=f"Disk {number} is full"), number=5000 + number)
        for number in range(first, first + count)
    ]


async def breaks_loose(office: Office, incidents: Sequence[Incident]) -> None:
    for one in incidents:
        await office.seed.incident(one)
    await office.seed.messages(one.id for one in incidents)
    office.wake.notify("delivery")


async def stand_on_pages(office: Office, incidents: Sequence[Incident]) -> None:
    """Until pages name all of them: the summary counts none that was resolved before anybody saw it."""
    await until(lambda: all(says(office, one, "triggered") for one in incidents), "not all are readable")
    assert kinds(office).keys() == {"page"}


async def calms_down(office: Office, incidents: Sequence[Incident]) -> None:
    """These are resolved, pages say so, and then nothing is heard for long."""
    await become(office, [resolved(one) for one in incidents])
    await until(lambda: all(says(office, one, "resolved") for one in incidents), "not all is true")
    await until_async(lambda: _nothing_in_doubt(office), "a post stays in doubt")
    office.database.clock_offset += TUNING.calm
    await until_async(lambda: storm_is_over(office), "the storm is not over")


async def become(office: Office, incidents: Sequence[Incident], *, touched: bool = False) -> None:
    for one in incidents:
        await office.seed.incident(one, touched=touched)
    office.wake.notify("delivery")


def kinds(office: Office) -> Counter[str]:
    """The messages that stand, by what their metadata says."""
    return Counter(kind(message) for message in office.standing())


def kind(message: Message) -> str:
    return str((message.metadata or {}).get("event_payload", {}).get("kind"))


def pages(office: Office) -> list[Message]:
    return [message for message in office.standing() if kind(message) == "page"]


def says(office: Office, incident: Incident, state: str) -> bool:
    """The newest message that names the incident says this state, in blocks and plain text."""
    named = [one for one in office.standing() if re.search(rf"{re.escape(incident.label)}\b", words(one))]
    if not named:
        return False
    newest = max(named, key=lambda one: (kind(one) == "page", float(one.ts)))
    label = re.escape(incident.label)
    spoken = re.search(rf"{state.capitalize()}[^.]*: [^.]*{label}\b", newest.text, re.IGNORECASE)
    if kind(newest) == "incident":
        return bool(spoken)
    drawn = [row for text in mrkdwn(newest.blocks) for row in text.split("\n")]
    return bool(spoken) and any(re.search(rf"{label}\b", row) and state in row.lower() for row in drawn)


def mrkdwn(part: Any) -> list[str]:
    """All texts of the blocks."""
    if isinstance(part, list | tuple):
        return [text for one in part for text in mrkdwn(one)]
    if not isinstance(part, dict):
        return []
    own = [part["text"]] if isinstance(part.get("text"), str) else []
    return own + [text for value in part.values() for text in mrkdwn(value)]


async def storm_is_over(office: Office) -> bool:
    async with office.database.read() as connection:
        row = (await connection.execute(select(channels.c.storm_since))).first()
    return row is not None and row.storm_since is None


async def test_what_comes_at_once_stands_on_a_page(office: Office) -> None:
    incidents = numbered(MANY)
    async with at_work(office):
        await breaks_loose(office, incidents)
        await until(lambda: all(says(office, one, "triggered") for one in incidents), "not all are readable")
        assert kinds(office)["page"] >= 1
        assert kinds(office)["incident"] < TUNING.enter_waiting
        assert (await office.messages.backlog()).in_storm == 1
        await become(office, [acknowledged(one) for one in incidents[:10]])
        await until(
            lambda: all(says(office, one, "acknowledged") for one in incidents[:10]),
            "pages are not kept true",
        )
    assert office.fake.doubles() == []


async def test_what_stood_before_the_storm_is_kept_true_in_it(
    database_url: str, fake: FakeSlack, session: aiohttp.ClientSession
) -> None:
    async with opened(database_url) as database:
        office = Office(database, fake, session, limits=LIMITS, tuning=TUNING, periods=PERIODS)
        before = numbered(3)
        async with at_work(office):
            await breaks_loose(office, before)
            await until(lambda: kinds(office)["incident"] == len(before), "a message is missing")
            await breaks_loose(office, numbered(MANY, first=10))
            await until(lambda: kinds(office)["page"] >= 1, "no page was posted")
            await become(office, [resolved(one) for one in before])
            await until(
                lambda: all(own_says(office, one, "Resolved") for one in before), "they are left behind"
            )
            assert (await office.messages.backlog()).in_storm == 1


def own_says(office: Office, incident: Incident, state: str) -> bool:
    """The incident's own message, not a page, says so."""
    own = [one for one in office.standing() if kind(one) == "incident" and incident.title in words(one)]
    return len(own) == 1 and state in words(own[0])


async def test_two_replicas_share_a_storm(
    postgresql_url: str, fake: FakeSlack, session: aiohttp.ClientSession
) -> None:
    async with opened(postgresql_url) as database:
        first, second = (
            Office(database, fake, session, holder=holder, limits=LIMITS, tuning=TUNING, periods=PERIODS)
            for holder in ("first", "second")
        )
        incidents = numbered(MANY)
        async with at_work(first, second):
            await breaks_loose(first, incidents)
            second.wake.notify("delivery")
            await until(lambda: all(says(first, one, "triggered") for one in incidents), "not all readable")
            await calms_down(first, incidents)
            await until(lambda: kinds(first)["page"] == 1, "old pages were left behind")
        assert await first.messages.due(0) == []
    assert fake.doubles() == []


async def test_it_folds_when_all_is_resolved(office: Office) -> None:
    incidents = numbered(MANY)
    async with at_work(office):
        await breaks_loose(office, incidents)
        await stand_on_pages(office, incidents)
        await calms_down(office, incidents)
        await until(lambda: kinds(office)["page"] == 1, "old pages were left behind")
    (summary,) = pages(office)
    assert f"{MANY} incidents, all resolved" in words(summary)
    # Those that never had a message of their own need none now; those that had one are true.
    own = [one for one in office.standing() if kind(one) == "incident"]
    assert all("Resolved" in words(one) for one in own)
    assert len(own) < TUNING.enter_waiting
    assert await office.messages.due(0) == []


async def test_a_fold_whose_lease_was_lost_ends_no_storm(office: Office) -> None:
    incidents = numbered(MANY)
    async with at_work(office):
        await breaks_loose(office, incidents)
        await stand_on_pages(office, incidents)
    async with office.database.write() as connection:
        await connection.execute(update(channels).values(calm_since=office.database.now_sql()))
    leases = Leases(office.database, "frozen")
    turn = await PageTurns(office.database, leases, office.pace, lease_seconds=0).begin_fold(CHECKOUT)
    assert isinstance(turn, Turn)
    await Outcomes(office.database, leases).folded(turn)
    async with office.database.read() as connection:
        page = select(messages.c.kind).where(messages.c.id == turn.message.id)
        assert (await connection.execute(page)).scalar_one() == "page"
        assert (await connection.execute(select(channels.c.storm_since))).scalars().all() != [None]
        rows = select(shown.c.revision).where(shown.c.message_id == turn.message.id)
        assert set((await connection.execute(rows)).scalars()) == {0}  # written anew


async def test_what_is_still_open_gets_its_own_message(office: Office) -> None:
    incidents = numbered(MANY)
    open_ones = incidents[-4:]
    async with at_work(office):
        await breaks_loose(office, incidents)
        await stand_on_pages(office, incidents)
        await calms_down(office, incidents[:-4])
        own = [one for one in office.standing() if kind(one) == "incident"]
        for one in open_ones:
            assert sum(one.title in words(message) for message in own) == 1
        await until(lambda: kinds(office)["page"] == 1, "old pages were left behind")
    assert "4 still open" in words(pages(office)[0])
    assert office.fake.doubles() == []


async def test_p1_has_its_own_message_too(office: Office) -> None:
    worst = replace(numbered(1, first=99)[0], priority=Priority("PP1", "P1", 0), title="All is down")
    incidents = [*numbered(MANY), worst]
    async with at_work(office):
        await breaks_loose(office, incidents)
        await until(lambda: says(office, worst, "triggered"), "it is on no page")
        await until(
            lambda: any(kind(one) == "incident" and "All is down" in words(one) for one in office.standing()),
            "it has no message of its own",
        )
        # The page names it before all others.
        page = next(one for one in pages(office) if "All is down" in words(one))
        assert page.text.index(worst.label) == min(
            page.text.index(one.label) for one in incidents if one.label in page.text
        )


def told_taken(office: Office, incidents: Sequence[Incident]) -> bool:
    """Some message says of each that it is acknowledged."""
    texts = [message.text for message in office.standing()]
    wanted = [re.compile(rf"Acknowledged[^.:]*: [^.]*{re.escape(one.label)}\b") for one in incidents]
    return all(any(one.search(text) for text in texts) for one in wanted)


async def test_news_tells_what_no_edit_has_shown(
    database_url: str, fake: FakeSlack, session: aiohttp.ClientSession
) -> None:
    slow = replace(LIMITS, updates_per_minute=1)
    tuning = replace(TUNING, move_after=1000.0)
    async with opened(database_url) as database:
        office = Office(database, fake, session, limits=slow, tuning=tuning, periods=PERIODS)
        incidents = numbered(MANY)
        async with at_work(office):
            await breaks_loose(office, incidents)
            await until(lambda: all(says(office, one, "triggered") for one in incidents), "not all readable")
            for some in (incidents[10:15], incidents[15:20], incidents[20:25]):
                await become(office, [acknowledged(one) for one in some])
                await until(lambda some=some: told_taken(office, some), "nobody was told")  # type: ignore[misc]
        assert kinds(office)["news"] >= 1


async def test_a_page_whose_answer_was_lost_is_found_again(office: Office) -> None:
    incidents = numbered(MANY)
    office.fake.fault("chat.postMessage", "drop_after", count=3)
    async with at_work(office):
        await breaks_loose(office, incidents)
        await until(lambda: all(says(office, one, "triggered") for one in incidents), "not all are readable")
        await until_async(lambda: _nothing_in_doubt(office), "a post stays in doubt")
    rows = Counter((kind(one), (one.metadata or {})["event_payload"]["row"]) for one in office.standing())
    assert max(rows.values()) == 1
    assert office.fake.doubles() == []


async def _nothing_in_doubt(office: Office) -> bool:
    async with office.database.read() as connection:
        query = select(messages.c.id).where(messages.c.posting_since.is_not(None))
        return (await connection.execute(query)).first() is None


async def test_a_process_killed_in_the_middle_of_a_page_leaves_one(office: Office) -> None:
    """Killed after Slack took the page and before it was written down; another one comes."""
    incidents = numbered(MANY)
    await breaks_loose(office, incidents)
    async with at_work(office):
        await until(lambda: len(pages(office)) > 0, "no page was posted")
        await until_async(lambda: _nothing_in_doubt(office), "a post stays in doubt")
    (page, *_) = pages(office)
    row = (page.metadata or {})["event_payload"]["row"]
    async with office.database.write() as connection:
        lost = {"ts": None, "posting_since": office.database.now_sql(-60)}
        await connection.execute(update(messages).where(messages.c.id == row).values(lost))
    async with at_work(office):
        await until_async(lambda: _nothing_in_doubt(office), "it was not looked up")
        await until(lambda: all(says(office, one, "triggered") for one in incidents), "not all are readable")
    found = [one for one in pages(office) if (one.metadata or {})["event_payload"]["row"] == row]
    assert len(found) <= 1


@pytest.mark.parametrize("dropped", [pytest.param(1, id="made again at once"), pytest.param(2, id="later")])
async def test_an_edit_of_a_page_that_lands_on_top_of_the_next_one_does_not_stay(
    database_url: str, fake: FakeSlack, session: aiohttp.ClientSession, dropped: int
) -> None:
    incidents = numbered(MANY)
    async with opened(database_url) as database:
        tuning = replace(TUNING, move_after=1000.0, news_after=1000.0)
        office = Office(database, fake, session, limits=LIMITS, tuning=tuning, periods=PERIODS)
        async with at_work(office):
            await breaks_loose(office, incidents)
            await stand_on_pages(office, incidents)
            fake.fault("chat.update", "late", count=dropped, seconds=1.8)
            await become(office, [acknowledged(one) for one in incidents])
            await until(lambda: len(office.calls("chat.update")) >= dropped, "no page was edited")
            await become(office, [resolved(one) for one in incidents])
            await until(lambda: len(office.carried_out_late("chat.update")) == dropped, "nothing came late")
            await until(
                lambda: all(says(office, one, "resolved") for one in incidents), "what landed late stays"
            )
            await calms_down(office, incidents)
    assert f"{MANY} incidents, all resolved" in words(pages(office)[-1])


async def test_a_page_that_somebody_deleted_comes_again(office: Office) -> None:
    incidents = numbered(MANY)
    async with at_work(office):
        await breaks_loose(office, incidents)
        await until(lambda: all(says(office, one, "triggered") for one in incidents), "not all are readable")
        for page in pages(office):
            await office.slack.delete(CHECKOUT.id, page.ts)
        await become(office, [acknowledged(one) for one in incidents])
        await until(lambda: all(says(office, one, "acknowledged") for one in incidents), "they are lost")


async def test_few_incidents_make_no_storm(office: Office) -> None:
    incidents = numbered(TUNING.enter_waiting - 1)
    async with at_work(office):
        await breaks_loose(office, incidents)
        await until(lambda: kinds(office)["incident"] == len(incidents), "a message is missing")
    assert kinds(office) == {"incident": len(incidents)}


async def test_many_services_stand_on_one_page(office: Office) -> None:
    incidents = [
        replace(one, service=Reference(f"PSVC{at % 5}", f"Service {at % 5}"))
        for at, one in enumerate(numbered(MANY))
    ]
    async with at_work(office):
        await breaks_loose(office, incidents)
        await until(lambda: all(says(office, one, "triggered") for one in incidents), "not all are readable")
    assert all("Acknowledge mine" in words(page) for page in pages(office))
