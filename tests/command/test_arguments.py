"""Words become a command's arguments, or one sentence that says what was understood and what to type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.arguments import read_line
from bot.command.fields import FieldProblems, check_fields, read_fields
from bot.command.filling import text_of
from bot.command.values import incident_ref
from bot.declaration import Command, IncidentRef, LevelNumber, OpenOnes, PriorityName, ScopeRef, ServiceRef
from bot.errors import UserError
from commands import CATALOG
from tests.command.directory import names

CHECKOUT = ServiceRef("PSVCCHK", "Checkout")
PAYMENTS = ServiceRef("PSVCPAY", "Payments API")


def command(verb: str) -> Command:
    found = CATALOG.find(verb)
    assert found is not None
    return found


async def read(line: str, *, from_control: bool = False) -> dict[str, Any]:
    verb, _, rest = line.partition(" ")
    return dict((await read_line(command(verb), rest, names(), from_control=from_control)).values)


def refs(*idents: str) -> list[IncidentRef]:
    return [IncidentRef(ident) for ident in idents]


@pytest.mark.parametrize(
    ("line", "idents"),
    [
        ("ack 123", ["123"]),
        ("ack 123 124", ["123", "124"]),
        ("ack #123,#124", ["123", "124"]),
        ("ack 123, 124 and 125.", ["123", "124", "125"]),
        ("ack 0123 123", ["123"]),
        ("ack Q1ABC p4khlk", ["Q1ABC", "P4KHLK"]),
        ("ack https://acme.pagerduty.com/incidents/Q1ABC", ["Q1ABC"]),
        ("ack <https://acme.pagerduty.com/incidents/Q1ABC?x=1|#12 Disk full>", ["Q1ABC"]),
        ("ack acme.pagerduty.com/incidents/Q1ABC/timeline", ["Q1ABC"]),
        ("ack “123”", ["123"]),
        ("ack 123\u00a0124", ["123", "124"]),
    ],
)
async def test_incidents_are_named_many_ways(line: str, idents: list[str]) -> None:
    assert await read(line) == {"incidents": refs(*idents)}


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("note 12 it is back", {"incident": IncidentRef("12"), "text": "it is back"}),
        ("note #12 “quoted”", {"incident": IncidentRef("12"), "text": "quoted"}),
        ("note 12 say “hi”, twice", {"incident": IncidentRef("12"), "text": 'say "hi", twice'}),
        ("note 12 two\nlines", {"incident": IncidentRef("12"), "text": "two\nlines"}),
        ("note 12 <@U1|bob> a &lt; b", {"incident": IncidentRef("12"), "text": "@bob a < b"}),
        ("note PROD is back", {"text": "PROD is back"}),
        ("note rolled back", {"text": "rolled back"}),
        ("note", {}),
        ("escalate 12", {"incident": IncidentRef("12")}),
        ("escalate 12 3", {"incident": IncidentRef("12"), "level": LevelNumber(3)}),
        ("escalate 12 to level 3", {"incident": IncidentRef("12"), "level": LevelNumber(3)}),
        ("escalate 12 L2", {"incident": IncidentRef("12"), "level": LevelNumber(2)}),
        ("escalate to level 2", {"level": LevelNumber(2)}),
        ("trigger checkout Card payments fail", {"service": CHECKOUT, "title": "Card payments fail"}),
        ("trigger Payments API slow", {"service": PAYMENTS, "title": "slow"}),
        ("trigger api payments  too   slow", {"service": PAYMENTS, "title": "too slow"}),
        ("trigger “payments api” “Cards fail”", {"service": PAYMENTS, "title": "Cards fail"}),
        ("trigger PSVCCHK broken", {"service": CHECKOUT, "title": "broken"}),
        ("trigger chekcout is down", {"title": "chekcout is down"}),
        ("trigger disk full", {"title": "disk full"}),
        ("trigger checkout", {"service": CHECKOUT}),
        ("trigger", {}),
        ("oncall payments api", {"anything": "payments api"}),
        ("oncall <@U1|bob>?", {"anything": "@U1"}),
        ("subscribe checkout", {"scope": ScopeRef("service", "PSVCCHK", "Checkout")}),
        ("subscribe team payments", {"scope": ScopeRef("team", "PTEAMPY", "Payments")}),
        ("subscribe all", {"scope": ScopeRef("all", "", "every service")}),
        ("subscribe chekcout", {"scope": ScopeRef("service", "PSVCCHK", "Checkout")}),
        (
            "subscribe payments api high P1,P2",
            {
                "scope": ScopeRef("service", "PSVCPAY", "Payments API"),
                "urgency": "high",
                "priorities": ["P1", "P2"],
            },
        ),
        (
            "subscribe all p1 P2 none-open",
            {
                "scope": ScopeRef("all", "", "every service"),
                "priorities": [PriorityName("P1"), PriorityName("P2")],
                "open_ones": OpenOnes("none-open"),
            },
        ),
        ("help ack", {"about": "ack"}),
    ],
)
async def test_lines_are_understood(line: str, values: dict[str, Any]) -> None:
    assert await read(line) == values


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ack foo", ["“foo”", "`/pager ack [N…]`", "1234"]),
        ("ack 123 foo", ["I understood “123”, but not “foo”", "`/pager ack [N…]`"]),
        ("escalate 12 high", ["I understood “12”, but not “high”", "`/pager escalate N [level]`"]),
        ("escalate 12 0", ["not “0”"]),
        ("subscribe plat pay", ["I understood “plat”, but not “pay”"]),
        ("subscribe xyzzy", ["no service or team called “xyzzy”", "subscribe"]),
        ("subscribe checkout P9", ["I understood “checkout”, but not “P9”"]),
        ("whoami really", ["`whoami`", "“really”"]),
    ],
)
async def test_what_is_not_understood_is_said(line: str, said: list[str]) -> None:
    with pytest.raises(UserError) as problem:
        await read(line)
    assert [words for words in said if words not in str(problem.value)] == []


async def test_a_mistyped_choice_gets_the_nearest_one() -> None:
    with pytest.raises(UserError, match="Did you mean “high”"):
        await read("subscribe checkout hgih")


async def test_a_controls_first_word_is_the_incident_whatever_it_looks_like() -> None:
    assert await read("note PABCDEF", from_control=True) == {"incident": IncidentRef("PABCDEF")}
    assert await read("note PABCDEF") == {"text": "PABCDEF"}


async def test_two_that_fit_are_not_guessed_between() -> None:
    with pytest.raises(UserError, match="Platform"):
        await read("subscribe p")


@pytest.mark.parametrize("text", ["", "Ⅷ", "١٢٣", "#", "http://[", "/incidents/", "9" * 19, "q" * 3 + "é"])
def test_odd_words_are_no_incidents(text: str) -> None:
    assert incident_ref(text) is None


# ----------------------------------------------------------------------------------------- anything typed


@given(st.sampled_from([one.verb for one in CATALOG]), st.text(max_size=80), st.booleans())
async def test_whatever_is_typed_gives_arguments_or_a_sentence(verb: str, text: str, pressed: bool) -> None:
    understood: dict[str, Any] = {}
    said = "understood"
    try:
        understood = dict((await read_line(command(verb), text, names(), from_control=pressed)).values)
    except UserError as problem:
        said = str(problem)
    assert 0 < len(said) < 600
    assert set(understood) <= {one.name for one in command(verb).parameters}


@given(
    st.from_regex(r"[PQR][A-Z0-9]{1,13}", fullmatch=True),
    st.sampled_from(["ack", "resolve", "escalate", "note", "notes", "show", "more"]),
)
async def test_a_controls_value_gives_its_incident_again(ident: str, verb: str) -> None:
    values = await read(f"{verb} {ident}", from_control=True)
    assert [text_of(value) for value in values.values()] == [ident]


# ------------------------------------------------------------------------------------------- from a form


async def test_a_form_gives_its_values() -> None:
    fields = {"service": "PSVCPAY", "title": "Cards  fail", "details": "line\nline", "urgency": "low"}
    assert dict((await read_fields(command("trigger"), fields, names())).values) == {
        "service": PAYMENTS,
        "title": "Cards fail",
        "details": "line\nline",
        "urgency": "low",
    }


async def test_a_forms_pickers_may_give_several() -> None:
    fields = {"scope": "team PTEAMPY", "priorities": "P1, P2"}
    assert dict((await read_fields(command("subscribe"), fields, names())).values) == {
        "scope": ScopeRef("team", "PTEAMPY", "Payments"),
        "priorities": ["P1", "P2"],
    }


async def test_typed_text_in_a_form_is_not_unescaped() -> None:
    fields = {"incident": "Q1", "text": "a &lt; <b>"}
    assert (await read_fields(command("note"), fields, names())).values["text"] == "a &lt; <b>"


@pytest.mark.parametrize(
    ("verb", "fields", "wrong"),
    [
        ("note", {"incident": "Q1", "text": "  "}, "text"),
        ("note", {"incident": "what?", "text": "x"}, "incident"),
        ("escalate", {"incident": "Q1", "level": "high up"}, "level"),
        ("trigger", {"service": "PSVCCHK", "title": "x", "urgency": "medium"}, "urgency"),
    ],
)
def test_a_forms_mistakes_are_named_by_field(verb: str, fields: dict[str, str], wrong: str) -> None:
    with pytest.raises(FieldProblems) as problems:
        check_fields(command(verb), fields)
    assert list(problems.value.by_field) == [wrong]


async def test_a_service_that_is_gone_is_said_beside_its_field() -> None:
    with pytest.raises(FieldProblems) as problems:
        await read_fields(command("trigger"), {"service": "PGONE", "title": "x"}, names())
    assert list(problems.value.by_field) == ["service"]


@given(st.sampled_from([one.verb for one in CATALOG]), st.text(max_size=60))
async def test_whatever_a_form_holds_gives_values_or_problems(verb: str, text: str) -> None:
    fields = {one.name: text for one in command(verb).parameters}
    wrong: set[str] = set()
    try:
        await read_fields(command(verb), fields, names())
    except FieldProblems as problems:
        wrong = set(problems.by_field)
    assert wrong <= set(fields)
