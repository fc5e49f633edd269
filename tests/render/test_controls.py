from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.declaration import Button, Place
from bot.model import Incident
from bot.render import controls
from bot.render.limits import fit
from tests.render.samples import ACKNOWLEDGED, BUTTONS, FRESH, LAST_LEVEL, RESOLVED, TRIGGERED


def drawn(incident: Incident, buttons: list[tuple[str, Button]] = BUTTONS) -> tuple[list[str], list[str]]:
    """Values of the buttons, and of the menu's options."""
    elements: list[Any] = [
        part for block in fit(controls.row(incident, buttons)) for part in block["elements"]
    ]
    return (
        [one["value"] for one in elements if one["type"] == "button"],
        [option["value"] for one in elements if one["type"] == "overflow" for option in one["options"]],
    )


def primary(incident: Incident) -> list[str]:
    (row,) = controls.row(incident, BUTTONS)
    return [one["value"] for one in row["elements"] if one.get("style") == "primary"]


def test_a_triggered_incident_is_acknowledged_first() -> None:
    assert drawn(TRIGGERED) == (
        ["ack Q1ABCDEF", "resolve Q1ABCDEF", "escalate Q1ABCDEF 2"],
        ["note Q1ABCDEF", "oncall Q1ABCDEF", "more Q1ABCDEF"],
    )
    assert primary(TRIGGERED) == ["ack Q1ABCDEF"]


def test_resolve_keeps_its_place_once_acknowledged_so_that_a_second_press_resolves_nothing() -> None:
    before, _ = drawn(TRIGGERED)
    after, _ = drawn(ACKNOWLEDGED)
    assert before[1:] == after[1:]
    assert after[0] == "note Q1ABCDEF"
    assert primary(ACKNOWLEDGED) == ["resolve Q1ABCDEF"]


def test_no_escalation_is_offered_where_there_is_no_known_next_level() -> None:
    for incident in (FRESH, LAST_LEVEL):
        buttons, menu = drawn(incident)
        assert not any(value.startswith("escalate") for value in buttons + menu)


def test_the_menu_holds_four_and_more() -> None:
    extra = [
        (f"verb{n}", Button(f"Verb {n}", lambda _: True, place=Place.MENU, rank=70 + n)) for n in range(5)
    ]
    _, menu = drawn(TRIGGERED, [*extra, *BUTTONS])
    assert menu == ["note Q1ABCDEF", "oncall Q1ABCDEF", "verb0 Q1ABCDEF", "verb1 Q1ABCDEF", "more Q1ABCDEF"]


def test_more_stands_on_a_resolved_message_only_when_something_found_no_room() -> None:
    extra = [(f"verb{n}", Button(f"Verb {n}", lambda _: True)) for n in range(4)]
    few, many = (
        controls.resolved_menu(RESOLVED, BUTTONS),
        controls.resolved_menu(RESOLVED, [*extra, *BUTTONS]),
    )
    assert few is not None
    assert many is not None
    assert [option["value"] for option in few["options"]] == ["note Q1ABCDEF"]
    assert [option["value"] for option in many["options"]][-1] == "more Q1ABCDEF"


def test_without_commands_there_are_no_controls() -> None:
    more_alone = [pair for pair in BUTTONS if pair[0] == "more"]
    assert controls.row(TRIGGERED, []) == []
    assert controls.row(TRIGGERED, more_alone) == []
    assert controls.resolved_menu(RESOLVED, []) is None


def test_one_primary_at_most_and_danger_stays() -> None:
    risky = [("a", Button("A", lambda _: True, style="danger", rank=1)), *BUTTONS]
    (row,) = controls.row(replace(TRIGGERED, level=None), risky)
    assert [one.get("style") for one in row["elements"] if one["type"] == "button"] == [
        "danger",
        "primary",
        None,
    ]


def test_a_screen_reader_hears_which_incident_a_button_is_about() -> None:
    (row,) = controls.row(TRIGGERED, BUTTONS)
    assert row["elements"][0]["accessibility_label"] == "Acknowledge #1234"
