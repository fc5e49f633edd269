"""Several replicas on one PostgreSQL: the same events at the same moment, and nothing is lost or twice."""

from __future__ import annotations

import asyncio
import itertools

from sqlalchemy import insert, update

from bot.store.tables import messages, shown
from tests.store.conftest import store_on
from tests.store.news import (
    P1,
    a_note,
    a_subscription,
    an_event,
    an_incident,
)


async def test_two_replicas_lose_no_update(postgresql_url: str) -> None:
    """Both take events of the same incidents at once, each note at both: nothing is lost, nothing twice."""
    incidents = [an_incident(f"Q{number}") for number in range(4)]
    story = [an_event(incident=one) for one in incidents]
    story += [a_note(2 + turn, one.id, f"{one.id} {turn}") for turn in range(10) for one in incidents]
    async with store_on(postgresql_url) as one, store_on(postgresql_url) as other:
        await one.subscriptions.add(a_subscription())
        await asyncio.gather(*(one.incidents.accept(event) for event in story[:4]))
        results = await asyncio.gather(
            *(store.incidents.accept(event) for event, store in itertools.product(story[4:], (one, other))),
            *(
                other.incidents.accept(an_event("escalated", 30, incident))
                for incident in reversed(incidents)
            ),
            *(one.incidents.accept(an_event("reassigned", 31, incident)) for incident in incidents),
        )
        assert [result.duplicate for result in results].count(False) == 40 + 8
        assert len(await one.events()) == 52
        assert len(await one.lines()) == 48
        assert len(await one.shown_in()) == 4
        assert [(await one.row(incident.id)).stale_seq for incident in incidents] == [3] * 4


async def test_two_replicas_meet_over_an_incident_neither_knows(postgresql_url: str) -> None:
    async with store_on(postgresql_url) as one, store_on(postgresql_url) as other:
        await one.subscriptions.add(a_subscription())
        for number in range(10):
            incident = an_incident(f"Q{number}")
            first, second = await asyncio.gather(
                one.incidents.accept(an_event(incident=incident)),
                other.incidents.accept(an_event(incident=incident)),
            )
            assert {first.duplicate, second.duplicate} == {True, False}
        assert len(await one.shown_in()) == 10


async def test_two_replicas_do_not_read_the_same(postgresql_url: str) -> None:
    async with store_on(postgresql_url) as one, store_on(postgresql_url, clock_offset=1.0) as other:
        for number in range(8):
            await one.incidents.accept(an_event(incident=an_incident(f"Q{number}")))
        taken = await asyncio.gather(*(other.incidents.take_stale(3) for _ in range(4)))
        ids = [stale.incident_id for part in taken for stale in part]
        assert len(ids) == len(set(ids)) == 8


async def test_news_does_not_wait_for_whoever_writes_what_channels_show(postgresql_url: str) -> None:
    incident = an_incident()
    async with store_on(postgresql_url) as one, store_on(postgresql_url) as other:
        await one.subscriptions.add(a_subscription())
        await one.incidents.accept(an_event(incident=incident))
        row = (await one.messages())[0]
        async with other.database.write() as writing:
            await writing.execute(update(messages).values(tries=1))
            await writing.execute(
                insert(shown).values(message_id=row.id, incident_id="Q1", revision=1, hash="")
            )
            escalated = an_event("escalated", 5, incident)
            raised = an_event("priority_updated", 6, an_incident(priority=P1))
            async with asyncio.timeout(30):  # a lock is waited for for 5 s, and then it fails
                await asyncio.gather(one.incidents.accept(escalated), one.incidents.accept(raised))
        assert len(await one.lines()) == 2
