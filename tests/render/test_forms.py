from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.declaration import Command, Reply
from bot.render.blocks import Choice, section
from bot.render.dialogs import answer_view, more_form
from bot.render.forms import FormState, read_state, read_values, render_form
from bot.sandbox.slack.surfaces import view_problems
from tests.render.samples import ACKNOWLEDGED, COMMANDS, HOSTILE, RESOLVED, TRIGGERED, escalate, note, trigger


def inputs(view: dict[str, Any]) -> dict[str, Any]:
    return {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.verb)
def test_every_declaration_yields_a_form_slack_takes(command: Command) -> None:
    view = render_form(command, FormState(command.verb), about=HOSTILE, problem="<!channel> " * 400)
    assert view_problems(view, "modal") == []
    assert inputs(view).keys() == {one.name for one in command.form_parameters}
    assert all(element["action_id"] == f"field:{name}" for name, element in inputs(view).items())


def test_what_is_known_is_not_asked_again() -> None:
    view = render_form(note, FormState("note", {"incident": "Q1"}), about=TRIGGERED)
    assert list(inputs(view)) == ["text"]
    assert inputs(view)["text"]["multiline"] is True
    assert "#1234" in view["blocks"][0]["text"]["text"]


def test_what_was_said_stands_in_the_fields() -> None:
    filled = {"service": "PSVC", "title": "Disk full", "urgency": "HIGH", "details": "x" * 5000}
    view = render_form(trigger, FormState("trigger"), filled, labels={"service": "Checkout"})
    assert view_problems(view, "modal") == []
    fields = inputs(view)
    assert fields["service"]["initial_option"] == Choice("Checkout", "PSVC").option()
    assert fields["service"]["min_query_length"] == 0
    assert fields["title"]["initial_value"] == "Disk full"
    assert fields["urgency"]["initial_option"]["value"] == "high"
    assert len(fields["details"]["initial_value"]) == 3000


def test_optional_arguments_are_optional_fields() -> None:
    view = render_form(trigger, FormState("trigger"))
    optional = {block["block_id"] for block in view["blocks"] if block.get("optional")}
    assert optional == {"details", "urgency"}


def test_a_picker_offers_the_choices_it_is_given() -> None:
    levels = (Choice("Level 2: Bob Brown", "2"), Choice("Level 3: Carol Chen", "3"))
    view = render_form(
        escalate, FormState("escalate", {"incident": "Q1"}), {"level": "3"}, choices={"level": levels}
    )
    assert inputs(view)["level"]["options"] == [choice.option() for choice in levels]
    assert inputs(view)["level"]["initial_option"]["value"] == "3"


def test_only_the_levels_that_the_incidents_policy_has_are_offered() -> None:
    state = FormState("escalate", {"incident": "Q1"})
    known = inputs(render_form(escalate, state, about=TRIGGERED))["level"]["options"]
    assert [option["value"] for option in known] == ["1", "2", "3"]
    assert len(inputs(render_form(escalate, state))["level"]["options"]) == 9


@given(
    st.builds(
        FormState,
        st.text(max_size=20),
        st.dictionaries(st.text(max_size=9), st.text(max_size=50), max_size=3),
        st.text(max_size=12),
    )
)
def test_what_a_form_remembers_comes_back(state: FormState) -> None:
    assert read_state(state.pack()) == state


@pytest.mark.parametrize(
    "packed", ["", "null", "[]", "{}", '{"verb":"x","fixed":[]}', "{", "[" * 5000, '"x"']
)
def test_anything_else_is_no_form_of_ours(packed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_state(packed)


def test_a_form_cannot_remember_more_than_slack_keeps() -> None:
    with pytest.raises(ValueError, match="Slack keeps 3000"):
        FormState("note", {"text": "x" * 3000}).pack()


def test_submitted_fields_are_read_by_name() -> None:
    values = {
        "service": {"field:service": {"type": "external_select", "selected_option": {"value": "PSVC"}}},
        "incidents": {"field:incidents": {"selected_options": [{"value": "Q1"}, {"value": "Q2"}]}},
        "title": {"field:title": {"type": "plain_text_input", "value": "Disk full"}},
        "details": {"field:details": {"type": "plain_text_input", "value": None}},
        "urgency": {"field:urgency": {"type": "radio_buttons", "selected_option": None}},
        "odd": None,
    }
    assert read_values({"state": {"values": values}}) == {
        "service": "PSVC",
        "incidents": "Q1 Q2",
        "title": "Disk full",
    }
    assert read_values({}) == {}


def test_more_lists_every_verb_that_applies_with_its_words() -> None:
    view = more_form(ACKNOWLEDGED, COMMANDS, FormState("more"))
    assert view_problems(view, "modal") == []
    values = [block["accessory"]["value"] for block in view["blocks"][1:]]
    assert values == ["note Q1ABCDEF", "resolve Q1ABCDEF", "escalate Q1ABCDEF 2", "oncall Q1ABCDEF"]
    assert "Nothing applies" in more_form(RESOLVED, [], FormState("more"))["blocks"][1]["text"]["text"]


def test_the_other_modals_are_modals() -> None:
    answer = Reply("Done", tuple(section(str(n)) for n in range(120)))
    views = [
        answer_view(answer),
        answer_view(Reply("x" * 3900)),
    ]
    for view in views:
        assert view_problems(view, "modal") == []
