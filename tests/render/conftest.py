"""Golden messages: what render draws is kept as JSON under tests/golden, so that a change of layout is a
readable diff.

`pytest tests/render --update-golden` writes them anew; look at the difference, and at the pictures, before
committing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from bot.sandbox.slack.blocks import problems

FOLDER = Path(__file__).resolve().parents[1] / "golden"


class Drawn(Protocol):
    """A Rendered or a Reply."""

    @property
    def text(self) -> str: ...
    @property
    def blocks(self) -> Sequence[Mapping[str, Any]]: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden messages anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, Drawn], None]:
    """Compare a message with its golden file, and let the sandbox's Slack judge its blocks."""
    update = bool(request.config.getoption("--update-golden", default=False))

    def check(name: str, drawn: Drawn) -> None:
        blocks = json.loads(json.dumps(drawn.blocks))
        assert problems(blocks, "message") == []
        told = json.dumps({"text": drawn.text, "blocks": blocks}, indent=1, ensure_ascii=False) + "\n"
        file = FOLDER / f"{name}.json"
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(told, encoding="utf-8")
        assert file.is_file(), (
            f"{file.name} is missing: run pytest tests/render --update-golden and look at it"
        )
        assert json.loads(told) == json.loads(file.read_text(encoding="utf-8"))

    return check
