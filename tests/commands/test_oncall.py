"""`oncall`: whatever it is called, the right people, and never a guess between two."""

from __future__ import annotations

import pytest

from bot.model import SlackUser
from bot.store.people import Match, People
from tests.command.switchboard import Switchboard


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("oncall checkout", ["On call for Checkout", "Alice Anderson", "then Bob Brown", "Carol Chen"]),
        ("oncall payments api", ["On call for Payments API", "Alice Anderson"]),
        ("oncall payments", ["On call for Payments:", "Alice Anderson"]),
        ("who's on call for checkout?", ["On call for Checkout", "Alice Anderson"]),
        ("who is on call for the platform team", ["On call for Platform:", "Bob Brown"]),
        ("oncall metriques", ["Métriques", "Bob Brown"]),
        ("oncall serch", ["On call for Search"]),
        ("oncall checkout primary", ["Checkout primary", "Alice Anderson"]),
        ("oncall PEPPLAT", ["Platform on-call", "Bob Brown"]),
        ("oncall checkout rota", ["On call in Checkout rota", "Alice Anderson"]),
        ("oncall schedule platform", ["On call in Platform rota", "Bob Brown"]),
        ("oncall alice", ["Alice Anderson is on call"]),
        ("oncall person olive", ["Olive Ortiz is not on call now"]),
    ],
)
async def test_it_finds_what_is_meant(board: Switchboard, line: str, said: list[str]) -> None:
    answer = await board.types(line)
    assert [words for words in said if words not in answer] == []


async def test_a_warm_directory_needs_one_call(board: Switchboard) -> None:
    await board.types("oncall checkout")
    assert board.calls() == ["GET /oncalls"]
    await board.types("oncall checkout")
    assert board.calls() == []  # less than a minute later


async def test_between_two_it_offers_a_picker(board: Switchboard) -> None:
    assert "Which one do you mean" in await board.types("oncall rota")
    reply = board.newest()
    assert {one.label for one in reply.controls} == {"Checkout rota", "Platform rota"}
    await reply.press("Platform rota", by="U0ALICE")
    await board.settle()
    assert "On call in Platform rota" in board.newest().text
    assert len(board.checkout.answers("U0ALICE")) == 1


async def test_nothing_of_that_name_offers_near_ones(board: Switchboard) -> None:
    assert "no service, team, policy, schedule or person called “invoices”" in await board.types(
        "oncall invoices"
    )
    assert "Search" in await board.types("oncall search engine")


async def test_an_incident_stands_for_its_service(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    assert "On call for Checkout" in await board.types(f"oncall #{incident.number}")


async def test_without_words_what_the_channel_follows_is_meant(board: Switchboard) -> None:
    assert "Which one" in await board.types("oncall")
    await board.types("subscribe search", by="U0CAROL")
    assert "On call for Search" in await board.types("oncall")


async def test_a_mentioned_person(board: Switchboard) -> None:
    bob = Match(SlackUser("T0ACME", "U0BOB"), "PBOB002", "Bob Brown")
    await People(board.database).replace_all("T0ACME", [bob])
    assert "Bob Brown" in await board.types("oncall @bob")


async def test_shared_it_stands_in_the_channel_for_everybody(board: Switchboard) -> None:
    await board.types("oncall checkout")
    await board.newest().press("Share to channel", by="U0ALICE")
    await board.settle()
    posted = [one for one in board.checkout.messages() if "On call for Checkout" in one.text]
    assert len(posted) == 1
    assert "Shared by alice" in posted[0].words
    assert posted[0].buttons == []


async def test_what_cannot_be_shared_is_said_and_shown(board: Switchboard) -> None:
    await board.types("oncall checkout")
    board.slack.fault("response_url", "server_error")
    board.slack.fault("chat.postMessage", "error", error="not_in_channel", channel="C0CHECK")
    await board.newest().press("Share to channel", by="U0ALICE")
    await board.settle()
    assert "I am not in this channel" in board.newest().text
    assert "Alice Anderson" in board.newest().words
    assert board.checkout.messages() == []


async def test_when_pagerduty_is_away_it_says_so(board: Switchboard) -> None:
    board.pagerduty.outage("down", paths=["/oncalls"])
    said = await board.types("oncall checkout")
    assert "PagerDuty does not answer" in said
    assert board.newest().buttons == ["Try again"]


# ---------------------------------------------------------------------------------------------- with options


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("oncall checkout limit=5", {"limit": ["5"], "escalation_policy_ids[]": ["PEPCHK"]}),
        ("oncall platform team total=yes", {"total": ["true"], "escalation_policy_ids[]": ["PEPPLAT"]}),
        ("oncall users=bob, carol chen", {"user_ids[]": ["PBOB002", "PCAROL3"]}),
        ("oncall users=BOB@acme.example, me", {"user_ids[]": ["PBOB002", "PALICE1"]}),
        ("oncall users=bob earliest=yes", {"earliest": ["true"]}),
        ("oncall alice include=users", {"include[]": ["users"], "user_ids[]": ["PALICE1"]}),
        ("oncall schedules=checkout rota,null", {"schedule_ids[]": ["PSCHCHK", "null"]}),
        ("oncall policies=PEPCHK users=me", {"user_ids[]": ["PALICE1"]}),
        ("oncall until=7d zone=Europe/Berlin", {"time_zone": ["Europe/Berlin"]}),
    ],
)  # fmt: skip
async def test_options_are_pagerdutys(board: Switchboard, line: str, query: dict[str, list[str]]) -> None:
    assert "On call" in await board.types(line)
    (asked,) = [one for one in board.pagerduty.journal if one.path == "/oncalls" and one.direction == "in"]
    assert {name: asked.query.get(name) for name in query} == query


async def test_people_may_be_mentioned_in_an_option(board: Switchboard) -> None:
    bob = Match(SlackUser("T0ACME", "U0BOB"), "PBOB002", "Bob Brown")
    await People(board.database).replace_all("T0ACME", [bob])
    assert "Bob Brown" in await board.types("oncall users=@bob, carol chen")
    (asked,) = [one for one in board.pagerduty.journal if one.path == "/oncalls" and one.direction == "in"]
    assert asked.query["user_ids[]"] == ["PBOB002", "PCAROL3"]


async def test_a_list_says_who_when_and_how_many(board: Switchboard) -> None:
    said = await board.types(
        "oncall checkout until=30d zone=America/New_York limit=2 total=yes include=users"
    )
    assert "Alice Anderson" in said
    assert "Checkout primary, level 1 (Checkout rota)" in said
    assert "alice@acme.example" in said
    assert "Times in America/New_York." in said
    assert "lines in all" in said
    assert "raise `limit=`" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("until=120d", "the next 90 days"),
        ("since=7d until=2d", "ends before it begins"),
        ("until=soon", "is no time"),
        ("zone=Berlin", "is no time zone"),
        ("limit=1000", "is no limit"),
        ("include=teams", "cannot be included"),
        ("schedules=rota", "could be"),
        ("users=nobody", "no person called"),
        ("earliest=maybe", "yes or no"),
    ],
)
async def test_options_that_cannot_be_read_are_said(board: Switchboard, options: str, said: str) -> None:
    assert said in await board.types(f"oncall {options}")
    assert "GET /oncalls" not in board.calls()
