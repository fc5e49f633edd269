"""`list`: every open incident is reachable, narrowed by words, page by page."""

from __future__ import annotations

import pytest

from tests.command.switchboard import Switchboard


@pytest.mark.parametrize("verb", ["list", "incidents", "sup"])
async def test_everything_open(board: Switchboard, verb: str) -> None:
    await board.breaks("Disk full")
    gone = await board.breaks("Over long ago")
    board.pagerduty.act(gone.id, "resolve", by="PBOB002")
    board.calls()
    said = await board.types(verb)
    assert "Disk full" in said
    assert "Over long ago" not in said
    assert board.calls() == ["GET /incidents"]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("list mine", {"Cards fail"}),
        ("list search", {"No results"}),
        ("list serach", {"No results"}),
        ("list team platform", {"No results"}),
        ("list payments", {"Cards fail", "Half of the cards fail"}),
        ("list triggered", {"Cards fail", "No results", "Slow graphs"}),
        ("list acknowledged", {"Half of the cards fail"}),
        ("list triggered platform", {"No results"}),
        ("list all open incidents", {"Cards fail", "Half of the cards fail", "No results", "Slow graphs"}),
    ],
)
async def test_words_narrow_it(board: Switchboard, line: str, seen: set[str]) -> None:
    await board.breaks("Cards fail")
    taken = await board.breaks("Half of the cards fail")
    board.pagerduty.act(taken.id, "acknowledge", by="PBOB002")
    await board.breaks("No results", "PSVCSEA")
    await board.breaks("Slow graphs", "PSVCMET")
    said = await board.types(line)
    titles = {"Cards fail", "Half of the cards fail", "No results", "Slow graphs"}
    assert {title for title in titles if title in said} == seen


async def test_an_unknown_name_gets_near_ones(board: Switchboard) -> None:
    assert "no service or team called “xyzzy”" in await board.types("list xyzzy")


async def test_nothing_open_is_good_news(board: Switchboard) -> None:
    assert "none" in await board.types("list")


async def test_four_hundred_are_all_reachable(board: Switchboard) -> None:
    made = {one.number for one in board.pagerduty.storm(400)}
    board.calls()
    await board.types("list")
    assert board.calls() == ["GET /incidents"] * 4  # one per 100
    seen: set[int] = set()
    presses = 0
    while True:
        reply = board.newest()
        seen |= {number for number in made if f"#{number}" in f"{reply.words} "}
        following = next((one for one in reply.controls if one.label.startswith("Next")), None)
        if following is None:
            break
        await reply.press(following.label, by="U0ALICE")
        await board.settle()
        presses += 1
        assert presses < 60
    assert seen == made
    pages = board.checkout.answers("U0ALICE")
    assert len(pages) == 1  # they took each other's place


async def test_somebody_unknown_in_pagerduty_has_no_incidents_of_their_own(board: Switchboard) -> None:
    assert "dana@acme.example" in await board.types("list mine", by="U0DANA")
    assert "none" in await board.types("list", by="U0DANA")
