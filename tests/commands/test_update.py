"""`update`: fields by name in one write, as the person; what is so already, or would do harm, is not sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.command.switchboard import Switchboard


def written(board: Switchboard) -> list[Any]:
    """Bodies of the writes to PagerDuty."""
    return [
        one.body["incident"]
        for one in board.pagerduty.journal
        if one.direction == "in" and one.method == "PUT"
    ]


async def test_several_fields_are_one_write_by_whoever_asks(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    said = await board.types(
        f"update {incident.number} status=acknowledged title=Disk nearly full urgency=high priority=p1",
        by="U0BOB",
    )
    assert "Updated" in said
    assert "status acknowledged, title “Disk nearly full”, priority P1" in said
    assert len(written(board)) == 1
    truth = board.truth(incident)
    assert (truth.status, truth.title, truth.priority) == ("acknowledged", "Disk nearly full", "PPRIO01")
    assert truth.acknowledgements[0].agent.id == "PBOB002"
    known = await board.incidents.find(incident.id)
    assert known is not None
    assert known.title == "Disk nearly full"


@pytest.mark.parametrize(
    ("words", "body"),
    [
        ("status=Resolved", {"status": "resolved"}),
        ("level=2", {"escalation_level": 2}),
        ("level=2 urgency=high", {"escalation_level": 2}),
        ("urgency=low", {"urgency": "low"}),
        ('title="level=3 is not a level"', {"title": "level=3 is not a level"}),
        ("title=“Cards & <pay>” urgency=LOW",
         {"title": "Cards & <pay>", "urgency": "low"}),
        ("priority=P2", {"priority": {"id": "PPRIO02", "type": "priority_reference"}}),
    ],
)  # fmt: skip
async def test_what_is_sent(board: Switchboard, words: str, body: dict[str, Any]) -> None:
    incident = await board.breaks("Disk full")
    assert "Updated" in await board.types(f"update {incident.number} {words}")
    assert written(board) == [{"type": "incident_reference", **body}]


async def test_what_is_so_already_is_not_written(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    assert "is so already" in await board.types(f"update {incident.number} urgency=high title=Disk full")
    assert written(board) == []


async def test_a_resolved_one_is_reopened_only_on_purpose(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.act(incident.id, "resolve", by="PBOB002")
    assert "would reopen it" in await board.types(f"update {incident.number} status=acknowledged")
    assert "It is resolved" in await board.types(f"update {incident.number} level=2")
    assert written(board) == []
    assert "Updated" in await board.types(f"update {incident.number} status=triggered")
    assert board.truth(incident).status == "triggered"


async def test_low_urgency_goes_to_no_level_unless_raised_as_well(board: Switchboard) -> None:
    incident = await board.breaks("Slow graphs", "PSVCMET")
    assert "Set the urgency high as well" in await board.types(f"update {incident.number} level=2")
    assert "Updated" in await board.types(f"update {incident.number} level=2 urgency=high")
    assert board.truth(incident).level == 2


async def test_two_at_once_move_it_to_a_level_once(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await asyncio.gather(
        board.types(f"update {incident.number} level=2", by="U0ALICE"),
        board.types(f"update {incident.number} level=2", by="U0CAROL"),
    )
    assert [one.type for one in board.truth(incident).log].count("escalate") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("status=closed", "triggered or acknowledged or resolved"),
        ("urgency=", "does not take “”"),
        ("level=high", "A level is a number"),
        ("priority=P9", "such as P1"),
        ("urgency=low urgency=high", "is there twice"),
        ("urgnecy=low", "has no `urgnecy=`. Did you mean `urgency=`?"),
        ("colour=red", "There is `status=`, `title=`"),
        ("level=2 status=resolved", "not both"),
        ("closed", "/pager update N [status"),
    ],
)
async def test_what_cannot_be_read_is_said_and_nothing_is_sent(
    board: Switchboard, words: str, said: str
) -> None:
    incident = await board.breaks("Disk full")
    assert said in await board.types(f"update {incident.number} {words}")
    assert written(board) == []


async def test_an_answer_that_was_lost_is_looked_for(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("drop_after", paths=["/incidents"], methods=["PUT"], count=1)
    assert "Updated" in await board.types(f"update {incident.number} status=acknowledged urgency=low")
    assert len(written(board)) == 1


async def test_pagerdutys_refusal_is_told(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("error", paths=["/incidents"], methods=["PUT"], status=400, code=1006)
    assert "cannot escalate it as it is now" in await board.types(f"update {incident.number} level=2")


async def test_without_a_field_the_form_asks(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"update {incident.number}")
    await board.alice.fills(title="Disk nearly full", urgency="low", level="")
    await board.settle()
    assert board.truth(incident).title == "Disk nearly full"
    assert board.truth(incident).urgency == "low"
    await board.types(f"update {incident.number}")
    await board.alice.fills()
    await board.settle()
    assert "Fill in at least one field" in board.newest().text


async def test_where_slack_opens_no_form_a_button_does(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.alice.mentions(f"update {incident.number}", board.checkout)
    await board.settle()
    question = board.newest()
    assert question.buttons == ["Open the form"]
    await question.press("Open the form", by="U0ALICE")
    await board.alice.fills(title="Disk nearly full")
    await board.settle()
    assert board.truth(incident).title == "Disk nearly full"


async def test_which_one_is_asked_where_several_are_open(board: Switchboard) -> None:
    await board.follows()
    first = await board.breaks("Disk full")
    await board.breaks("Queue stuck")
    assert "Which" in await board.types("update")
    (picker,) = board.newest().controls[:1]
    assert picker.value.startswith("update ")
    assert first.id in {one.value.split()[1] for one in board.newest().controls}


async def test_one_that_is_not_there_is_said(board: Switchboard) -> None:
    assert "There is no incident #99999" in await board.types("update 99999 urgency=low")
