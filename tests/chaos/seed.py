"""`python -m tests.chaos.seed`: one run in a process of its own, and what it came to as a line of JSON.

The office, its fakes and what watches over it live here; the bots are processes of their own again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from tests.chaos.plan import PACES, REPLICAS, Database, Pace, plan
from tests.chaos.run import Result, run
from tests.chaos.weather import locks, restarts
from tests.databases import PostgresCluster
from tests.stories.office import Office

COLUMNS = (
    *("seed", "database", "incidents", "points", "kills", "freezes", "faults", "outages", "storm s"),
    *("true after s", "of s", "messages", "doubles", "missing", "stale", "asked", "answered", "passed"),
)
STOPPED = 130  # the exit status of what was told to stop
SLOW, MOST_TOLD = 10.0, 3  # seconds after which it is told what took so long, and in how many lines

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """A run in short; `more` is what to look at when something was slow or wrong."""

    seed: int
    database: Database
    passed: bool
    after: float | None  # seconds
    cells: Sequence[str]
    more: str

    @property
    def line(self) -> str:
        return table_line(self.cells)


def table_line(cells: Sequence[str]) -> str:
    return "  ".join(cell.rjust(len(name)) for name, cell in zip(COLUMNS, cells, strict=True))


def tell(result: Result) -> Told:
    differences = result.differences
    after = f"{result.recovered:.1f}" if result.recovered is not None else "never"
    cells = (
        *(result.plan.seed, result.plan.database, result.incidents, result.kills + result.freezes),
        *(result.kills, result.freezes, result.mishaps, result.outages, f"{result.lasted:.0f}", after),
        *(f"{result.allowed:.0f}", result.messages),
        *(len(found) for found in (differences.doubles, differences.missing, differences.stale)),
        *(result.asked, result.answered, "✓" if result.passed else "–"),
    )
    more = ""
    if not result.passed:
        more = result.story()
    elif result.recovered and result.recovered > SLOW:
        more = "\n".join([result.went(), *result.last[:MOST_TOLD]])
    return Told(
        seed=result.plan.seed,
        database=result.plan.database,
        passed=result.passed,
        after=result.recovered,
        cells=[str(cell) for cell in cells],
        more=more,
    )


async def one(seed: int, database: Database, *, incidents: int, points: int, pace: Pace = "wide") -> Result:
    """A run in a folder, an office and, on PostgreSQL, a cluster of its own."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pagerline-chaos-")))
        if database == "postgresql":
            cluster = stack.enter_context(PostgresCluster(durable=True))
            url, outage = cluster.create_database(), restarts(cluster)
        else:
            file = folder / "pagerline.db"
            url, outage = f"sqlite:///{file}", locks(file)
        office = Office(url)
        await office.migrate()
        await office.sandbox.start()
        try:
            wanted = plan(seed, database, incidents=incidents, points=points, pace=pace)
            return await run(wanted, office, folder, outage)
        finally:
            await office.sandbox.stop()


async def ended_by_signal(work: Coroutine[Any, Any, T]) -> T:
    """SIGTERM and SIGINT cancel it, and nothing else: whoever ends what was started still hears that it has
    ended. Raises SystemExit then.
    """
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise SystemExit(STOPPED) from None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.seed")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--database", choices=list(REPLICAS), required=True)
    parser.add_argument("--incidents", type=int, required=True)
    parser.add_argument("--points", type=int, required=True)
    parser.add_argument("--pace", choices=PACES, required=True)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    size = {"incidents": asked.incidents, "points": asked.points}
    result = asyncio.run(ended_by_signal(one(asked.seed, asked.database, pace=asked.pace, **size)))
    json.dump(asdict(tell(result)), sys.stdout)


if __name__ == "__main__":
    main()
