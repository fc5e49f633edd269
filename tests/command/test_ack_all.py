"""`ack-all`: asks back with the names of exactly those it would acknowledge, and changes nothing itself."""

from __future__ import annotations

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
    assert "Nothing triggered is assigned to Alice Anderson" in await board.types("ack-all mine")


async def test_an_unknown_name_gets_near_ones(board: Switchboard) -> None:
    assert "no service or team called “xyzzy”" in await board.types("ack-all xyzzy")


async def test_many_are_asked_about_in_parts(board: Switchboard) -> None:
    board.pagerduty.storm(120)
    said = await board.types("ack-all all")
    assert "Acknowledge 50" in said
    assert "the first 50 of" in said
