"""CONTRIBUTING's example of a command: its module and its tests are run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.command.catalog import Catalog
from bot.declaration import Command
from bot.manifest import build_manifest
from bot.reference import command_table
from commands import CATALOG
from tests.command.switchboard import Switchboard, switchboard

CONTRIBUTING = (Path(__file__).resolve().parents[1] / "CONTRIBUTING.md").read_text("utf-8")
MODULE, TESTS = re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL)


def executed(text: str, name: str) -> dict[str, object]:
    """The names a block of CONTRIBUTING defines, as a module of this name would."""
    module: dict[str, object] = {"__name__": name}
    exec(compile(text, f"CONTRIBUTING.md, {name}", "exec"), module)
    return module


def example() -> Command:
    url = executed(MODULE, "commands.url")["url"]
    assert isinstance(url, Command)
    return url


EXAMPLES = {
    name: test
    for name, test in executed(TESTS, "tests.commands.test_url").items()
    if name.startswith("test_") and callable(test)
}


@pytest.mark.parametrize("name", EXAMPLES)
async def test_its_tests_pass(name: str, sqlite_url: str) -> None:
    test: Callable[[Switchboard], Awaitable[None]] = EXAMPLES[name]
    async with switchboard(sqlite_url, catalog=Catalog(*CATALOG, example())) as board:
        await test(board)


async def test_help_knows_it(sqlite_url: str) -> None:
    async with switchboard(sqlite_url, catalog=Catalog(*CATALOG, example())) as board:
        assert "Give me the address of an incident" in await board.types("help url")


def test_the_papers_follow_from_it() -> None:
    catalog = Catalog(*CATALOG, example())
    assert "`url N`" in command_table(catalog)
    assert "| url]" in str(build_manifest(catalog, slash_command="/pager"))
