"""`escalate`: up, by name of the level or to the next one, and never twice by accident."""

from __future__ import annotations

import asyncio

from tests.command.switchboard import Switchboard


def level_of(board: Switchboard, ident: str) -> int:
    return board.pagerduty.state.incidents[ident].level


def escalations(board: Switchboard, ident: str) -> int:
    return sum(entry.type == "escalate" for entry in board.pagerduty.state.incidents[ident].log)


async def test_to_the_next_level(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    said = await board.types(f"escalate {incident.number}")
    assert "Escalated" in said
    assert "Bob Brown" in said
    assert "level 2 of 3" in said
    assert level_of(board, incident.id) == 2


async def test_to_a_named_level(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    assert "level 3 of 3" in await board.types(f"escalate {incident.number} to level 3")
    assert level_of(board, incident.id) == 3


async def test_never_down(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.act(incident.id, "escalate", by="PBOB002", level=3)
    assert "at level 3 already" in await board.types(f"escalate {incident.number} 2")
    assert level_of(board, incident.id) == 3


async def test_two_who_press_at_once_escalate_once(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    said = await asyncio.gather(
        board.types(f"escalate {incident.number} 2", by="U0ALICE"),
        board.types(f"escalate {incident.number} 2", by="U0CAROL"),
    )
    assert sorted("nothing was done" in one for one in said) == [False, True]
    assert escalations(board, incident.id) == 1


async def test_typed_again_within_half_a_minute_it_asks_and_the_answer_is_absolute(
    board: Switchboard,
) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"escalate {incident.number}", by="U0ALICE")
    said = await board.types(f"escalate {incident.number}", by="U0BOB")
    assert "Somebody else escalated it" in said
    assert escalations(board, incident.id) == 1
    question = board.newest("U0BOB")
    assert [one.value for one in question.controls] == [f"escalate {incident.id} 3"]
    await question.press(question.buttons[0], by="U0BOB")
    await question.press(question.buttons[0], by="U0BOB")
    await board.settle()
    assert level_of(board, incident.id) == 3
    assert escalations(board, incident.id) == 2


async def test_a_level_by_name_needs_no_question(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"escalate {incident.number}")
    assert "level 3 of 3" in await board.types(f"escalate {incident.number} 3")


async def test_what_cannot_be_escalated_says_why(board: Switchboard) -> None:
    low = await board.breaks("Slow graphs", "PSVCMET")
    resolved = await board.breaks("Disk full")
    board.pagerduty.act(resolved.id, "resolve", by="PBOB002")
    top = await board.breaks("Queue stuck")
    board.pagerduty.act(top.id, "escalate", by="PBOB002", level=3)
    assert "low-urgency" in await board.types(f"escalate {low.number}")
    assert "low-urgency" in await board.types(f"escalate {low.number} 2")
    assert "It is resolved" in await board.types(f"escalate {resolved.number}")
    assert "last level" in await board.types(f"escalate {top.number}")
    assert "no incident" in await board.types("escalate 99999")


async def test_assigned_to_people_directly_it_asks_for_the_level(board: Switchboard) -> None:
    incident = await board.breaks("Disk full", assignee="POLIVE6")
    assert "assigned to people directly" in await board.types(f"escalate {incident.number}")
    assert [one.value for one in board.newest().controls] == [
        f"escalate {incident.id} {level}" for level in (1, 2, 3)
    ]


async def test_what_pagerduty_does_not_escalate_after_all_says_what_to_do(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("error", paths=["/incidents"], methods=["PUT"], status=400, code=1006)
    assert "Look at it, or call somebody directly" in await board.types(f"escalate {incident.number}")
