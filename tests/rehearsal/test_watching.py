"""Waiting for something to be seen: how long it took, when it is given up, and who kept us from looking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from bot.errors import PagerDutyUnavailable
from bot.rehearsal.budgets import Budget
from bot.rehearsal.report import Report, Result
from bot.rehearsal.watching import QUICK, NothingComes, Watching
from bot.slack.failures import Limited

TEN = Budget(10.0, "for this test")


@dataclass
class Clock:
    """Time passes when somebody waits."""

    passed: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.passed += seconds

    def after(self, seconds: float, wrong: str = "not yet") -> Callable[[], Awaitable[str]]:
        """Something that is there once so many seconds have passed."""

        async def look() -> str:
            return "" if self.passed >= seconds else wrong

        return look


@dataclass
class Scene:
    clock: Clock = field(default_factory=Clock)
    report: Report = field(default_factory=lambda: Report("outage", "Search", "#checkout"))
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watching = Watching(
            self.report, self.said.append, patience=4.0, timer=self.clock.now, sleep=self.clock.sleep
        )


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_what_is_there_at_once_took_no_time(scene: Scene) -> None:
    assert await scene.watching.see("shown", TEN, scene.clock.after(0))
    assert (scene.report.steps[0].took, scene.clock.pauses) == (0.0, [])
    assert scene.said == [str(scene.report.steps[0])]


async def test_later_than_its_budget_is_late_and_still_seen(scene: Scene) -> None:
    assert await scene.watching.see("shown", TEN, scene.clock.after(20))
    (step,) = scene.report.steps
    assert step.result is Result.LATE
    assert step.took is not None
    assert 20 <= step.took < 22


async def test_it_looks_often_at_first_and_then_as_slack_lets_it(scene: Scene) -> None:
    await scene.watching.see("shown", TEN, scene.clock.after(30))
    assert scene.clock.pauses[0] == QUICK
    assert len(scene.clock.pauses) < 25


async def test_after_four_times_as_long_it_is_missing_and_says_what_was_wrong(scene: Scene) -> None:
    assert not await scene.watching.see("shown", TEN, scene.clock.after(1000, "no message"))
    (step,) = scene.report.steps
    assert (step.result, step.took, step.detail) == (Result.MISSING, None, "no message")
    assert scene.clock.passed == 40


async def test_what_began_earlier_is_measured_from_there(scene: Scene) -> None:
    scene.clock.passed = 7.0
    await scene.watching.see("shown", TEN, scene.clock.after(0), since=2.0)
    assert scene.report.steps[0].took == 5.0


async def test_a_second_missing_thing_in_a_row_ends_it_soon(scene: Scene) -> None:
    await scene.watching.see("shown", TEN, scene.clock.after(1000))
    with pytest.raises(NothingComes, match="Does the bot still run"):
        await scene.watching.see("told", TEN, scene.clock.after(1000))
    assert scene.clock.passed == 50


async def test_one_missing_thing_between_others_does_not(scene: Scene) -> None:
    for there in (0.0, 1000.0, 0.0, 1000.0):
        await scene.watching.see("shown", TEN, scene.clock.after(there))
    assert [step.result for step in scene.report.steps] == [Result.OK, Result.MISSING] * 2


@pytest.mark.parametrize(
    "failure", [Limited("ratelimited", retry_after=6), PagerDutyUnavailable("away", retry_after=6)]
)
async def test_who_keeps_us_from_looking_is_waited_for_and_told(scene: Scene, failure: Exception) -> None:
    async def look() -> str:
        if scene.clock.passed < 6:
            raise failure
        return ""

    assert await scene.watching.see("shown", TEN, look)
    assert scene.clock.pauses == [6]
    assert "for 6.0 s of it" in scene.report.steps[0].detail
