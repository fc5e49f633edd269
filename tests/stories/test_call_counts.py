"""What each command costs at PagerDuty: as few calls as it can be, because all share 960 a minute."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.pagerduty.state import Incident
from tests.stories.office import InProcess, Office
from tests.stories.waiting import until

STARTING = ("/users", "/services", "/escalation_policies", "/schedules", "/teams", "/priorities")


class Bill:
    """The REST calls since the last look."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._from = 0

    def calls(self) -> list[str]:
        journal = self._office.pagerduty.journal
        new, self._from = journal[self._from :], len(journal)
        return sorted(f"{one.method} {one.path}" for one in new if one.direction == "in")


@pytest.fixture
async def office(empty_sqlite_office: Office) -> AsyncIterator[Office]:
    """A bot whose directory is warm, and that nothing but commands makes call."""
    office = empty_sqlite_office
    async with InProcess(office):
        await office.alice.asks("oncall search", office.search, "On call for")

        def warm() -> bool:
            paths = [one.path for one in office.pagerduty.journal]
            return all(path in paths for path in (*STARTING, "/incidents"))

        await until(warm, "the directory stayed cold")
        yield office


@pytest.fixture
def bill(office: Office) -> Bill:
    bill = Bill(office)
    bill.calls()
    return bill


def unheard_of(office: Office, count: int) -> list[Incident]:
    """Open incidents no webhook told of."""
    office.pagerduty.webhooks.set_mode("drop")
    return [office.pagerduty.trigger("PSVCCHK", f"Trouble {number}") for number in range(count)]


async def test_oncall_takes_one_call_and_within_a_minute_none(office: Office, bill: Bill) -> None:
    await office.alice.asks("oncall checkout", office.search, "Alice Anderson")
    assert bill.calls() == ["GET /oncalls"]
    await office.bob.asks("who's on call for checkout?", office.search, "Alice Anderson")
    assert bill.calls() == []


async def test_list_takes_one_call_per_hundred(office: Office, bill: Bill) -> None:
    unheard_of(office, 120)
    await office.alice.asks("list", office.search, "120 triggered")
    assert bill.calls() == ["GET /incidents"] * 2


async def test_ack_takes_one_read_each_and_one_write_for_all(office: Office, bill: Bill) -> None:
    three = unheard_of(office, 3)
    await office.alice.asks("ack " + " ".join(one.id for one in three), office.search, "Acknowledged* 3 of 3")
    assert bill.calls() == sorted([*(f"GET /incidents/{one.id}" for one in three), "PUT /incidents"])


async def test_update_takes_one_read_and_one_write(office: Office, bill: Bill) -> None:
    (one,) = unheard_of(office, 1)
    await office.alice.asks(f"update {one.id} urgency=low title=Quieter", office.search, "Updated")
    assert bill.calls() == [f"GET /incidents/{one.id}", f"PUT /incidents/{one.id}"]


async def test_a_list_of_shifts_and_any_other_call_take_one(office: Office, bill: Bill) -> None:
    await office.alice.asks("oncall checkout until=30d total=yes", office.search, "lines in all")
    assert bill.calls() == ["GET /oncalls"]
    await office.carol.asks("api GET /abilities", office.search, "answered 200")
    assert bill.calls() == ["GET /abilities"]


async def test_an_unknown_number_costs_ack_nothing_more(office: Office, bill: Bill) -> None:
    (one,) = unheard_of(office, 1)
    await office.alice.asks(f"ack {one.number}", office.search, "Acknowledged <")
    assert bill.calls() == [f"GET /incidents/{one.number}", "PUT /incidents"]


async def test_resolve_takes_one_write_and_a_read_for_each_unknown_number(office: Office, bill: Bill) -> None:
    first, second = unheard_of(office, 2)
    await office.alice.asks(f"resolve {first.id} {second.id}", office.search, "Resolved* 2 of 2")
    assert bill.calls() == ["PUT /incidents"]
    third, fourth = unheard_of(office, 2)
    await office.alice.asks(f"resolve {third.number} {fourth.number}", office.search, "Resolved* 2 of 2")
    reads = sorted(f"GET /incidents/{one.number}" for one in (third, fourth))
    assert bill.calls() == [*reads, "PUT /incidents"]


async def test_a_press_on_a_message_resolves_with_one_call(office: Office, bill: Bill) -> None:
    await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    office.pagerduty.webhooks.set_mode("hold")
    bill.calls()
    await message.press("Resolve", by="U0ALICE")
    await message.expect("Resolved", buttons=[])
    assert bill.calls() == ["PUT /incidents"]
    assert office.truth(incident).status == "resolved"


async def test_a_burst_of_events_costs_one_read(office: Office, bill: Bill) -> None:
    await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    bill.calls()
    for rank in ("PPRIO05", "PPRIO04", "PPRIO03", "PPRIO02", "PPRIO01"):
        office.pagerduty.act(incident.id, "priority", by="PBOB002", value=rank)
    office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    office.pagerduty.act(incident.id, "escalate", by="PBOB002", level=2)
    await message.expect("*P1*", "level 2 of 3")
    reads = [call for call in bill.calls() if call == f"GET /incidents/{incident.id}"]
    assert 1 <= len(reads) <= 2
