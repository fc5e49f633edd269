"""Acts and reads over real HTTP: how many calls they take, and what is done when no answer comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.errors import PagerDutyRefused, PagerDutyUnavailable
from bot.model import Status
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.directory import Directory
from bot.pagerduty.http import AccountKey, PagerDutyHttp
from bot.pagerduty.journal import Journal
from bot.pagerduty.levels import Levels
from bot.pagerduty.tally import Counted, Tally
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme


@dataclass
class Desk:
    fake: FakePagerDuty
    reader: PagerDuty

    @property
    def alice(self) -> PagerDuty:
        return self.reader.acting_as("alice@acme.example", "T0ACME:U0ALICE")

    def calls(self, since: int = 0) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.fake.journal[since:]]

    def blind(self) -> None:
        """The write is carried out, its answer is lost, and nothing can be read afterwards."""
        self.fake.outage("drop_after", methods=("PUT", "POST"), count=1)
        self.fake.outage("down", methods=("GET",))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    fake = FakePagerDuty(acme())
    await fake.start()

    async def no_wait(_: float) -> None:
        await asyncio.sleep(0)

    async with aiohttp.ClientSession() as session:
        http = PagerDutyHttp(session, fake.origin, sleep=no_wait)
        yield Desk(fake, PagerDuty(http, AccountKey(SecretStr(fake.api_key))))
    await fake.stop()


# --------------------------------------------------------------------------------------------------- counting


async def test_acknowledging_is_a_read_each_and_one_write(desk: Desk) -> None:
    incidents = [desk.fake.trigger("Checkout", f"Disk {n} full") for n in range(3)]
    await asyncio.gather(*(desk.reader.incident(str(one.number)) for one in incidents))
    done = await desk.alice.set_status([one.id for one in incidents], Status.ACKNOWLEDGED)
    assert [one.incident.status for one in done] == [Status.ACKNOWLEDGED] * 3
    calls = desk.calls()
    assert sorted(calls[:3]) == [f"GET /incidents/{one.number}" for one in incidents]
    assert calls[3:] == ["PUT /incidents"]
    assert desk.fake.journal[-1].actor == "PALICE1"


async def test_every_call_is_kept_and_the_last_writes_answer_stands_out(desk: Desk) -> None:
    journal = Journal()
    alice = desk.alice.noting_in(journal)
    incident = desk.fake.trigger("Checkout", "Disk full")
    await alice.incident(incident.id)
    assert (journal.status, journal.request_id) == (None, None)  # a read is no act
    await alice.set_status([incident.id], Status.RESOLVED)
    assert journal.status == 200
    assert journal.request_id
    with pytest.raises(PagerDutyRefused):
        await alice.set_status([incident.id], Status.RESOLVED)
    assert journal.status == 400
    desk.blind()
    with pytest.raises(PagerDutyUnavailable):
        await alice.add_note(incident.id, "Looking")
    assert journal.status == 0
    read, done, refused, lost, *looks = journal.calls
    assert (read.method, read.path, read.status) == ("GET", "/incidents/{id}", 200)
    assert (done.method, done.path, done.status) == ("PUT", "/incidents", 200)
    assert (refused.status, lost.path, lost.status) == (400, "/incidents/{id}/notes", 0)
    assert lost.request_id is None
    assert {(one.method, one.status) for one in looks} == {("GET", 503)}
    told = [one.request_id for one in (read, done, refused)]
    assert len({*told}) == 3
    assert None not in told
    assert all(one.seconds >= 0 for one in journal.calls)


async def test_each_page_of_a_list_is_kept_too(desk: Desk) -> None:
    desk.fake.storm(130)
    journal = Journal()
    await desk.reader.noting_in(journal).incidents()
    assert [(one.method, one.path) for one in journal.calls] == [("GET", "/incidents")] * 2


async def test_what_the_account_key_does_for_somebody_counts_for_both(desk: Desk) -> None:
    tally = Tally()
    http = PagerDutyHttp(desk.reader.http._session, desk.fake.origin, tally=tally)
    account = PagerDuty(http, desk.reader.credentials)
    alice = account.acting_as("alice@acme.example", "T0ACME:U0ALICE")
    incident = desk.fake.trigger("Checkout", "Disk full")
    await account.incident(incident.id)
    await alice.set_status([incident.id], Status.ACKNOWLEDGED)
    assert tally.take() == {"account": Counted(2), "T0ACME:U0ALICE": Counted(1)}
    assert alice.credentials.budget == account.credentials.budget  # one limit, whoever it is for


async def test_resolving_is_one_write(desk: Desk) -> None:
    incidents = [desk.fake.trigger("Checkout", f"Disk {n} full") for n in range(2)]
    await desk.alice.set_status([one.id for one in incidents], Status.RESOLVED)
    assert desk.calls() == ["PUT /incidents"]


async def test_a_list_is_one_call_a_page(desk: Desk) -> None:
    desk.fake.storm(230)
    assert len(await desk.reader.incidents()) == 230
    assert desk.calls() == ["GET /incidents"] * 3


async def test_who_is_on_call_is_one_call_and_then_none(desk: Desk) -> None:
    directory = Directory(desk.reader)
    await directory.warm()
    before = len(desk.fake.journal)
    assert await directory.on_calls(policies=["PEPCHK"])
    assert await directory.on_calls(policies=["PEPCHK"])
    assert desk.calls(before) == ["GET /oncalls"]
    await directory.close()


async def test_reads_ask_for_what_a_message_shows(desk: Desk) -> None:
    """What is not asked for may be missing, and what is missing is taken for gone."""
    await desk.reader.incidents()
    asked = desk.fake.journal[-1].query
    assert {"acknowledgers", "conference_bridge", "first_trigger_log_entries"} <= set(asked["include[]"])
    assert asked["date_range"] == ["all"]


# ------------------------------------------------------------------------------------------ without an answer


async def test_an_acknowledgement_that_got_through_is_not_repeated(desk: Desk) -> None:
    incident = desk.fake.trigger("Checkout", "Disk full")
    desk.fake.outage("drop_after", methods=("PUT",), count=1)
    (done,) = await desk.alice.set_status([incident.id], Status.ACKNOWLEDGED)
    assert done.incident.status is Status.ACKNOWLEDGED
    assert desk.calls() == ["PUT /incidents", f"GET /incidents/{incident.id}"]


async def test_one_that_was_lost_is_repeated(desk: Desk) -> None:
    incident = desk.fake.trigger("Checkout", "Disk full")
    desk.fake.outage("drop_before", methods=("PUT",), count=1)
    (done,) = await desk.alice.set_status([incident.id], Status.ACKNOWLEDGED)
    assert done.incident.status is Status.ACKNOWLEDGED
    assert desk.calls().count("PUT /incidents") == 2


async def test_one_that_was_lost_does_not_reopen_what_was_resolved_meanwhile(desk: Desk) -> None:
    incident = desk.fake.trigger("Checkout", "Disk full")
    desk.fake.outage("drop_before", methods=("PUT",), count=1)
    desk.fake.act(incident.id, "resolve", by="PBOB002")
    (left,) = await desk.alice.set_status([incident.id], Status.ACKNOWLEDGED)
    assert left.incident.status is Status.RESOLVED
    assert incident.status == "resolved"


@pytest.mark.parametrize("act", ["acknowledge", "note", "create"])
async def test_what_cannot_be_looked_at_may_have_been_done(desk: Desk, act: str) -> None:
    incident = desk.fake.trigger("Checkout", "Disk full")
    acts: dict[str, Any] = {
        "acknowledge": lambda: desk.alice.set_status([incident.id], Status.ACKNOWLEDGED),
        "note": lambda: desk.alice.add_note(incident.id, "hello"),
        "create": lambda: desk.alice.create_incident(service_id="PSVCCHK", title="New", incident_key="k"),
    }
    desk.blind()
    with pytest.raises(PagerDutyUnavailable) as failed:
        await acts[act]()
    assert failed.value.maybe_done


@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "down"])
async def test_a_note_is_written_once_whatever_happens(desk: Desk, mode: Any) -> None:
    incident = desk.fake.trigger("Checkout", "Disk full")
    desk.fake.outage(mode, methods=("POST",), count=1)
    assert (await desk.alice.add_note(incident.id, "hello")).content == "hello"
    assert [note.content for note in incident.notes] == ["hello"]


async def test_the_same_words_written_long_ago_are_another_note(desk: Desk) -> None:
    incident = desk.fake.trigger("Checkout", "Disk full")
    await desk.alice.add_note(incident.id, "still looking")
    incident.notes[0] = replace(incident.notes[0], at=incident.notes[0].at - timedelta(hours=1))
    desk.fake.outage("drop_before", methods=("POST",), count=1)
    await desk.alice.add_note(incident.id, "still looking")
    assert len(incident.notes) == 2


@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "down"])
async def test_an_incident_is_made_once_whatever_happens(desk: Desk, mode: Any) -> None:
    desk.fake.outage(mode, methods=("POST",), count=1)
    made = await desk.alice.create_incident(service_id="PSVCCHK", title="New", incident_key="key")
    assert not made.existed
    assert len(desk.fake.state.incidents) == 1
    again = await desk.alice.create_incident(service_id="PSVCCHK", title="New", incident_key="key")
    assert again.existed
    assert again.reading.incident.id == made.reading.incident.id


async def test_an_escalation_without_an_answer_is_not_repeated(desk: Desk) -> None:
    incident = desk.fake.trigger("Checkout", "Disk full")
    desk.fake.outage("drop_after", methods=("PUT",))
    with pytest.raises(PagerDutyUnavailable) as failed:
        await desk.alice.escalate(incident.id, 2)
    assert failed.value.maybe_done
    assert desk.calls() == [f"PUT /incidents/{incident.id}"]


# ----------------------------------------------------------------------------------------------------- levels


async def test_what_was_given_to_people_by_name_stands_at_no_level(desk: Desk) -> None:
    directory = Directory(desk.reader)
    levels = Levels(directory, desk.reader)
    incident = desk.fake.trigger("Checkout", "Disk full")
    followed = (await desk.reader.incident(incident.id)).incident
    assert (await levels.with_level(followed, ask=True)).level is not None
    desk.fake.act(incident.id, "reassign", by="PBOB002", users=["PALICE1"])
    direct = (await desk.reader.incident(incident.id)).incident
    assert [person.id for person in direct.assignees] == ["PALICE1"]
    assert (await levels.with_level(direct, ask=True)).level is None
    await directory.close()
