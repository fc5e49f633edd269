"""`audit`: admins see who did what, newest first; nobody else does, and nothing of another workspace."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.command.on_record import what_was_told
from bot.declaration import Reply
from bot.render.own_link import link_first
from tests.command.switchboard import Switchboard
from tests.store.acts import an_act, put_acts

CAROL = "U0CAROL"  # the admin


async def asks(board: Switchboard, line: str = "audit") -> str:
    return await board.types(line, by=CAROL)


async def test_an_act_is_seen_with_its_incident_and_what_came_of_it(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}", by="U0BOB")
    await board.types(f"resolve {incident.number}", by="U0OLIVE")
    said = await asks(board)
    refused, done = (row for row in board.newest(CAROL).words.splitlines() if "<@" in row or "@" in row)
    assert "done" in done
    assert "refused, not allowed" in refused
    assert f"#{incident.number}" in done
    assert "Disk full" in done
    assert "typed" in done
    assert said.index("resolve") < said.index("ack")  # the newest first
    assert board.calls()[-1] != "GET /incidents"  # PagerDuty is not asked for it


@pytest.mark.parametrize("user", ["U0ALICE", "U0GUEST"])
async def test_it_is_for_admins(board: Switchboard, user: str) -> None:
    await put_acts(board.database, an_act(words="ack swordfish", subjects=""))
    said = await board.types("audit", by=user)
    assert "swordfish" not in said
    assert "ADMINS" in said or "guest" in said


async def test_words_narrow_it_in_any_order(board: Switchboard) -> None:
    now = await board.incidents.now()
    old = now - timedelta(days=3)
    await put_acts(
        board.database,
        an_act(words="ack first", subjects="", accepted_at=old, user_id="U0BOB"),
        an_act(words="ack second", subjects="", accepted_at=now, user_id="U0BOB"),
        an_act(words="ack third", subjects="", accepted_at=now),
        an_act(words="ack other", subjects="", accepted_at=now, team_id="T0OTHER"),
    )

    async def seen(line: str) -> list[str]:
        said = await asks(board, line)
        return [word for word in ("first", "second", "third", "other") if word in said]

    assert await seen("audit") == ["first", "second", "third"]
    assert await seen("audit 24h") == ["second", "third"]
    assert await seen("audit <@U0BOB|bob>") == ["first", "second"]
    assert await seen("audit <@U0BOB> 24h") == ["second"]
    assert await seen("audit 24h <@U0BOB>") == ["second"]
    assert await seen("audit <@U0OLIVE>") == []
    assert "nothing on record" in board.newest(CAROL).text


async def test_a_long_list_is_cut_and_says_how_to_see_all(board: Switchboard) -> None:
    await put_acts(board.database, *(an_act(n, subjects="Q1,Q2,Q3") for n in range(40)))
    await asks(board)
    reply = board.newest(CAROL)
    assert "The newest 10 of 40 acts" in reply.words
    assert "python -m bot audit" in reply.words
    await reply.press("Show more", by=CAROL)
    await board.settle()
    shown = board.newest(CAROL)
    assert "The newest 30 of 40 acts" in shown.words
    assert shown.buttons == []
    await asks(board, "audit 1")
    assert "The newest 1 of 40 acts" in board.newest(CAROL).words


async def test_what_a_form_held_is_not_shown(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types("note")
    await board.alice.fills(incident=incident.id, text="the password is swordfish")
    await board.settle()
    assert len(board.truth(incident).notes) == 1
    said = await asks(board)
    assert "note" in said
    assert "swordfish" not in said


def test_the_address_of_a_link_button_is_not_kept() -> None:
    offered = link_first(
        "You are not linked.", "https://pager.example.com/pagerduty/link?ticket=s3cret", "s3cret"
    )
    assert "s3cret" in offered.text
    told = what_was_told(offered)
    assert "s3cret" not in told
    assert "You are not linked." in told
    assert what_was_told(Reply("See <https://a.example/?t=s3cret> now.")) == "See (link) now."
    assert what_was_told(None) == ""


async def test_what_channels_follow_is_on_record_too(board: Switchboard) -> None:
    await board.types("subscribe search", by="U0BOB")
    await board.types("subscribe search", by="U0BOB")  # it does already: nothing changes
    await board.types("unsubscribe search")
    await asks(board)
    rows = [row for row in board.newest(CAROL).words.splitlines() if "<@U0" in row]
    assert len(rows) == 2
    assert all(word in rows[0] for word in ("<@U0ALICE>", "unsubscribe", "done"))
    assert all(word in rows[1] for word in ("<@U0BOB>", "subscribe", "search", "done"))


async def test_so_is_who_was_refused_what_is_for_admins(board: Switchboard) -> None:
    await board.types("audit 24h", by="U0BOB")
    await asks(board)
    (row,) = [row for row in board.newest(CAROL).words.splitlines() if "<@U0" in row]
    assert all(word in row for word in ("<@U0BOB>", "audit", "24h", "refused, not allowed"))


async def test_other_words_are_not_guessed_at(board: Switchboard) -> None:
    assert "I do not understand “yesterday”" in await asks(board, "audit yesterday")
