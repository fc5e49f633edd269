from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.render.blocks import Choice, actions, button, context, overflow, picker, section
from bot.render.limits import TOTAL_TEXT, Rendered, finish, fit, text_length
from bot.sandbox.slack.blocks import problems

TEXTS = st.text(max_size=40).flatmap(lambda part: st.sampled_from([part, part * 30, (part or "x") * 200]))
CHOICES = st.lists(st.builds(Choice, TEXTS, TEXTS.map(lambda t: t or "x")), min_size=1, max_size=8)
ELEMENTS = st.one_of(
    st.builds(button, TEXTS, TEXTS.map(lambda t: f"ack {t}")),
    st.builds(overflow, CHOICES),
    st.builds(picker, st.just("show"), TEXTS, CHOICES),
)
BLOCKS = st.one_of(
    st.builds(section, TEXTS),
    st.builds(section, TEXTS, ELEMENTS),
    st.lists(TEXTS, min_size=1, max_size=14).map(lambda texts: context(*texts)),
    st.lists(ELEMENTS, min_size=1, max_size=30).map(actions),
)


@given(st.lists(BLOCKS, min_size=1, max_size=70))
def test_whatever_goes_in_slack_takes_what_comes_out(blocks: list[dict[str, Any]]) -> None:
    before = json.dumps(blocks)
    fitted = json.loads(json.dumps(fit(blocks)))
    assert problems(fitted, "message") == []
    assert text_length(fitted) <= TOTAL_TEXT
    assert json.dumps(blocks) == before, "the caller's blocks were changed"


def test_what_finds_no_room_is_admitted() -> None:
    fitted = fit([section("x" * 2900) for _ in range(6)])
    assert len(fitted) == 5
    assert fitted[-1] == context("… and more than fits here.")


def test_fifty_blocks_are_fifty_blocks() -> None:
    assert len(fit([section("x")] * 50)) == 50
    assert len(fit([section("x")] * 51)) == 50


def test_action_ids_are_unique() -> None:
    (row,) = fit([actions([button("A", "ack Q1"), button("B", "ack Q2"), button("C", "resolve Q1")])])
    assert [element["action_id"] for element in row["elements"]] == ["run:ack", "run:ack:2", "run:resolve"]


def test_a_control_whose_value_does_not_fit_is_left_out_rather_than_cut() -> None:
    (row,) = fit([actions([button("A", "note " + "x" * 2000), button("B", "ack Q1")])])
    assert [element["value"] for element in row["elements"]] == ["ack Q1"]
    assert fit([actions([overflow([Choice("A", "x" * 76)])])]) == ()


def test_equal_messages_have_equal_hashes() -> None:
    one, other = finish("Hello", [section("a")]), finish("Hello", [section("a")])
    assert one.hash == other.hash
    assert one.hash != finish("Hello", [section("b")]).hash
    assert one.hash != Rendered("Hallo", one.blocks).hash
