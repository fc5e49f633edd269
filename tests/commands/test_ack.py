"""`ack`: safe whatever the incident has become meanwhile."""

from __future__ import annotations

import asyncio

from tests.command.switchboard import Switchboard
from tests.stories.waiting import until


async def test_it_acknowledges_as_the_person_who_typed(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    said = await board.types(f"ack {incident.number}", by="U0BOB")
    assert f"Acknowledged #{incident.number}" in said
    assert board.truth(incident).status == "acknowledged"
    assert [one.agent.id for one in board.truth(incident).acknowledgements] == ["PBOB002"]
    stored = await board.incidents.find(incident.id)
    assert stored is not None
    assert stored.status == "acknowledged"


async def test_several_take_one_read_each_and_one_write(board: Switchboard) -> None:
    three = [await board.breaks(f"Disk {number} full") for number in range(3)]
    said = await board.types("ack " + ", ".join(f"#{one.number}" for one in three))
    assert "Acknowledged 3 of 3" in said
    calls = board.calls()
    assert sorted(calls) == sorted([f"GET /incidents/{one.number}" for one in three] + ["PUT /incidents"])


async def test_a_resolved_one_is_told_and_left_alone(board: Switchboard) -> None:
    first, second = await board.breaks("Disk full"), await board.breaks("Queue stuck")
    board.pagerduty.act(first.id, "resolve", by="PBOB002")
    said = await board.types(f"ack {first.number} {second.number}")
    assert "resolved already, so I left it alone" in said
    assert f"Acknowledged #{second.number}" in said
    assert board.truth(first).status == "resolved"
    assert board.truth(second).status == "acknowledged"


async def test_already_acknowledged_is_success_and_writes_nothing(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    said = await board.types(f"ack {incident.number}")
    assert "already acknowledged" in said
    assert "Bob Brown" in said
    assert board.calls() == [f"GET /incidents/{incident.number}"]
    assert [one.agent.id for one in board.truth(incident).acknowledgements] == ["PBOB002"]


async def test_what_is_no_incident_is_told_beside_the_others(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    said = await board.types(f"ack {incident.number} 99999")
    assert "99999" in said
    assert "no incident I can find" in said
    assert board.truth(incident).status == "acknowledged"


async def test_named_twice_it_is_done_once(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    said = await board.types(f"ack {incident.number} {incident.id}")
    assert said.count("Acknowledged") == 2  # once in the text, once in the block


async def test_resolved_in_the_moment_between_is_told_and_resolve_offered(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("slow", paths=["/incidents"], methods=["PUT"], seconds=0.4)
    typing = asyncio.create_task(board.types(f"ack {incident.number}"))
    await until(
        lambda: f"GET /incidents/{incident.number}" in board.calls() or None, "the incident was not read"
    )
    board.pagerduty.act(incident.id, "resolve", by="PBOB002")
    said = await typing
    assert "reopened" in said
    assert board.truth(incident).status == "acknowledged"
    assert board.newest().buttons == ["Resolve"]
    await board.newest().press("Resolve", by="U0ALICE")
    await board.settle()
    assert board.truth(incident).status == "resolved"


async def test_the_one_open_incident_here_is_meant(board: Switchboard) -> None:
    await board.follows()
    incident = await board.breaks("Disk full")
    assert f"Acknowledged #{incident.number}" in await board.types("ack")
    assert board.truth(incident).status == "acknowledged"


async def test_among_several_it_asks(board: Switchboard) -> None:
    await board.follows()
    first, second = await board.breaks("Disk full"), await board.breaks("Queue stuck")
    assert "Which" in await board.types("ack")
    assert {board.truth(first).status, board.truth(second).status} == {"triggered"}
    picker = next(one for one in board.newest().controls if "Queue stuck" in one.label)
    answer = await board.slack.action(
        "U0ALICE", picker.action_id, channel="C0CHECK", message=board.newest().ts, option=picker.value
    )
    assert answer.status == 200
    await board.settle()
    assert board.truth(second).status == "acknowledged"
    assert board.truth(first).status == "triggered"


async def test_where_none_is_open_it_says_so(board: Switchboard) -> None:
    assert "No incident is open here" in await board.types("ack")


async def test_refused_together_each_is_tried_alone(board: Switchboard) -> None:
    two = [await board.breaks(f"Disk {number} full") for number in range(2)]
    board.pagerduty.outage("error", paths=["/incidents"], methods=["PUT"], status=400, code=2001, count=1)
    said = await board.types("ack " + " ".join(str(one.number) for one in two))
    assert "Acknowledged 2 of 2" in said
    assert [board.truth(one).status for one in two] == ["acknowledged", "acknowledged"]


async def test_alone_but_limited_is_not_called_a_refusal(board: Switchboard) -> None:
    two = [await board.breaks(f"Disk {number} full") for number in range(2)]
    board.pagerduty.outage("error", paths=["/incidents"], methods=["PUT"], status=400, code=2001, count=1)
    board.pagerduty.outage("limited", paths=["/incidents"], methods=["PUT"])
    said = await board.types("ack " + " ".join(str(one.number) for one in two))
    assert "Acknowledged 0 of 2" in said
    assert "refused" not in said
    assert said.count("Try again in a minute") == 4  # each, in the text and in the blocks


async def test_resolved_while_the_answer_was_lost_is_not_called_acknowledged(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("slow", paths=[f"/incidents/{incident.id}"], seconds=0.8)
    board.pagerduty.outage("drop_before", paths=["/incidents"], methods=["PUT"], count=2)
    typing = asyncio.create_task(board.types(f"ack {incident.number}"))
    await until(lambda: "PUT /incidents" in board.calls() or None, "nothing was written")
    board.pagerduty.act(incident.id, "resolve", by="PBOB002")
    said = await typing
    assert "resolved already" in said
    assert "Acknowledged #" not in said
    assert board.truth(incident).status == "resolved"
