"""`team-links`: who goes on call and is not linked, in both modes, and *Remind them*."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.command.people import PeopleSync
from bot.store.people import People
from tests.command.switchboard import Switchboard, switchboard
from tests.stories.slack_eyes import Place, Seen


async def matched(board: Switchboard) -> None:
    """As the loop of bot/command/people.py does."""
    await PeopleSync(
        board.directory, board.workspaces, People(board.database), board.services.accounts.linked_in
    ).once()
    board.calls()


@pytest.fixture
async def linking(sqlite_url: str) -> AsyncIterator[Switchboard]:
    """Everybody may link; Alice and Carol have, Bob and Uma have not, and Uma takes over from Alice."""
    async with switchboard(sqlite_url, mode="oauth") as board:
        await matched(board)
        board.pagerduty.rota.rearrange("PSCHCHK", ("PALICE1", "PUMA007"))
        for user in ("U0ALICE", "U0CAROL"):
            await board.links.link(user)
        board.calls()
        yield board


def messages(board: Switchboard, user: str) -> list[Seen]:
    return Place(board.slack, board.slack.workspace.direct_messages(user).id).messages()


async def test_who_is_not_linked_comes_first_with_their_next_turn(linking: Switchboard) -> None:
    told = await linking.types("team-links", by="U0CAROL")
    first, rest = told.split("\n", 1)
    assert first.startswith("2 of 4 people on the rotas of the next two weeks are not linked: Bob Brown, ")
    assert "Uma Ueda, from " in first
    assert first.endswith("2 are linked.")
    assert "<@U0UMA>" in rest
    assert "2 are linked: Alice Anderson and Carol Chen" in rest or "Carol Chen and Alice Anderson" in rest
    assert linking.newest("U0CAROL").buttons == ["Remind them"]


async def test_it_is_for_admins(linking: Switchboard) -> None:
    told = await linking.types("team-links remind", by="U0ALICE")
    assert "ADMINS" in told
    assert "Uma Ueda" not in told
    assert messages(linking, "U0UMA") == []


async def test_one_call_per_hundred_and_no_other(linking: Switchboard) -> None:
    await linking.types("team-links", by="U0CAROL")
    assert linking.calls() == ["GET /oncalls"]


async def test_the_button_reminds_each_of_them_once(linking: Switchboard) -> None:
    await linking.types("team-links", by="U0CAROL")
    shown = linking.newest("U0CAROL")
    await shown.press("Remind them", by="U0CAROL")
    await linking.settle()
    assert linking.newest("U0CAROL").text == "Sent 2 reminders to Bob Brown and Uma Ueda."
    (reminder,) = messages(linking, "U0UMA")
    assert reminder.text.startswith("You go on call ")
    assert reminder.buttons == ["Link my PagerDuty account"]
    assert len(messages(linking, "U0BOB")) == 1
    assert messages(linking, "U0ALICE") == []

    again = await linking.types("team-links remind", by="U0CAROL")
    assert "Sent no reminder. Not sent to Bob Brown: reminded less than a day ago;" in again
    assert len(messages(linking, "U0UMA")) == 1


async def test_whoever_links_is_no_longer_named(linking: Switchboard) -> None:
    await linking.links.link("U0BOB")
    assert "1 of 4 people" in await linking.types("team-links", by="U0CAROL")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("checkout", "2 of 4 people on call for Checkout in"),
        ("payments", "2 of 4 people on call for Payments in"),
        ("@payments", "2 of 4 people on call for Payments in"),
        ("platform on-call", "1 of 3 people on call for Platform on-call in"),
        ("checkout rota", "1 of 2 people on call for Checkout rota in"),
    ],
)
async def test_words_narrow_it(linking: Switchboard, words: str, said: str) -> None:
    told = await linking.types(f"team-links {words}", by="U0CAROL")
    assert said in told


async def test_the_button_under_a_part_reminds_of_that_part(linking: Switchboard) -> None:
    await linking.types("team-links checkout rota", by="U0CAROL")
    await linking.newest("U0CAROL").press("Remind them", by="U0CAROL")
    await linking.settle()
    assert linking.newest("U0CAROL").text == "Sent 1 reminder to Uma Ueda."
    assert messages(linking, "U0BOB") == []


async def test_between_two_it_offers_a_choice_that_still_reminds(linking: Switchboard) -> None:
    await linking.types("team-links remind rota", by="U0CAROL")
    await linking.newest("U0CAROL").press("Checkout rota", by="U0CAROL")
    await linking.settle()
    assert linking.newest("U0CAROL").text == "Sent 1 reminder to Uma Ueda."


async def test_what_nobody_knows_is_said(linking: Switchboard) -> None:
    assert "service, team, policy or schedule" in await linking.types("team-links xyzzy", by="U0CAROL")


# ------------------------------------------------------------------------------------- matched by e-mail


async def test_matched_by_email_everybody_is_known(board: Switchboard) -> None:
    await matched(board)
    told = await board.types("team-links", by="U0CAROL")
    assert "All 3 people on the rotas of the next two weeks are matched" in told
    assert board.newest("U0CAROL").buttons == []


async def test_not_matched_is_named_with_what_to_do(board: Switchboard) -> None:
    told = await board.types("team-links", by="U0CAROL")  # nothing was compared yet
    assert "3 of 3 people on the rotas of the next two weeks are not matched" in told
    assert "Give both accounts the same address." in told


async def test_where_nobody_links_nobody_is_reminded(board: Switchboard) -> None:
    assert "nothing to remind of" in await board.types("team-links remind", by="U0CAROL")
