"""`trigger`: a line or a form, and one incident however often it is sent."""

from __future__ import annotations

import asyncio

from tests.command.switchboard import Switchboard


def titles(board: Switchboard) -> list[str]:
    return [one.title for one in board.pagerduty.state.incidents.values()]


async def test_a_line_is_enough(board: Switchboard) -> None:
    said = await board.types("trigger checkout Card payments fail")
    assert "Triggered" in said
    (incident,) = board.pagerduty.state.incidents.values()
    assert (incident.title, incident.service) == ("Card payments fail", "PSVCCHK")
    assert incident.incident_key.startswith("pagerline-")
    stored = await board.incidents.find(incident.id)
    assert stored is not None


async def test_a_form_asks_for_the_rest(board: Switchboard) -> None:
    await board.types("trigger Disk full on db-1", by="U0BOB")
    form = await board.bob.form()
    names = [block["block_id"] for block in form["blocks"] if block["type"] == "input"]
    assert names == ["service", "title", "details", "urgency"]
    view = board.slack.views.top("U0BOB")
    assert view is not None
    offered = await board.slack.options("U0BOB", "field:service", "paym", view=view.id)
    assert [one["text"]["text"] for one in offered.body["options"]] == ["Payments API"]
    await board.bob.fills(service="PSVCPAY", details="It says ENOSPC", urgency="low")
    await board.settle()
    (incident,) = board.pagerduty.state.incidents.values()
    assert (incident.title, incident.service, incident.urgency, incident.details) == (
        "Disk full on db-1",
        "PSVCPAY",
        "low",
        "It says ENOSPC",
    )
    assert "Triggered" in board.newest("U0BOB").text


async def test_a_form_sent_twice_makes_one(board: Switchboard) -> None:
    await board.types("trigger checkout")
    form = await board.alice.form()
    assert "Checkout" in str(form["blocks"])
    view = board.slack.views.top("U0ALICE")
    assert view is not None
    await asyncio.gather(
        *(board.slack.submit("U0ALICE", view.id, {"title": "Cards fail"}) for _ in range(2)),
        return_exceptions=True,
    )
    await board.settle()
    await board.slack.repeat("view_submission")
    await board.settle()
    assert titles(board) == ["Cards fail"]


async def test_a_repeated_line_makes_one(board: Switchboard) -> None:
    await board.types("trigger checkout Cards fail")
    await board.slack.repeat()
    await board.settle()
    assert titles(board) == ["Cards fail"]


async def test_what_pagerduty_refuses_is_said(board: Switchboard) -> None:
    board.pagerduty.outage("error", paths=["/incidents"], methods=["POST"], status=403, code=2010)
    said = await board.types("trigger checkout Cards fail")
    assert "PagerDuty does not let you do that" in said
    assert "incidents.write" in said
    assert titles(board) == []
