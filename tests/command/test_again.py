"""A button that asks for the same again means what was meant, however its words alone would be read."""

from __future__ import annotations

import pytest

from bot.command.again import words_again, words_for
from bot.command.arguments import Given
from bot.command.fields import read_fields
from bot.command.request import Request, Surface
from bot.command.words import clean
from bot.declaration import Command, IncidentRef, LevelNumber, Prose
from bot.model import SlackUser
from bot.render.carried import read_carried
from commands import CATALOG
from tests.command.directory import names
from tests.command.switchboard import Switchboard


def command(verb: str) -> Command:
    found = CATALOG.find(verb)
    assert found is not None
    return found


def typed(line: str, surface: Surface = Surface.MENTION) -> Request:
    return Request(key="k", user=SlackUser("T0ACME", "U0ALICE"), surface=surface, text=line)


def test_what_can_only_be_read_in_one_way_is_words() -> None:
    two = Given({"incidents": [IncidentRef("Q1"), IncidentRef("1234")]})
    assert words_for(command("ack"), two) == "ack Q1 1234"
    assert words_for(command("list"), Given()) == "list"
    assert words_for(command("escalate"), Given({"level": LevelNumber(2)})) == 'escalate {"level":"2"}'


@pytest.mark.parametrize("text", ["PROD is back", "1234", "“quoted” <b> &amp; \n*bold*", '"one"'])
async def test_a_note_comes_back_as_it_was_whatever_it_begins_with(text: str) -> None:
    note = command("note")
    for given in (Given({"text": Prose(text)}), Given({"text": Prose(text), "incident": IncidentRef("Q1")})):
        value = words_for(note, given)
        assert clean(value) == value
        verb, fields = read_carried(value)
        assert verb == "note"
        assert fields is not None
        assert (await read_fields(note, fields, names())).values == given.values


def test_what_was_not_understood_is_offered_only_where_the_words_alone_say_it() -> None:
    note, trigger = command("note"), command("trigger")
    assert words_again(note, typed("note PROD is back"), None, "note PROD is back") == ""
    assert words_again(note, typed("note Q1 back", Surface.BUTTON), None, "note Q1 back") == "note Q1 back"
    assert words_again(trigger, typed("trigger x y"), None, "trigger x y") == "trigger x y"


async def test_tried_again_a_note_stays_on_the_incident_it_was_meant_for(board: Switchboard) -> None:
    await board.follows()
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("limited", paths=[f"/incidents/{incident.id}/notes"])
    assert "limiting" in await board.types("note PROD is back")
    board.pagerduty.outage("off")
    await board.newest().press("Try again", by="U0ALICE")
    await board.settle()
    assert [one.content for one in board.truth(incident).notes] == ["PROD is back"]
