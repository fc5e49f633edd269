"""`show`, `more`, `help`, `whoami`: what one asks to know."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.sandbox.world import acme
from commands import CATALOG
from tests.command.switchboard import Switchboard

CHECKOUT_KEY = next(one.routing_key for one in acme().services if one.id == "PSVCCHK")


async def test_show_tells_everything_and_has_the_buttons(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"note {incident.number} Rotated the logs")
    said = await board.types(f"show {incident.number}")
    assert [
        words for words in ("Disk full", "level 1 of 3", "Rotated the logs", incident.id) if words not in said
    ] == []
    reply = board.newest()
    assert reply.buttons[:2] == ["Acknowledge", "Resolve"]
    await reply.press("Acknowledge", by="U0ALICE")
    await board.settle()
    assert board.truth(incident).status == "acknowledged"


async def test_show_tells_what_was_changed_before(board: Switchboard) -> None:
    await board.event_keys.put("deploys", SecretStr(CHECKOUT_KEY))
    await board.types("change deploys Deployed checkout 4.2")
    incident = await board.breaks("Disk full")
    said = await board.types(f"show {incident.number}")
    assert "Changed before it" in said
    assert "Deployed checkout 4.2" in said
    board.pagerduty.outage("error", paths=[f"/incidents/{incident.id}/related_change_events"], status=402)
    said = await board.types(f"show {incident.number}")
    assert "Disk full" in said
    assert "Changed before it" not in said


async def test_show_without_a_number_shows_the_one_here(board: Switchboard) -> None:
    await board.follows()
    await board.breaks("Disk full")
    assert "Disk full" in await board.types("show")


async def test_more_opens_every_verb_that_applies(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"show {incident.number}")
    await board.newest().press("More…", by="U0ALICE")
    await board.settle()
    view = board.slack.views.top("U0ALICE")
    assert view is not None
    values = [
        block["accessory"]["value"] for block in view.payload["blocks"] if block.get("accessory") is not None
    ]
    assert values == [
        f"ack {incident.id}",
        f"resolve {incident.id}",
        f"escalate {incident.id} 2",
        f"note {incident.id}",
        f"oncall {incident.id}",
    ]


async def test_pressed_in_that_list_an_act_is_told_there_and_a_form_takes_its_place(
    board: Switchboard,
) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"more {incident.number}")
    view = board.slack.views.top("U0ALICE")
    assert view is not None
    await board.slack.action("U0ALICE", "run:note", view=view.id)
    await board.settle()
    await board.alice.fills(text="From the list")
    await board.settle()
    assert [one.content for one in board.truth(incident).notes] == ["From the list"]
    await board.types(f"more {incident.number}")
    view = board.slack.views.top("U0ALICE")
    assert view is not None
    await board.slack.action("U0ALICE", "run:ack", view=view.id)
    await board.settle()
    assert board.truth(incident).status == "acknowledged"
    view = board.slack.views.top("U0ALICE")
    assert view is not None
    assert "Acknowledged" in str(view.payload["blocks"])


@pytest.mark.parametrize("line", ["", "help", "HELP", "?", "commands"])
async def test_help_names_every_command(board: Switchboard, line: str) -> None:
    said = await board.types(line, by="U0CAROL")
    assert [command.verb for command in CATALOG.shown() if f"/pager {command.verb}" not in said] == []
    assert "share" not in said


async def test_help_on_one_command(board: Switchboard) -> None:
    said = await board.types("help ack")
    assert "/pager ack [N…]" in said
    assert "acknowledge" in said
    assert "Did you mean" in await board.types("help akc")


async def test_help_comes_even_when_pagerduty_and_people_are_away(board: Switchboard) -> None:
    board.pagerduty.outage("down")
    board.slack.fault("users.info", "error", count=5)
    assert "/pager ack" in await board.types("help")


async def test_a_mistyped_verb_gets_the_nearest(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    said = await board.types(f"akc {incident.number}")
    assert "Did you mean" in said
    assert board.truth(incident).status == "triggered"
    await board.newest().press(board.newest().buttons[0], by="U0ALICE")
    await board.settle()
    assert board.truth(incident).status == "acknowledged"


async def test_whoami(board: Switchboard) -> None:
    said = await board.types("whoami", by="U0BOB")
    assert "act as Bob Brown" in said
    assert "bob@acme.example" in said
    assert "nobody I know in PagerDuty" in await board.types("whoami", by="U0DANA")
    assert "guest" in await board.types("whoami", by="U0GUEST")
