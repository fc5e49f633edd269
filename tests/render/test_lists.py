from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.declaration import Reply
from bot.model import LogEntry, Note, Reference, RelatedChange, Status, Urgency
from bot.render.blocks import Choice
from bot.render.card import incident_card, notes_list
from bot.render.lists import arrange, incident_list
from bot.render.pickers import no_match, pick_incident, pick_match
from bot.sandbox.slack.blocks import problems
from tests.render.conftest import Drawn
from tests.render.samples import ACKNOWLEDGED, BUTTONS, FRESH, HOSTILE, LONGEST, LOW, RESOLVED, TRIGGERED, at

MANY = [replace(TRIGGERED, id=f"Q{n}", number=1000 + n, created_at=at(n)) for n in range(400)]


def elements(reply: Reply) -> list[dict[str, Any]]:
    return [part for block in reply.blocks if block["type"] == "actions" for part in block["elements"]]


def values(reply: Reply) -> list[str]:
    return [one["value"] for one in elements(reply) if one["type"] == "button"]


def test_golden_list(golden: Callable[[str, Drawn], None]) -> None:
    found = [ACKNOWLEDGED, LOW, HOSTILE, TRIGGERED, replace(FRESH, service=Reference("PSVC2", "Search"))]
    golden("list", incident_list(found, heading="Open incidents", words="list"))


def test_worst_first() -> None:
    found = arrange([RESOLVED, ACKNOWLEDGED, LOW, FRESH, replace(TRIGGERED, created_at=at(5)), TRIGGERED])
    assert [(one.status, one.urgency) for one in found] == [
        *[(Status.TRIGGERED, Urgency.HIGH)] * 3,
        (Status.TRIGGERED, Urgency.LOW),
        (Status.ACKNOWLEDGED, Urgency.HIGH),
        (Status.RESOLVED, Urgency.HIGH),
    ]
    assert found[:3] == [TRIGGERED, replace(TRIGGERED, created_at=at(5)), FRESH]


def test_of_one_second_the_lower_number_comes_first() -> None:
    assert [one.number for one in arrange([replace(FRESH, number=n) for n in (1256, 1240, 1251)])] == [
        1240,
        1251,
        1256,
    ]


def test_four_hundred_incidents_are_all_reachable_by_pressing_next() -> None:
    seen: set[str] = set()
    words = "list mine"
    page = 1
    while True:
        reply = incident_list(MANY, heading="Yours", words=words, page=page)
        assert problems(json.loads(json.dumps(reply.blocks)), "message") == []
        (chooser,) = [one for one in elements(reply) if one["type"] == "static_select"]
        seen |= {option["value"] for option in chooser["options"]}
        following = f"{words} page {page + 1}"
        if following not in values(reply):
            break
        page += 1
    assert seen == {f"show Q{n}" for n in range(400)}


def test_a_page_beyond_the_end_is_the_last_one() -> None:
    reply = incident_list(MANY, heading="Yours", words="list", page=99)
    assert values(reply) == ["list page 39"]
    assert "391 to 400 of 400" in json.dumps(reply.blocks)


def test_ten_long_rows_fit() -> None:
    reply = incident_list([replace(LONGEST, id=f"Q{n}") for n in range(10)], heading="x" * 500, words="list")
    assert problems(json.loads(json.dumps(reply.blocks)), "message") == []
    assert "more than fits" not in json.dumps(reply.blocks)


def test_an_empty_list_says_so() -> None:
    assert incident_list([], heading="Open incidents", words="list").text == "Open incidents: none."


def test_golden_card(golden: Callable[[str, Drawn], None]) -> None:
    story = [LogEntry(f"R{n}", "notify", f"Notified Alice Anderson <!here> ({n})", at(n)) for n in range(12)]
    notes = [Note("N1", "First", "Bob Brown", at(1)), Note("N2", "Looking *at* it", "Bob Brown", at(3))]
    golden("card", incident_card(TRIGGERED, BUTTONS, story=story, notes=notes))
    golden("card-resolved", incident_card(RESOLVED, BUTTONS))


def test_the_card_tells_what_was_changed_before() -> None:
    changes = [
        RelatedChange("1", "Deployed <!here> 42", at(2), "ci", "https://ci.example.com/42", "most_recent"),
        RelatedChange("2", "Flag on", at(1), reason="made_up"),
    ]
    told = json.dumps(incident_card(TRIGGERED, BUTTONS, changes=changes).blocks, ensure_ascii=False)
    assert "<https://ci.example.com/42|Deployed " in told
    assert " 42>  ·  from ci  ·  the latest" in told
    assert "<!here>" not in told
    assert "Flag on" in told
    assert "made_up" not in told


def test_the_card_has_the_whole_title() -> None:
    reply = incident_card(replace(TRIGGERED, title="word " * 100 + "end"), BUTTONS)
    assert "end" in json.dumps(reply.blocks)
    assert problems(json.loads(json.dumps(incident_card(LONGEST, BUTTONS).blocks)), "message") == []


def test_golden_notes(golden: Callable[[str, Drawn], None]) -> None:
    notes = [
        Note("N2", "> quoted\nsee https://x.example/a", "Alice Anderson", at(5)),
        Note("N1", "<!channel> look", "Bob Brown", at(3)),
    ]
    golden("notes", notes_list(TRIGGERED, notes))
    assert "no notes" in notes_list(TRIGGERED, []).text


def test_hundreds_of_long_notes_fit() -> None:
    notes = [Note(f"N{n}", f"{n} " + "<long> " * 500, "Bob Brown", at(n)) for n in range(300)]
    reply = notes_list(TRIGGERED, notes)
    assert problems(json.loads(json.dumps(reply.blocks)), "message") == []
    assert len(reply.text) <= 4000


def test_a_picker_of_incidents_carries_whole_words() -> None:
    reply = pick_incident("ack", MANY[:150], asked="acknowledge")
    (chooser,) = elements(reply)
    assert len(chooser["options"]) == 100
    assert chooser["options"][0]["value"] == "ack Q0"
    assert problems(json.loads(json.dumps(reply.blocks)), "message") == []
    assert values(pick_incident("ack", [])) == ["list"]


def test_between_two_names_the_person_decides() -> None:
    two = [Choice("Checkout", "oncall PSVC", "service"), Choice("Checkout primary", "oncall PEP", "policy")]
    assert values(pick_match("chekout", two)) == ["oncall PSVC", "oncall PEP"]
    many = [Choice(f"Service {n}", f"oncall P{n}") for n in range(9)]
    (chooser,) = elements(pick_match("service", many))
    assert [option["value"] for option in chooser["options"]] == [f"oncall P{n}" for n in range(9)]


def test_no_match_offers_the_nearest() -> None:
    reply = no_match("<!here>", "service", [Choice("Search", "oncall PSVC")])
    assert values(reply) == ["oncall PSVC"]
    assert "<!here>" not in json.dumps(reply.blocks)
    assert "Check the spelling" in no_match("x", "service").text
