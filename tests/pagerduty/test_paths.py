"""What stands for a path in labels: PagerDuty's own words, never an id or what a person typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pagerduty.paths import MOST_PARTS, WORDS, path_template


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/incidents", "/incidents"),
        ("/incidents/Q1ABC", "/incidents/{id}"),
        ("/incidents/1234/notes", "/incidents/{id}/notes"),
        ("/incidents/Q1/alerts/PA1?include[]=bodies", "/incidents/{id}/alerts/{id}"),
        ("/users/me", "/users/me"),
        ("/v3/schedules/PSCH/overrides", "/v3/schedules/{id}/overrides"),
        ("/automation_actions/actions/PACT/invocations", "/automation_actions/actions/{id}/invocations"),
        ("/enrichment/schemas/orders/records/alice", "/enrichment/schemas/{id}/records/{id}"),
        ("/customers/alice@acme.example", "/{id}/{id}"),
    ],
)
def test_a_label_holds_no_id(path: str, template: str) -> None:
    assert path_template(path) == template


@given(st.text())
def test_whatever_is_typed_only_known_words_are_shown(path: str) -> None:
    shown = path_template(path).removeprefix("/").split("/")
    assert set(shown) <= WORDS | {"{id}", "…"}
    assert len(shown) <= MOST_PARTS + 1


def test_every_path_that_pagerduty_documents_is_shown_as_it_is_there(shared_contract: Path) -> None:
    document = json.loads((shared_contract / "pagerduty-rest.openapi.json").read_text("utf-8"))
    for path in document["paths"]:
        asked = re.sub(r"\{[^}]*\}", "PXYZ123", path)
        assert path_template(asked) == re.sub(r"\{[^}]*\}", "{id}", path)
