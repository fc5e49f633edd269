"""One run: claimed so that no other disturbs it, played, cleaned up in every ending, and reported."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import structlog

from bot.background import rest
from bot.errors import Failure, SlackFailure, StoreUnavailable, UserError
from bot.rehearsal import away, limited, outage, storm
from bot.rehearsal.report import Report
from bot.rehearsal.scene import Scene
from bot.store.audit_reading import AuditReading
from bot.store.database import Database
from bot.store.leases import Lease, Leases
from bot.store.rehearsals import GAME_DAY, LONGEST

log = structlog.get_logger("pagerline.gameday")

SCENARIOS = {
    "outage": "one incident, from its alert to its end",
    "slack-429": "the same while Slack limits edits",
    "pagerduty-down": "the same while PagerDuty is away for the bot, as far as this incident goes",
    "storm": f"{storm.MANY} incidents at once",
}
CLAIM_SECONDS = 12.0
RENEW_SECONDS = 4.0


class GameDay:
    """`say` tells the operator what happens."""

    def __init__(self, scene: Scene, database: Database, report: Report, say: Callable[[str], None]) -> None:
        self._scene = scene
        self._database = database
        self._leases = Leases(database, f"{GAME_DAY} {secrets.token_hex(4)}")
        self._report = report
        self._say = say

    async def run(self, *, count: int = storm.MANY) -> Report:
        """Play the report's scenario. Raises UserError when another run is under way, when what an earlier
        one left cannot be cleaned up, or when the scenario refuses before anything was opened.
        """
        lease = await self._leases.take(GAME_DAY, CLAIM_SECONDS)
        if lease is None:
            raise UserError("Another game day is under way, or died moments ago. Try again in a minute.")
        over = asyncio.Event()
        renewing = asyncio.create_task(self._renew(lease, over), name="game day's claim")
        try:
            await self._tidy()
            await self._play(count)
        except asyncio.CancelledError:
            # Whoever stops us wants to see what came of it, and above all wants it cleaned up.
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
            self._report.stopped = "it was told to"
        except UserError:
            raise
        except Failure as failure:
            self._report.stopped = str(failure)
        finally:
            self._report.left += await self._clean()
            over.set()
            await renewing
        return self._report

    async def _play(self, count: int) -> None:
        match self._report.scenario:
            case "outage":
                await outage.play(self._scene)
            case "slack-429":
                await limited.play(self._scene)
            case "pagerduty-down":
                await away.play(self._scene, AuditReading(self._database), self._say)
            case _:
                await storm.play(self._scene, count)

    async def _tidy(self) -> None:
        """What a run that was killed has left."""
        leftovers = self._scene.ground.leftovers
        if leftovers:
            self._say(f"Resolving what an earlier run left: {', '.join(one.label for one in leftovers)}.")
            if left := await self._scene.stage.clean():
                raise UserError(f"An earlier run left something: {'; '.join(left)}.")
        await self._scene.view.remove_scratches()
        await self._scene.view.begin()

    async def _clean(self) -> list[str]:
        """What is left, in words."""
        self._say("Cleaning up.")
        left: list[str] = []
        try:
            await self._scene.rehearsals.end()
        except StoreUnavailable as failure:
            left.append(f"that PagerDuty is away ends by itself within {LONGEST:g} s ({failure})")
        left += await self._scene.stage.clean()
        try:
            await self._scene.view.remove_scratches()
        except SlackFailure as failure:
            left.append(f"a message of the game day in {self._report.channel}: delete it ({failure})")
        return left

    async def _renew(self, lease: Lease, over: asyncio.Event) -> None:
        """Hold the claim until it is over; without the database it ends by itself."""
        try:
            while not over.is_set():
                await rest(over, RENEW_SECONDS)
                if not over.is_set():
                    await self._leases.renew(lease, CLAIM_SECONDS)
            await self._leases.release(lease)
        except StoreUnavailable as failure:
            log.warning("claim_not_renewed", reason=str(failure))
