"""`resolve`: one write, and what is resolved already is success."""

from __future__ import annotations

from tests.command.switchboard import Switchboard


async def test_several_we_know_take_one_write(board: Switchboard) -> None:
    three = [await board.breaks(f"Disk {number} full") for number in range(3)]
    board.calls()
    said = await board.types("resolve " + " ".join(str(one.number) for one in three))
    assert "Resolved 3 of 3" in said
    assert board.calls() == ["PUT /incidents"]
    assert {board.truth(one).status for one in three} == {"resolved"}


async def test_a_number_never_heard_of_is_read_first(board: Switchboard) -> None:
    board.pagerduty.webhooks.set_mode("drop")
    incident = board.pagerduty.trigger("PSVCCHK", "Disk full")
    board.calls()
    await board.types(f"resolve {incident.number}")
    assert board.calls() == [f"GET /incidents/{incident.number}", "PUT /incidents"]
    assert board.truth(incident).status == "resolved"


async def test_an_id_is_written_without_a_read(board: Switchboard) -> None:
    incident = board.pagerduty.trigger("PSVCCHK", "Disk full")
    board.calls()
    await board.types(f"resolve {incident.id}")
    assert board.calls() == ["PUT /incidents"]


async def test_already_resolved_is_success_and_does_not_spoil_the_others(board: Switchboard) -> None:
    first, second = await board.breaks("Disk full"), await board.breaks("Queue stuck")
    board.pagerduty.act(first.id, "resolve", by="PBOB002")
    said = await board.types(f"resolve {first.id} {second.id}")
    assert "already resolved" in said
    assert board.truth(second).status == "resolved"


async def test_the_resolver_is_the_person(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"resolve {incident.number}", by="U0BOB")
    agent = board.truth(incident).changed_by
    assert agent is not None
    assert agent.id == "PBOB002"


async def test_nothing_of_that_name(board: Switchboard) -> None:
    assert "no incident I can find" in await board.types("resolve 99999")
    assert "no incident I can find" in await board.types("resolve QNOSUCH")
