"""Tickets, states and what waits: once, in time, and nothing readable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Person, SlackUser
from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.intent_steps import EXPIRED, NewIntent
from bot.store.intents import Intents
from bot.store.links import Links, Taken, digest
from bot.store.pending_links import PendingLinks, Tokens, TooLate
from bot.store.people_tables import intents, link_states, link_tickets
from bot.store.sealing import Sealer

UMA, BOB = SlackUser("T0ACME", "U0UMA"), SlackUser("T0ACME", "U0BOB")
PERSON = Person("PUMA007", "Uma Ueda", "uma@acme.example")
GRANT = Tokens(SecretStr("pdus+access"), SecretStr("pdus+refresh"), frozenset({"openid", "users.read"}), 3600)
BROWSER, OTHER = "b" * 43, "o" * 43


@dataclass
class Written:
    """What would have become accounts."""

    accounts: list[tuple[SlackUser, Person, Tokens]] = field(default_factory=list)
    refuse: Exception | None = None

    async def __call__(
        self, connection: AsyncConnection, user: SlackUser, person: Person, tokens: Tokens
    ) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.accounts.append((user, person, tokens))


@dataclass
class Desk:
    database: Database
    links: Links
    pending: PendingLinks

    async def returned(self, ticket: str, browser: str = BROWSER) -> str:
        """A pending link, with what PagerDuty gave."""
        begun = await self.links.begin(ticket, browser)
        assert begun is not None
        taken = await self.links.take(begun.state, browser)
        assert isinstance(taken, Taken)
        await self.pending.keep(taken.id, PERSON, GRANT)
        return taken.id

    async def age(self, seconds: float) -> None:
        async with self.database.write() as connection:
            for table in (link_tickets, link_states):
                await connection.execute(update(table).values(expires_at=table.c.expires_at - seconds))


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    database = await Database.open(database_url)
    sealer = Sealer([Fernet.generate_key().decode()])
    yield Desk(database, Links(database, sealer), PendingLinks(database, sealer))
    await database.close()


def test_the_challenge_is_made_as_pkce_says() -> None:
    # The example of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert digest(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_a_ticket_is_good_for_fifteen_minutes_and_for_its_person(desk: Desk) -> None:
    ticket = await desk.links.offer(UMA)
    found = await desk.links.ticket(ticket)
    assert found is not None
    assert (found.user, found.state) == (UMA, "good")
    assert await desk.links.ticket(ticket + "x") is None
    await desk.age(901)
    late = await desk.links.ticket(ticket)
    assert late is not None
    assert late.state == "expired"
    assert await desk.links.begin(ticket, BROWSER) is None


async def test_a_state_is_taken_once_however_many_try(desk: Desk) -> None:
    begun = await desk.links.begin(await desk.links.offer(UMA), BROWSER)
    assert begun is not None
    taken = await asyncio.gather(*(desk.links.take(begun.state, BROWSER) for _ in range(8)))
    assert sorted(one if isinstance(one, str) else "taken" for one in taken) == ["taken"] + ["used"] * 7


async def test_a_state_says_why_it_cannot_be_taken(desk: Desk) -> None:
    begun = await desk.links.begin(await desk.links.offer(UMA), BROWSER)
    assert begun is not None
    assert await desk.links.take("made up", BROWSER) == "unknown"
    assert await desk.links.take(begun.state, OTHER) == "browser"
    assert await desk.links.take(begun.state, "") == "browser"
    await desk.age(601)
    assert await desk.links.take(begun.state, BROWSER) == "expired"


async def test_nothing_that_is_secret_can_be_read_in_the_tables(desk: Desk) -> None:
    ticket = await desk.links.offer(UMA)
    await desk.links.pressed(ticket, UMA, "https://hooks.slack.com/actions/secret")
    begun = await desk.links.begin(ticket, BROWSER)
    assert begun is not None
    taken = await desk.links.take(begun.state, BROWSER)
    assert isinstance(taken, Taken)
    await desk.pending.keep(taken.id, PERSON, GRANT)
    async with desk.database.read() as connection:
        rows = [
            str(row._mapping)
            for table in (link_tickets, link_states)
            for row in await connection.execute(select(table))
        ]
    secrets = (ticket, begun.state, BROWSER, taken.verifier, "pdus+access", "pdus+refresh", "hooks.slack")
    assert [secret for secret in secrets if any(secret in row for row in rows)] == []
    assert all(secret not in repr((begun, taken)) for secret in (begun.state, taken.verifier))


async def test_it_becomes_a_link_once_with_what_pagerduty_gave(desk: Desk) -> None:
    ticket, written = await desk.links.offer(UMA), Written()
    await desk.links.pressed(ticket, UMA, "https://hooks.slack.com/1")
    link_id = await desk.returned(ticket)
    linked = await asyncio.gather(*(desk.pending.link(link_id, written) for _ in range(4)))
    (done,) = [one for one in linked if one is not None]
    assert done.response_urls == ("https://hooks.slack.com/1",)
    ((user, person, tokens),) = written.accounts
    assert (user, person) == (UMA, PERSON)
    assert (tokens.access, tokens.refresh, tokens.scopes) == (GRANT.access, GRANT.refresh, GRANT.scopes)
    assert 3590 < tokens.expires_in <= 3600
    found = await desk.pending.find(link_id)
    assert found is not None
    assert found.outcome == "linked"
    assert await desk.pending.end(link_id, "refused") is None


async def test_what_stops_the_account_stops_everything(desk: Desk) -> None:
    link_id = await desk.returned(await desk.links.offer(UMA))
    with pytest.raises(RuntimeError):
        await desk.pending.link(link_id, Written(refuse=RuntimeError("taken")))
    found = await desk.pending.find(link_id)
    assert found is not None
    assert found.outcome is None
    assert await desk.pending.link(link_id, Written()) is not None


async def test_the_first_of_two_windows_wins(desk: Desk) -> None:
    tickets = [await desk.links.offer(UMA), await desk.links.offer(UMA)]
    first, second = [await desk.returned(one) for one in tickets]
    written = Written()
    ended = await asyncio.gather(
        *(desk.pending.link(one, written) for one in (first, second)), return_exceptions=True
    )
    assert len(written.accounts) == 1
    assert sum(isinstance(one, TooLate) for one in ended) == 1
    other = await desk.returned(await desk.links.offer(BOB))
    assert await desk.pending.link(other, written) is not None


async def test_what_is_refused_gives_its_tokens_out_one_last_time(desk: Desk) -> None:
    link_id = await desk.returned(await desk.links.offer(UMA))
    ended = await desk.pending.end(link_id, "refused", by="U0CAROL")
    assert ended is not None
    assert ended.tokens is not None
    assert ended.tokens.refresh == GRANT.refresh
    assert await desk.pending.end(link_id, "refused") is None
    assert await desk.pending.link(link_id, Written()) is None
    found = await desk.pending.find(link_id)
    assert found is not None
    assert (found.outcome, found.decided_by) == ("refused", "U0CAROL")


async def test_a_key_that_is_gone_ends_what_it_sealed(desk: Desk) -> None:
    begun = await desk.links.begin(await desk.links.offer(UMA), BROWSER)
    link_id = await desk.returned(await desk.links.offer(UMA))
    assert begun is not None
    another = Sealer([Fernet.generate_key().decode()])
    assert await Links(desk.database, another).take(begun.state, BROWSER) == "expired"
    pending = PendingLinks(desk.database, another)
    assert await pending.link(link_id, Written()) is None
    found = await pending.find(link_id)
    assert found is not None
    assert found.outcome == "expired"


async def test_waiting_for_an_admin_lasts_a_day_and_begins_once(desk: Desk) -> None:
    link_id = await desk.returned(await desk.links.offer(UMA))
    assert [await desk.pending.wait_for_admin(link_id) for _ in range(2)] == [True, False]
    await desk.pending.note_asked(link_id, [("D1", "1.2"), ("D2", "3.4")])
    await desk.age(3600)
    assert await desk.pending.sweep() == []
    found = await desk.pending.find(link_id)
    assert found is not None
    assert (found.asked, found.outcome) == ((("D1", "1.2"), ("D2", "3.4")), None)
    await desk.age(24 * 3600)
    assert await desk.pending.link(link_id, Written()) is None
    (ended,) = await desk.pending.sweep()
    assert ended.tokens is not None
    assert await desk.pending.sweep() == []


async def test_replicas_that_sweep_at_once_end_each_link_once(desk: Desk) -> None:
    for _ in range(3):
        await desk.returned(await desk.links.offer(UMA))
    await desk.age(601)
    swept = await asyncio.gather(*(desk.pending.sweep() for _ in range(3)))
    assert sum(map(len, swept)) == 3


async def test_what_is_long_over_is_forgotten(desk: Desk) -> None:
    await desk.pending.link(await desk.returned(await desk.links.offer(UMA)), Written())
    await desk.links.offer(BOB)
    await desk.age(900 + 24 * 3600)
    await desk.pending.sweep()
    async with desk.database.read() as connection:
        assert (await connection.execute(select(link_states))).all() == []
        assert (await connection.execute(select(link_tickets))).all() == []


async def test_what_was_asked_for_waits_no_longer_than_it_says(desk: Desk) -> None:
    kept = Intents(
        desk.database, Batcher(desk.database), Sealer([Fernet.generate_key().decode()]), holder="us"
    )
    intent = await kept.store(
        NewIntent(key="slash:1", user=UMA, surface="slash", verb="ack", words="ack 123")
    )
    assert intent is not None
    await kept.park(intent)
    link_id = await desk.returned(await desk.links.offer(UMA, intent.id))

    async def waits() -> bool:
        found = await desk.pending.find(link_id)
        return found is not None and found.has_intent

    assert await waits()
    async with desk.database.write() as connection:
        await connection.execute(update(intents).values(expires_at=intents.c.expires_at - 901))
    assert not await waits()
    [late] = await kept.take_expired()
    await kept.finish(late, EXPIRED, "expired")
    assert not await waits()
    nothing = await desk.pending.find(await desk.returned(await desk.links.offer(BOB)))
    assert nothing is not None
    assert not nothing.has_intent
