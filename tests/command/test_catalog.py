"""A verb is found by its word, an alias, or nearly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.catalog import Catalog
from bot.declaration import Reply, command
from commands import CATALOG


@command("one", aliases=("uno",))
async def one(ctx: object) -> Reply:
    """First."""
    return Reply("")


@command("two", aliases=("uno",))
async def two(ctx: object) -> Reply:
    """Second."""
    return Reply("")


@command("Three")
async def three(ctx: object) -> Reply:
    """Third."""
    return Reply("")


def test_two_commands_cannot_share_a_word() -> None:
    with pytest.raises(ValueError, match="one"):
        Catalog(one, two)
    with pytest.raises(ValueError, match="Three"):
        Catalog(three)


@pytest.mark.parametrize(
    ("line", "verb", "rest"),
    [
        ("ack 1", "ack", "1"),
        ("ACK 1", "ack", "1"),
        ("acknowledge: 1", "ack", "1"),
        ("who’s on call for checkout?", "oncall", "on call for checkout?"),
        ("sup", "list", ""),
        ("incidents mine", "list", "mine"),
        ("", "help", ""),
        ("   ", "help", ""),
        ("note\n12 text", "note", "12 text"),
        ("/list", "list", ""),
    ],
)
def test_lines_find_their_command(line: str, verb: str, rest: str) -> None:
    called = CATALOG.read(line)
    assert called.command is not None
    assert (called.command.verb, called.rest) == (verb, rest)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("akc", "ack"), ("resovle", "resolve"), ("escal", "escalate"), ("subscibe", "subscribe")],
)
def test_a_mistyped_verb_has_a_nearest_one(typed: str, meant: str) -> None:
    assert CATALOG.find(typed) is None
    near = CATALOG.nearest(typed)
    assert near is not None
    assert near.verb == meant


def test_hidden_verbs_are_not_offered() -> None:
    assert "more" not in [one.verb for one in CATALOG.shown()]
    assert CATALOG.find("more") is not None
    near = CATALOG.nearest("mor")
    assert near is None or near.verb != "more"


@given(st.text())
def test_any_line_can_be_read(line: str) -> None:
    called = CATALOG.read(line)
    assert called.command is None or called.command in list(CATALOG)
