"""The bot's processes: killed, frozen, started again; whoever is up, what is sent goes to one of them."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.chaos.forked import ForkedProcess, Nursery
from tests.chaos.plan import Point
from tests.stories.office import Office, free_port

MISSES = 0.15  # how often they reach one that is away, as behind a proxy that has not noticed
START_SECONDS = 120.0  # far beyond what a start takes; one that ends is tried again within it
CALM_START, MOST = 0.8, 10.0  # seconds a start takes on a calm machine; the most it may be slower
TAIL = 30  # lines of a log

Settings = dict[str, Any]


class Replica:
    """One process on one port. `answers`: it is up and not frozen."""

    def __init__(self, nursery: Nursery, office: Office, folder: Path, settings: Settings) -> None:
        self.port = free_port()
        self._lease = float(settings["lease_seconds"])
        self._process = ForkedProcess(nursery, office, folder, port=self.port, **settings)
        self.answers = False
        self.kills = self.freezes = 0
        self.starts: list[float] = []  # seconds each took

    async def start(self) -> None:
        """Until it is ready, as a service manager would: what ends is started again."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            began = time.monotonic()
            try:
                await self._process.start(within=START_SECONDS)
            except AssertionError:
                # Its database is away.
                await self._process.kill()
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
            else:
                self.starts.append(time.monotonic() - began)
                self.answers = True
                return

    async def meet(self, point: Point) -> None:
        """Die and come back, or freeze past the lease and go on."""
        await asyncio.sleep(point.pause)
        if not self.running:
            await self.start()
        self.answers = False
        if point.kind == "kill":
            await self._process.kill()
            self.kills += 1
            await asyncio.sleep(point.away)
            await self.start()
        else:
            self._process.signal(signal.SIGSTOP)
            self.freezes += 1
            try:
                await asyncio.sleep(point.away * self._lease)
            finally:
                self._process.signal(signal.SIGCONT)
            self.answers = True

    @property
    def running(self) -> bool:
        process = self._process.process
        return process is not None and process.returncode is None

    async def kill(self) -> None:
        self.answers = False
        await self._process.kill()

    def tail(self) -> str:
        """The end of its log."""
        lines = self._process.log.read_text(errors="replace").splitlines()
        telling = [line for line in lines if '"event": "swept"' not in line]
        return "\n".join([f"--- the bot on port {self.port}", *telling[-TAIL:]])


class Replicas:
    """All of them, and which of them is asked; `chance` decides."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.all: list[Replica] = []

    def build(self, nursery: Nursery, office: Office, folder: Path, count: int, settings: Settings) -> None:
        """They are not started yet."""
        self.all = [Replica(nursery, office, folder, settings) for _ in range(count)]

    async def start(self) -> None:
        """One after the other is quicker than all at once on few cores; returns when all are ready."""
        for one in self.all:
            if not one.running:
                await one.start()

    def choose(self) -> int:
        """The port of one that is up, or now and then of one that is not."""
        up = [one for one in self.all if one.answers]
        missed = not up or self._chance.random() < MISSES
        return self._chance.choice(self.all if missed else up).port

    @property
    def slowness(self) -> float:
        """How many times as long as on a calm machine half of their starts took at least; no less than 1."""
        usual = median(seconds for one in self.all for seconds in one.starts)
        return min(MOST, max(1.0, usual / CALM_START))

    async def end(self) -> None:
        """None of these processes outlives its run."""
        await asyncio.gather(*(one.kill() for one in self.all))
