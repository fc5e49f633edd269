"""Waiting until something can be seen, at most so long, and noting how long it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.errors import Failure, PagerDutyFailure, SlackFailure
from bot.rehearsal.budgets import PATIENCE, Budget
from bot.rehearsal.report import Report, Result, Step, judged

QUICK, SLOW = 1.5, 3.0  # seconds between looks: some 50 a minute may read history, the bot among them
QUICK_FOR = 3.0

Look = Callable[[], Awaitable[str]]
"""What is still wrong; empty once all is as it should be."""


class NothingComes(Failure):
    """Two things in a row never came: what follows would not either."""


class Watching:
    """Rows go into `report`, each is said at once. `patience`: times its budget that a thing is waited for;
    `timer` is monotonic seconds, `sleep` waits.
    """

    def __init__(
        self,
        report: Report,
        say: Callable[[str], None],
        *,
        patience: float = PATIENCE,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._report = report
        self._missing = 0  # in a row
        self._held = 0.0  # seconds that somebody's limit kept us from looking
        self._say = say
        self._patience = patience
        self._timer = timer
        self._sleep = sleep

    def now(self) -> float:
        """Seconds of the timer: what `since` is measured by."""
        return self._timer()

    async def rest(self, until: float) -> None:
        """Until that moment of `now()`."""
        await self._sleep(max(0.0, until - self._timer()))

    def note(self, step: Step) -> None:
        """A row that was not waited for."""
        self._report.steps.append(step)
        self._say(str(step))

    def skip(self, what: str, why: str) -> None:
        """A row for what could not be tried here."""
        self.note(Step(what, Result.SKIPPED, detail=why))

    async def see(
        self,
        what: str,
        budget: Budget,
        look: Look,
        *,
        since: float | None = None,
        at_most: float | None = None,
    ) -> bool:
        """Look until nothing is wrong, and note it; False: it never came. `since`: when it began, of `now()`;
        `at_most`: seconds to wait, where that is less than it would be. Raises NothingComes.
        """
        began = self._timer() if since is None else since
        patience = budget.seconds * (1.0 if self._missing else self._patience)
        held = self._held
        wrong = await self.wait(look, began + (patience if at_most is None else min(patience, at_most)))
        took = None if wrong else self._timer() - began
        if self._held > held and not wrong:
            wrong = f"for {self._held - held:.1f} s of it Slack or PagerDuty did not let us look"
        self.note(judged(what, budget, took, wrong))
        self._missing = self._missing + 1 if took is None else 0
        if self._missing > 1:
            raise NothingComes("Nothing comes any more. Does the bot still run?")
        return took is not None

    async def wait(self, look: Look, until: float) -> str:
        """What is still wrong at `until`; empty: nothing is. A look that fails is a look in vain."""
        began = self._timer()
        while True:
            pause = QUICK if self._timer() - began < QUICK_FOR else SLOW
            try:
                wrong = await look()
            except (SlackFailure, PagerDutyFailure) as failure:
                wrong = f"it could not be looked at: {failure}"
                pause = max(pause, failure.retry_after or 0.0)
                self._held += failure.retry_after or 0.0
            if not wrong:
                return ""
            left = until - self._timer()
            if left <= 0:
                return wrong
            await self._sleep(min(pause, left))
