"""Slack says 429, and means it: the limit on editing is used up by edits of a message of our own.

The limit belongs to the app in the workspace, so that every edit of the bot's waits as long: it is not done
while anything else is triggered, and stops at the first 429, after MOST edits, or after LONGEST seconds. What
is looked at is whether the bot's own edit comes all the same, once Slack takes edits again.
"""

from __future__ import annotations

import asyncio

from bot.errors import UserError
from bot.model import Status
from bot.rehearsal.budgets import LIMITED
from bot.rehearsal.report import Result, Step
from bot.rehearsal.scene import Scene
from bot.render.text import plural
from bot.slack.failures import Limited

MOST = 150  # edits; Slack's tier for them is some 50 a minute, with room for bursts
LONGEST = 45.0  # seconds
AT_ONCE = 5
SAYS = "Game day: this message is edited until Slack limits it, and then deleted. Nothing is broken."


async def play(scene: Scene) -> None:
    """One incident, Slack at its limit, and its acknowledgement shown. Raises UserError while somebody may
    be waiting for an edit, PagerDutyFailure and SlackFailure.
    """
    if waiting := await scene.stage.others_triggered():
        raise UserError(
            f"{plural(len(waiting), 'other incident')} triggered just now, such as {waiting[0].label}: what "
            "Slack shows of them would come up to a minute late. Do this when nothing else is triggered."
        )
    incident = await scene.open_one()
    if incident is None:
        return
    burst = Burst(scene)
    await burst.run()
    if burst.retry_after is None:
        why = f"not within {burst.edits} edits; the rest would prove nothing"
        scene.watching.note(Step("Slack says 429", Result.MISSING, detail=why))
    else:
        told = f"at edit {burst.edits}, to wait {burst.retry_after:g} s"
        scene.watching.note(Step("Slack says 429", Result.OK, took=burst.took, detail=told))
        (taken,) = await scene.stage.set_status([incident], Status.ACKNOWLEDGED)
        budget = LIMITED.longer_by(burst.retry_after)
        await scene.see("acknowledged is shown all the same", taken, budget=budget)
    await scene.resolve(incident, await scene.stage.set_status([incident], Status.RESOLVED))


class Burst:
    """Edits until the first 429. `retry_after`: what Slack said, None when it never did."""

    def __init__(self, scene: Scene) -> None:
        self._view = scene.view
        self._now = scene.watching.now
        self.edits = 0
        self.took = 0.0
        self.retry_after: float | None = None

    async def run(self) -> None:
        """Raises SlackFailure for anything but the limit."""
        ts = await self._view.scratch(SAYS)
        began = self._now()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._edit(ts, began))
        except* Limited as limits:
            self.retry_after = max(one.seconds for one in limits.exceptions if isinstance(one, Limited))
        self.took = self._now() - began

    async def _edit(self, ts: str, began: float) -> None:
        while self.edits < MOST and self._now() - began < LONGEST:
            self.edits += 1
            await self._view.edit(ts, f"{SAYS} ({self.edits})")
