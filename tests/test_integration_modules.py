"""docs/integration.md: the integration modules in Slack, in a shell and at PagerDuty, without a gap."""

from __future__ import annotations

import json
import re
import shlex
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import pytest

from bot.cli.main import build_parser
from bot.command.arguments import read_line
from commands import CATALOG
from tests.command.directory import names
from tests.contract.pagerduty_openapi import CONTRACT, available

DOCS = Path(__file__).resolve().parents[1] / "docs" / "integration.md"
TEXT = DOCS.read_text("utf-8")
CODE = re.compile(r"`([^`]+)`")
VERBS = {
    "Update an incident": ("update", ("incident", "update")),
    "List on-call users": ("oncall", ("oncall",)),
    "Make an API call": ("api", ("api",)),
}


def rows(part: str) -> list[list[str]]:
    """The cells of a table between its marks, without its head."""
    table = TEXT.split(f"<!-- begin: {part} -->\n")[1].split(f"\n<!-- end: {part} -->")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


MODULES = rows("modules")
OPTIONS = rows("options")


def code(cell: str) -> list[str]:
    return CODE.findall(cell)


def options_of(words: tuple[str, ...]) -> set[str]:
    """The options of a verb of the command line."""
    parser: ArgumentParser = build_parser()
    for word in words:
        (below,) = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
        parser = below.choices[word]
    return {option for action in parser._actions for option in action.option_strings}


def test_every_module_is_there_and_no_cell_is_empty() -> None:
    assert [row[0] for row in MODULES] == [
        "Get an incident",
        "Create an event",
        "Update an incident",
        "Watch incidents",
        "List on-call users",
        "Make an API call",
    ]
    assert all(len(row) == 4 and all(row) for row in MODULES)
    assert all(len(row) == 5 and all(row) for row in OPTIONS)


@pytest.mark.parametrize("row", MODULES, ids=[row[0] for row in MODULES])
async def test_what_is_typed_in_slack_is_understood(row: list[str]) -> None:
    called = CATALOG.read(code(row[1])[0].removeprefix("/pager "))
    assert called.command is not None
    given = await read_line(called.command, called.rest, names())
    assert given.missing(called.command) == ()


@pytest.mark.parametrize("row", MODULES, ids=[row[0] for row in MODULES])
def test_what_is_typed_in_a_shell_is_understood(row: list[str]) -> None:
    words = shlex.split(code(row[2])[0].removeprefix("python -m bot "))
    assert build_parser().parse_args(words).json is True


@pytest.mark.parametrize("row", MODULES, ids=[row[0] for row in MODULES])
def test_pagerdutys_calls_are_its_own(row: list[str]) -> None:
    """Where its documents are."""
    calls = [call.split() for call in code(row[3]) if call != "PAGERDUTY_API_URL"]
    assert all(method in {"GET", "POST", "PUT"} and path.startswith("/") for method, path in calls)
    for name in ("pagerduty-rest.openapi.json", "pagerduty-events-v2.openapi.json") if available() else ():
        paths = json.loads((CONTRACT / name).read_text("utf-8"))["paths"]
        calls = [[method, path] for method, path in calls if method.lower() not in paths.get(path, {})]
    assert not (calls and available())


@pytest.mark.parametrize("row", OPTIONS, ids=[f"{row[0]}: {row[1]}" for row in OPTIONS])
def test_every_option_exists(row: list[str]) -> None:
    verb, words = VERBS[row[0]]
    command = CATALOG.find(verb)
    assert command is not None
    typed = {part.partition("=")[0] for part in code(row[2])}
    assert typed <= {one.name for one in command.parameters if one.named}
    assert set(code(row[3])) <= options_of(words)


@pytest.mark.parametrize("module", sorted(VERBS))
def test_no_option_is_left_out(module: str) -> None:
    verb, words = VERBS[module]
    command = CATALOG.find(verb)
    assert command is not None
    told = [row for row in OPTIONS if row[0] == module]
    in_slack = {part.partition("=")[0] for row in told for part in code(row[2])}
    assert in_slack == {one.name for one in command.parameters if one.named}
    in_a_shell = {part for row in told for part in code(row[3])}
    everywhere = {"-h", "--help", "--json", "--env-file", "--secrets-dir"}
    assert in_a_shell == options_of(words) - everywhere


def test_its_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", TEXT)
    assert targets
    assert [target for target in targets if not (DOCS.parent / target).exists()] == []
