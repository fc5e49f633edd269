"""What is derived is up to date, and what the papers say is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.cli.main import VERBS
from bot.environment import load
from bot.manifest import build_manifest
from bot.pagerduty.oauth import ALWAYS
from bot.reference import (
    command_table,
    derived_files,
    env_example,
    filled,
    pagerduty_scope_table,
    scope_table,
    settings_table,
)
from bot.settings import Settings, needed_to_run
from bot.slack.scopes import OPTIONAL_SCOPES, SCOPES
from commands import CATALOG

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PARTS = ("commands", "settings", "scopes", "pagerduty scopes")
SETTINGS = {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", sorted(derived_files(CATALOG, README)))
def test_what_is_derived_is_up_to_date(name: str) -> None:
    """`python -m bot reference --write` brings it up to date."""
    assert (ROOT / name).read_text("utf-8") == derived_files(CATALOG, README)[name]


@pytest.mark.parametrize("part", PARTS)
def test_the_readme_has_a_place_for_every_table(part: str) -> None:
    assert README.count(f"<!-- begin: {part} -->") == README.count(f"<!-- end: {part} -->") == 1


def test_only_what_stands_between_the_marks_is_written() -> None:
    text = "before\n<!-- begin: scopes -->\nold\n<!-- end: scopes -->\nafter\n"
    written = filled(text, CATALOG)
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "old" not in written
    assert scope_table() in written
    assert filled(written, CATALOG) == written
    assert filled("no marks", CATALOG) == "no marks"


def rows(table: str) -> list[list[str]]:
    """Cells by row, without the head."""
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()[2:]]


def test_the_command_table_has_a_row_for_every_command_people_use() -> None:
    found = rows(command_table(CATALOG))
    assert [row[0].strip("`").split()[0] for row in found] == [one.verb for one in CATALOG.shown()]
    assert all(len(row) == 2 and row[1] for row in found)


def test_the_settings_table_has_a_row_for_every_setting() -> None:
    found = rows(settings_table())
    assert [row[0].strip("`") for row in found] == [name.upper() for name in Settings.model_fields]
    assert all(len(row) == 3 and row[2] for row in found)


def test_the_scope_table_gives_every_scope_its_reason() -> None:
    found = rows(scope_table())
    assert len(found) == len(SCOPES) + len(OPTIONAL_SCOPES)
    assert all(reason for _, reason in found)


def test_every_pagerduty_scope_is_told_with_what_needs_it() -> None:
    found = rows(pagerduty_scope_table(CATALOG))
    assert [row[0].strip("`") for row in found] == sorted(
        ALWAYS | {one.scope for one in CATALOG if one.scope}
    )
    assert all(needed for _, needed in found)


def test_the_example_settings_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uncommented as it stands, it changes nothing."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "settings.env"
    path.write_text(re.sub(r"^#([A-Z_]+=)", r"\1", env_example(), flags=re.MULTILINE))
    assert load(env_file=path).model_dump() == Settings().model_dump()
    head = env_example().split("\n\n", 1)[0]
    assert all(name.upper() in head for name in needed_to_run(Settings()))


def test_the_manifest_file_is_the_manifest_over_http() -> None:
    written = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    assert written == build_manifest(CATALOG, slash_command="/pager")


# ------------------------------------------------------------------------------------------ the papers' words


@pytest.mark.parametrize("paper", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_the_papers_name_verbs_that_exist(paper: str) -> None:
    verbs = {verb.name for verb in VERBS}
    assert set(re.findall(r"python -m bot ([a-z]+)", paper)) <= verbs


def test_the_readme_names_settings_that_exist() -> None:
    prefixes = ("SLACK_", "PAGERDUTY_", "ALLOW_", "METRICS_", "PUBLIC_", "DATABASE_", "ENCRYPTION_")
    named = {word for word in re.findall(r"\b[A-Z]{4,}_[A-Z_]*[A-Z]\b", README) if word.startswith(prefixes)}
    assert named
    assert named <= SETTINGS


def test_the_readme_names_commands_that_exist() -> None:
    typed = set(re.findall(r"(?:/pager|@pagerline) ([a-z-]+)", README))
    assert typed
    assert all(CATALOG.find(word) for word in typed)


def test_the_readme_names_paths_that_exist() -> None:
    place = README.split("## A map of the code")[1]
    paths = re.findall(r"`((?:bot|commands|tests)/[\w/.]*)`", place)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
