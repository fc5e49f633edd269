"""`ack-all`: asks back with the names of exactly those it would acknowledge, and changes nothing itself."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.command.switchboard import Switchboard


@pytest.mark.parametrize("words", ["ack-all", "ack-all mine", "ack-all service PSVCCHK", "ack-all checkout"])
async def test_it_names_them_and_acknowledges_nothing(board: Switchboard, words: str) -> None:
    mine = await board.breaks("Cards fail")
    taken = await board.breaks("Half of the cards fail")
    board.pagerduty.act(taken.id, "acknowledge", by="PBOB002")
    said = await board.types(words)
    assert "Cards fail" in said
    assert "Half of the cards" not in said
    assert "Acknowledge 1" in said
    assert board.truth(mine).status == "triggered"


async def test_its_button_acknowledges_those(board: Switchboard) -> None:
    made = [await board.breaks(f"Disk {number} is full") for number in range(3)]
    await board.types("ack-all checkout")
    await board.newest().press("Acknowledge 3", by="U0ALICE")
    await board.settle()
    assert {board.truth(one).status for one in made} == {"acknowledged"}


async def test_nothing_triggered_is_said(board: Switchboard) -> None:
    assert "No incident assigned to Alice Anderson is triggered." in await board.types("ack-all mine")


async def test_an_unknown_name_gets_near_ones(board: Switchboard) -> None:
    assert "no service or team called “xyzzy”" in await board.types("ack-all xyzzy")


async def test_as_many_as_pagerduty_takes_at_once(board: Switchboard) -> None:
    board.pagerduty.storm(280)
    said = await board.types("ack-all all")
    assert "the first 250 of 280" in said
    board.calls()
    await board.newest().press("Acknowledge 250", by="U0ALICE")
    await board.settle()
    statuses = Counter(one.status for one in board.pagerduty.state.incidents.values())
    assert (statuses["acknowledged"], statuses["triggered"]) == (250, 30)
    calls = Counter(board.calls())
    assert (calls["GET /incidents"], calls["PUT /incidents"], calls.total()) == (3, 1, 4)
    assert "*Acknowledged* 250 of 250 incidents" in board.newest().words


async def test_what_is_over_by_then_is_left_alone_and_told_first(board: Switchboard) -> None:
    board.pagerduty.storm(60)
    await board.types("ack-all all")
    for one in list(board.pagerduty.state.incidents.values())[:5]:
        board.pagerduty.act(one.id, "resolve", by="PBOB002")
    await board.newest().press("Acknowledge 60", by="U0ALICE")
    await board.settle()
    told = board.newest().words
    assert "*Acknowledged* 55 of 60 incidents" in told
    assert told.index("Resolved already, so I left them alone") < told.index("Acknowledged: #")
