"""What `check` finds: ok, warning, failure, or could not be checked; each says what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How a thing stands; only a failure makes `check` exit with 1."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "could not be checked"


MARKS = {Result.OK: "✓", Result.WARNING: "!", Result.FAILURE: "✗", Result.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `todo` is one sentence, empty when all is well."""

    what: str
    result: Result
    detail: str = ""
    todo: str = ""

    def __str__(self) -> str:
        head = f"{MARKS[self.result]} {self.what}: {self.result}"
        lines = [f"{head}. {self.detail}" if self.detail else head]
        if self.todo:
            lines.append(f"    → {self.todo}")
        return "\n".join(lines)


def ok(what: str, detail: str = "") -> Finding:
    """All is well."""
    return Finding(what, Result.OK, detail)


def warning(what: str, detail: str, todo: str) -> Finding:
    """It works, but not as it could."""
    return Finding(what, Result.WARNING, detail, todo)


def failure(what: str, detail: str, todo: str) -> Finding:
    """The bot cannot do its work like this."""
    return Finding(what, Result.FAILURE, detail, todo)


def unknown(what: str, detail: str, todo: str = "") -> Finding:
    """It could not be looked at; says why."""
    return Finding(what, Result.UNKNOWN, detail, todo)
