"""The command line as a person meets it: help, what is missing in one line each, and exit statuses."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from bot.cli.main import VERBS
from bot.manifest import build_manifest
from bot.reference import settings_table
from bot.store.sealing import Sealer
from commands import CATALOG
from tests.cli.conftest import ROOT, SECRET, Call, Cli

MINIMAL = {
    "SLACK_BOT_TOKEN": "xoxb-made-up",
    "SLACK_SIGNING_SECRET": "0" * 32,
    "PAGERDUTY_API_KEY": "u+made-up",
    "PAGERDUTY_WEBHOOK_SECRETS": SECRET,
}


async def test_help_names_every_verb(process: Cli) -> None:
    outcome = await process("--help")
    assert outcome.status == 0
    for verb in VERBS:
        assert re.search(rf"^ +{verb.name}\b", outcome.out, re.MULTILINE), verb.name


@pytest.mark.parametrize("verb", VERBS, ids=[verb.name for verb in VERBS])
def test_each_verb_explains_itself(call: Call, verb: object) -> None:
    assert isinstance(verb, type(VERBS[0]))
    outcome = call(verb.name, "--help")
    assert outcome.status == 0
    assert verb.summary.split()[0] in outcome.out
    assert ("--env-file" in outcome.out) == verb.reads_settings


@pytest.mark.parametrize("words", [(), ("fly",), ("run", "--fast"), ("sandbox", "--port", "many")])
def test_misuse_is_status_2_with_the_usage(call: Call, words: tuple[str, ...]) -> None:
    outcome = call(*words)
    assert outcome.status == 2
    assert "usage: python -m bot" in outcome.err
    assert "Traceback" not in outcome.err


# ------------------------------------------------------------------------------------ settings that do not do


def test_what_is_missing_is_one_line_each(call: Call) -> None:
    outcome = call("run")
    assert outcome.status == 2
    lines = outcome.err.strip().splitlines()
    assert [line.split(" is missing: ")[0] for line in lines[:4]] == [
        "SLACK_BOT_TOKEN",
        "PAGERDUTY_API_KEY",
        "SLACK_SIGNING_SECRET",
        "PAGERDUTY_WEBHOOK_SECRETS",
    ]
    assert lines[-1].startswith("`python -m bot run --help` and the README")


def test_a_slip_of_hand_is_told_beside_what_is_missing(call: Call) -> None:
    mistyped = {"SLACK_BOT_TOKN": "xoxb-made-up", "PAGERDUTY_KEY": "x"}
    outcome = call("run", settings={**MINIMAL, "SLACK_BOT_TOKEN": "", **mistyped})
    assert outcome.status == 2
    assert "SLACK_BOT_TOKN is not a setting of Pagerline. Did you mean SLACK_BOT_TOKEN?" in outcome.err


@pytest.mark.parametrize("verb", ["run", "check", "migrate", "manifest"])
def test_a_malformed_setting_is_a_line_and_no_traceback(call: Call, verb: str) -> None:
    settings = {**MINIMAL, "DATABASE_URL": "mysql://root:planted-password@db/x", "PORT": "planted-port"}
    outcome = call(verb, settings=settings)
    assert outcome.status == 2
    assert "DATABASE_URL must be sqlite:///file.db or postgresql://" in outcome.err
    assert "PORT must be a valid integer" in outcome.err
    assert "planted" not in outcome.err + outcome.out
    assert "Traceback" not in outcome.err


def test_settings_come_from_a_file_that_is_named(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.env"
    path.write_text("SLASH_COMMAND=/oncall\n")
    outcome = call("manifest", "--env-file", str(path))
    assert yaml.safe_load(outcome.out)["features"]["slash_commands"][0]["command"] == "/oncall"
    assert call("manifest", "--env-file", str(tmp_path / "gone")).status == 2


def test_on_postgresql_the_keys_must_be_given(call: Call) -> None:
    outcome = call("run", settings={**MINIMAL, "DATABASE_URL": "postgresql://127.0.0.1:9/x"})
    assert outcome.status == 2
    assert outcome.err.startswith("ENCRYPTION_KEYS is missing")
    assert "python -m bot key" in outcome.err


# ----------------------------------------------------------------------------------------------- small verbs


def test_key_prints_a_key_that_seals(call: Call) -> None:
    first, second = call("key").out.strip(), call("key").out.strip()
    assert first != second
    assert Sealer([SecretStr(first)]).open(Sealer([SecretStr(first)]).seal("words")) == "words"


def test_manifest_prints_ones_own(call: Call) -> None:
    outcome = call("manifest", settings={"PUBLIC_URL": "https://pager.example.com"})
    assert outcome.status == 0
    assert yaml.safe_load(outcome.out) == build_manifest(
        CATALOG, slash_command="/pager", public_url="https://pager.example.com"
    )


def test_manifest_without_an_address(call: Call) -> None:
    socket = call("manifest", "--socket-mode")
    assert yaml.safe_load(socket.out)["settings"]["socket_mode_enabled"] is True
    other = call("manifest", "--url", "https://elsewhere.example.com")
    assert "https://elsewhere.example.com/slack/events" in other.out


def test_reference_prints_the_tables(call: Call) -> None:
    outcome = call("reference")
    assert outcome.status == 0
    assert settings_table() in outcome.out


def test_reference_writes_to_its_checkout_from_wherever(call: Call) -> None:
    """They are up to date already (another test says so): nothing changes."""
    before = (ROOT / "README.md").read_bytes()
    outcome = call("reference", "--write")
    assert (outcome.status, outcome.out) == (0, "")
    assert (ROOT / "README.md").read_bytes() == before


# --------------------------------------------------------------------------------------------------- migrate


def test_migrate_says_what_it_did_and_may_be_repeated(call: Call, empty_database_url: str) -> None:
    first = call("migrate", settings={"DATABASE_URL": empty_database_url})
    assert (first.status, first.err) == (0, "")
    assert re.fullmatch(r"The schema went from nothing to \w+\.\n", first.out)
    second = call("migrate", settings={"DATABASE_URL": empty_database_url})
    assert re.fullmatch(r"The schema is at \w+ already: nothing to do\.\n", second.out)


def test_migrate_needs_no_tokens_and_leaves_a_newer_schema_alone(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "newer.db"
    settings = {"DATABASE_URL": f"sqlite:///{file}"}
    call("migrate", settings=settings)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    outcome = call("migrate", settings=settings)
    assert outcome.status == 0
    assert "9999 already" in outcome.out


def test_a_database_that_is_away_is_a_line(call: Call) -> None:
    url = "postgresql://pager:planted-password@127.0.0.1:9/pager"
    outcome = call("migrate", settings={"DATABASE_URL": url})
    assert outcome.status == 1
    assert outcome.err.startswith("The database cannot be used right now: ")
    assert "planted" not in outcome.err
    assert "Traceback" not in outcome.err
