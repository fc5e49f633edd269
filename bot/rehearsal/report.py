"""What came of a game day: a row for each thing that was watched, a table for people or JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum

from bot.rehearsal.budgets import Budget


class Result(StrEnum):
    """How one thing went. Only OK and SKIPPED are fine."""

    OK = "ok"
    LATE = "late"
    MISSING = "missing"
    SKIPPED = "not tried"


MARKS = {Result.OK: "✓", Result.LATE: "!", Result.MISSING: "✗", Result.SKIPPED: "–"}


@dataclass(frozen=True, slots=True)
class Step:
    """One row. Seconds; `took` None: it was never seen; `budget` None: nothing was promised."""

    what: str
    result: Result
    budget: float | None = None
    took: float | None = None
    detail: str = ""

    def __str__(self) -> str:
        budget = f"{self.budget:g} s" if self.budget is not None else ""
        took = f"{self.took:.1f} s" if self.took is not None else ""
        row = f"{MARKS[self.result]} {self.what:<38} {budget:>7} {took:>8}  {self.result}"
        return f"{row}: {self.detail}" if self.detail else row


def judged(what: str, budget: Budget, took: float | None, detail: str = "") -> Step:
    """The row of something that was seen after `took` seconds, or never."""
    if took is None:
        return Step(what, Result.MISSING, budget.seconds, detail=detail)
    result = Result.OK if took <= budget.seconds else Result.LATE
    return Step(what, result, budget.seconds, took, detail)


@dataclass(slots=True)
class Report:
    """`left`: what could not be cleaned up. `stopped`: why it ended early, empty when it did not."""

    scenario: str
    service: str
    channel: str
    steps: list[Step] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    stopped: str = ""

    @property
    def is_good(self) -> bool:
        """Everything came within its budget and nothing was left behind."""
        fine = all(step.result in (Result.OK, Result.SKIPPED) for step in self.steps)
        return fine and bool(self.steps) and not self.left and not self.stopped

    @property
    def status(self) -> int:
        """The exit status."""
        return 0 if self.is_good else 1

    def __str__(self) -> str:
        rows = [f"Game day, {self.scenario}: {self.service} in {self.channel}", ""]
        rows += [f"  {'what':<38} {'budget':>7} {'took':>8}", *map(str, self.steps), ""]
        if self.stopped:
            rows.append(f"Stopped early: {self.stopped}")
        rows += [f"Not cleaned up: {one}" for one in self.left]
        rows.append(self._verdict())
        return "\n".join(rows)

    def _verdict(self) -> str:
        if self.is_good:
            return "All within their budgets, and cleaned up."
        bad = [step for step in self.steps if step.result in (Result.LATE, Result.MISSING)]
        counted = [f"{len(bad)} of {len(self.steps)} late or missing"] if bad else []
        told = ", ".join([*counted, *(["stopped early"] if self.stopped else [])]) or "not clean"
        return f"{told[0].upper()}{told[1:]}. docs/gameday.md says where to look first."

    def as_json(self) -> str:
        """One object; results are the words of the table."""
        steps = [
            {
                "what": step.what,
                "result": str(step.result),
                "budget_seconds": step.budget,
                "took_seconds": None if step.took is None else round(step.took, 2),
                "detail": step.detail,
            }
            for step in self.steps
        ]
        return json.dumps(
            {
                "scenario": self.scenario,
                "service": self.service,
                "channel": self.channel,
                "ok": self.is_good,
                "steps": steps,
                "not_cleaned_up": self.left,
                "stopped": self.stopped,
            },
            ensure_ascii=False,
        )
