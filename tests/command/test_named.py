"""Options typed by name: where each begins and ends, and what is left of the line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.again import words_for, words_on_record
from bot.command.arguments import Given, read_line
from bot.command.fields import check_fields, read_fields
from bot.declaration import Command, IncidentRef, LevelNumber
from bot.errors import UserError
from bot.render.carried import read_carried
from commands import CATALOG
from tests.command.directory import names


def command(verb: str) -> Command:
    found = CATALOG.find(verb)
    assert found is not None
    return found


async def read(line: str) -> dict[str, Any]:
    verb, _, rest = line.partition(" ")
    return dict((await read_line(command(verb), rest, names())).values)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("update 12 urgency=low", {"incident": IncidentRef("12"), "urgency": "low"}),
        ("update title=Disk full on db-1 level=2", {"title": "Disk full on db-1", "level": LevelNumber(2)}),
        ("update level=2 12", {"incident": IncidentRef("12"), "level": LevelNumber(2)}),
        ('update 12 title="say level=3" urgency=HIGH',
         {"incident": IncidentRef("12"), "title": "say level=3", "urgency": "high"}),
        ("update 12 TITLE=“Cards & pay”", {"incident": IncidentRef("12"), "title": "Cards & pay"}),
        ("update 12 title=a subtitle=b", {"incident": IncidentRef("12"), "title": "a subtitle=b"}),
        ('update title="unclosed', {"title": '"unclosed'}),
        ("oncall checkout until=7d zone=Europe/Berlin",
         {"anything": "checkout", "until": "7d", "zone": "Europe/Berlin"}),
        ("oncall zone=UTC checkout primary", {"anything": "checkout primary", "zone": "UTC"}),
        ("oncall users=<@U0BOB|bob>, carol limit=5", {"users": "@U0BOB carol", "limit": "5"}),
        ('api get /x query=a=1 query=b[]=2 body={"a": "x query=1"}',
         {"method": "get", "path": "/x", "query": ["a=1", "b[]=2"], "body": '{"a": "x query=1"}'}),
    ],
)  # fmt: skip
async def test_options_stand_anywhere_in_a_line(line: str, values: dict[str, Any]) -> None:
    assert await read(line) == values


@pytest.mark.parametrize("line", ["update 12 level=", "update 12 level=2 level=3", "update 12 urgency=loud"])
async def test_what_is_wrong_names_the_option(line: str) -> None:
    with pytest.raises(UserError, match="="):
        await read(line)


@given(st.text(max_size=80))
async def test_any_line_is_read_or_refused(line: str) -> None:
    for verb in ("update", "oncall", "api"):
        try:
            await read_line(command(verb), line, names())
        except UserError:
            continue


async def test_what_a_button_carries_gives_the_same_again() -> None:
    line = 'api put /incidents/Q1 query=a=1 query=b=2 body={"x": 1}'
    given_first = await read_line(command("api"), line.partition(" ")[2], names())
    verb, fields = read_carried(words_for(command("api"), given_first))
    assert verb == "api"
    assert fields is not None
    check_fields(command("api"), fields)
    assert (await read_fields(command("api"), fields, names())).values == given_first.values


async def test_on_record_stands_what_was_understood_but_no_body() -> None:
    given_now = Given(await read('api post /x query=a=1 header=X: s3cret body={"k": "s3cret"}'))
    assert words_on_record(command("api"), given_now, "typed") == "api post /x query=a=1"
    given_now = Given(await read("update 12 title=Disk full urgency=low"))
    assert words_on_record(command("update"), given_now, "typed") == "update 12 title=Disk full urgency=low"
    assert words_on_record(command("note"), Given(await read("note 12 back")), "typed") == "typed"
