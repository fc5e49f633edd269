"""The audit on one screen: every outcome in words, hostile words harmless, and no more than fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.render.audit import _OUTCOMES, AuditLine, audit_list
from bot.sandbox.slack.blocks import problems
from tests.render.conftest import Drawn
from tests.render.samples import HOSTILE, LONGEST, TRIGGERED, at

ACK = AuditLine(at(5), "U0ALICE", "ack", "ack Q1", (TRIGGERED,), "done", "button", 200)


def test_golden_audit(golden: Callable[[str, Drawn], None]) -> None:
    acts = [
        replace(ACK, outcome=None, surface="slash"),
        ACK,
        replace(ACK, user_id="U0BOB", verb="resolve", outcome="pagerduty_refused", status=403),
        replace(ACK, verb="resolve", subjects=(TRIGGERED, "Q7", "8", HOSTILE), surface="mention"),
        replace(ACK, verb="trigger", words="trigger *checkout* is down", subjects=(), outcome="unknown"),
        replace(ACK, user_id="U0OLIVE", outcome="not_allowed", status=None),
        replace(ACK, outcome="expired", status=None, surface="form"),
    ]
    golden("audit", audit_list(acts, heading="Latest acts", total=1234, more_words="audit 30"))


def test_nothing_on_record_is_said() -> None:
    said = audit_list([], heading="Acts in the last 24h", total=0)
    assert said.text == "Acts in the last 24h: nothing on record."


def test_a_whole_list_needs_no_way_to_more() -> None:
    said = audit_list([ACK, ACK], heading="Latest acts", total=2, more_words="audit 30")
    assert "python -m bot audit" not in str(said.blocks)
    assert "Show more" not in str(said.blocks)


@pytest.mark.parametrize("outcome", [None, "something new", *_OUTCOMES])
def test_no_outcome_is_an_icon_alone(outcome: str | None) -> None:
    said = audit_list([replace(ACK, outcome=outcome)], heading="Latest acts", total=1)
    told = said.text.rpartition(": ")[2]
    assert len(told) > 3
    assert told in said.blocks[1]["text"]["text"]


def test_the_longest_fits_and_a_forms_text_is_cut_to_a_line() -> None:
    long = replace(ACK, words="note " + "secret words\n" * 500, subjects=(), verb="note")
    many = replace(ACK, subjects=(LONGEST, LONGEST, LONGEST), surface="<!here>")
    said = audit_list([long, many] * 15, heading="Latest acts", total=30)
    assert problems(list(said.blocks), "message") == []
    assert all(len(row) < 400 for block in said.blocks[1:] for row in block["text"]["text"].splitlines())
    assert sum(block["text"]["text"].count("U0ALICE") for block in said.blocks if "text" in block) == 30
    assert "<!" not in str(said.blocks).replace("<!date", "")
