"""`event-keys`: a routing key goes in and never comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call, Outcome

KEY = "R0UT" * 8


@pytest.fixture
def keys(call: Call, sqlite_url: str) -> Call:
    settings = {"DATABASE_URL": sqlite_url}
    call("migrate", settings=settings)

    def run(*words: str) -> Outcome:
        return call("event-keys", *words, settings=settings)

    return run


def test_a_key_is_named_listed_and_forgotten(keys: Call, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    assert "There are none" in keys("list").out
    added = keys("add", "Deploys", "--file", str(file))
    assert (added.status, added.err) == (0, "")
    assert "change deploys" in added.out
    listed = keys("list")
    assert listed.out.startswith("deploys  since ")
    assert KEY not in added.out + listed.out
    assert keys("remove", "deploys").status == 0
    gone = keys("remove", "deploys")
    assert (gone.status, gone.err) == (1, "There is no deploys; `event-keys list` names them.\n")


def test_what_is_no_key_or_no_name_is_told(keys: Call, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("planted")
    wrong = keys("add", "deploys", "--file", str(file))
    assert wrong.status == 1
    assert "no routing key" in wrong.err
    assert "planted" not in wrong.err
    assert keys("add", "two words", "--file", str(file)).status == 2
    assert "cannot be read" in keys("add", "deploys", "--file", str(tmp_path / "nowhere")).err
