"""The judge of Block Kit: every limit just met and just passed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.slack.blocks import TEXT_LIMIT, problems, text_length
from bot.sandbox.slack.surfaces import view_problems
from tests.sandbox.slack.forms import ACTIONS, TITLE, field, modal, option, plain

Json = dict[str, Any]


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(number: int = 0, **more: Any) -> Json:
    return {"type": "button", "action_id": f"b{number}", "text": plain("x"), **more}


def select(options: int = 1, **more: Any) -> Json:
    return {
        "type": "static_select",
        "action_id": "s",
        "options": [option(f"o{n}") for n in range(options)],
        **more,
    }


def offering(**more: Any) -> Json:
    return actions({**select(), "options": [{**option("a"), **more}]})


def overflow(options: int) -> Json:
    return {"type": "overflow", "action_id": "o", "options": [option(f"o{n}") for n in range(options)]}


def chosen(kind: str, options: int) -> Json:
    return {"type": kind, "action_id": "c", "options": [option(f"o{n}") for n in range(options)]}


def sized(value: int) -> str:
    return "x" * value


def confirm(title: int = 1, text: int = 1, button_text: int = 1) -> Json:
    parts = {"title": plain(sized(title)), "text": plain(sized(text)), "confirm": plain(sized(button_text))}
    return actions(button(confirm=parts))


IMAGE: Json = {"type": "image", "image_url": "x", "alt_text": "x"}


def rows(count: int, cells: int) -> Json:
    cell = {"type": "raw_text", "text": "x"}
    return {"type": "table", "rows": [[cell] * cells] * count}


BLOCK_LIMITS: list[tuple[str, Callable[[int], Json], int]] = [
    ("section text", lambda n: section(sized(n)), 3000),
    ("section fields", lambda n: {"type": "section", "fields": [mrkdwn("x")] * n}, 10),
    ("field text", lambda n: {"type": "section", "fields": [mrkdwn(sized(n))]}, 2000),
    ("header", lambda n: {"type": "header", "text": plain(sized(n))}, 150),
    ("context elements", lambda n: {"type": "context", "elements": [mrkdwn("x")] * n}, 10),
    ("actions elements", lambda n: actions(*(button(i) for i in range(n))), 25),
    ("block_id", lambda n: section(block_id=sized(n)), 255),
    ("action_id", lambda n: actions({**button(), "action_id": sized(n)}), 255),
    ("button text", lambda n: actions({**button(), "text": plain(sized(n))}), 75),
    ("button value", lambda n: actions(button(value=sized(n))), 2000),
    ("button url", lambda n: actions(button(url=sized(n))), 3000),
    ("button label", lambda n: actions(button(accessibility_label=sized(n))), 75),
    ("select options", lambda n: actions(select(n)), 100),
    ("option text", lambda n: offering(text=plain(sized(n))), 75),
    ("option value", lambda n: offering(value=sized(n)), 75),
    ("option description", lambda n: offering(description=plain(sized(n))), 75),
    ("placeholder", lambda n: actions(select(placeholder=plain(sized(n)))), 150),
    ("overflow options", lambda n: actions(overflow(n)), 5),
    ("checkbox options", lambda n: actions(chosen("checkboxes", n)), 10),
    ("radio options", lambda n: actions(chosen("radio_buttons", n)), 10),
    ("confirm title", lambda n: confirm(title=n), 100),
    ("confirm text", lambda n: confirm(text=n), 300),
    ("confirm button", lambda n: confirm(button_text=n), 30),
    ("image url", lambda n: {"type": "image", "image_url": sized(n), "alt_text": "x"}, 3000),
    ("image alt text", lambda n: {"type": "image", "image_url": "x", "alt_text": sized(n)}, 2000),
    ("image title", lambda n: {**IMAGE, "title": plain(sized(n))}, 2000),
    ("table rows", lambda n: rows(n, 1), 100),
    ("table cells", lambda n: rows(1, n), 20),
    ("markdown", lambda n: {"type": "markdown", "text": sized(n)}, 12_000),
    ("label", lambda n: field("f", {"type": "plain_text_input"}, label=plain(sized(n))), 2000),
    ("hint", lambda n: field("f", {"type": "plain_text_input"}, hint=plain(sized(n))), 2000),
    ("max_length", lambda n: field("f", {"type": "plain_text_input", "max_length": n}), 3000),
    ("initial value", lambda n: field("f", {"type": "plain_text_input", "initial_value": sized(n)}), 3000),
]  # fmt: skip


@pytest.mark.parametrize(("name", "build", "limit"), BLOCK_LIMITS, ids=[name for name, _, _ in BLOCK_LIMITS])
def test_a_limit_may_be_met_but_not_passed(name: str, build: Callable[[int], Json], limit: int) -> None:
    assert problems([build(limit)]) == []
    assert len(problems([build(limit + 1)])) == 1


VIEW_LIMITS: list[tuple[str, Callable[[int], Json], int]] = [
    ("title", lambda n: modal(TITLE, title=plain(sized(n))), 24),
    ("submit", lambda n: modal(TITLE, submit=plain(sized(n))), 24),
    ("close", lambda n: modal(TITLE, close=plain(sized(n))), 24),
    ("private_metadata", lambda n: modal(TITLE, private_metadata=sized(n)), 3000),
    ("callback_id", lambda n: modal(TITLE, callback_id=sized(n)), 255),
    ("external_id", lambda n: modal(TITLE, external_id=sized(n)), 255),
    ("modal blocks", lambda n: modal(*[section()] * n), 100),
    ("home blocks", lambda n: {"type": "home", "blocks": [section()] * n}, 100),
]


@pytest.mark.parametrize(("name", "build", "limit"), VIEW_LIMITS, ids=[name for name, _, _ in VIEW_LIMITS])
def test_a_views_limit_may_be_met_but_not_passed(name: str, build: Callable[[int], Json], limit: int) -> None:
    assert view_problems(build(limit)) == []
    assert len(view_problems(build(limit + 1))) == 1


def test_fifty_blocks_in_a_message_and_no_more() -> None:
    assert problems([section()] * 50) == []
    assert problems([section()] * 51) == ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]


def test_ids_must_be_unique() -> None:
    assert "`block_id`" in problems([section(block_id="a"), section(block_id="a")])[0]
    assert "`action_id`" in problems([actions(button(1)), section(accessory=button(1))])[0]
    assert problems([actions(button(1), button(2)), section(accessory=button(3))]) == []


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"type": "section"}, "text or fields"),
        ({"type": "section", "text": mrkdwn("")}, "more than 0"),
        ({"type": "section", "text": "bare"}, "object"),
        ({"type": "section", "text": mrkdwn("x"), "colour": "red"}, "colour"),
        ({"type": "header", "text": mrkdwn("x")}, "plain_text"),
        ({"type": "actions", "elements": []}, "no less than 1"),
        (actions({"type": "plain_text_input", "action_id": "a"}), "unsupported type of element in actions"),
        (actions({"type": "image", "image_url": "x", "alt_text": "x"}), "unsupported type"),
        (actions(button(style="green")), "danger, primary"),
        (actions({**select(), "initial_option": option("other")}), "one of the options"),
        (actions({"type": "static_select", "action_id": "a"}), "exactly one of options"),
        ({"type": "context", "elements": [button()]}, "must be one of"),
        ({"type": "image", "alt_text": "x"}, "exactly one of image_url"),
        ({"type": "file", "external_id": "x"}, "unsupported block type"),
        ({"type": "alert", "text": mrkdwn("x")}, "not allowed in a message"),
        ({"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}, "unsupported type of rich text"),
        (field("f", button()), "unsupported type of element in input"),
        ({"type": ["odd"]}, "unsupported block type"),
        ("odd", "object"),
    ],
)
def test_what_slack_does_not_take(block: Any, says: str) -> None:
    found = problems([block])
    assert len(found) == 1
    assert says in found[0]


def test_a_good_message_has_no_problems() -> None:
    blocks = [
        {"type": "header", "text": plain("Disk full")},
        section("*#12*", accessory=overflow(5)),
        ACTIONS,
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn("x"), {"type": "image", "image_url": "x", "alt_text": "x"}]},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "user", "user_id": "U1"}, {"type": "text", "text": "x"}],
                }
            ],
        },
    ]
    assert problems(blocks) == []


@pytest.mark.parametrize("blocks", [None, {}, "x", 7])
def test_blocks_that_are_no_list(blocks: Any) -> None:
    assert problems(blocks) == ([] if blocks is None else ["[ERROR] must be a list [json-pointer:/blocks]"])


def test_all_text_a_reader_sees_counts() -> None:
    assert text_length([section("four"), actions(button())]) == 5
    assert text_length([section("x" * 3000)] * 4) < TEXT_LIMIT < text_length([section("x" * 3000)] * 5)


def test_a_form_with_inputs_needs_a_submit_button() -> None:
    view = modal(TITLE)
    del view["submit"]
    assert "submit is required" in view_problems(view)[0]
    assert view_problems({"type": "home", "blocks": [], "title": plain("x")})[0].count("title") == 1
    assert view_problems("x") == ["[ERROR] must be an object [json-pointer:/view]"]
    assert view_problems({"type": "modal", "blocks": []}, "home") != []
