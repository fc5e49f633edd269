"""`python -m tests.chaos`: runs of chaos, a line for each, and what differs where one failed.

make chaos                                       one new seed on each database, some minutes
make chaos ARGS="--seeds 20"                     twenty
make chaos ARGS="--seed 7 --database sqlite"     that one again
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from tests.chaos.plan import REPLICAS, Database, Pace, plan
from tests.chaos.run import Result, run
from tests.chaos.weather import locks, restarts
from tests.databases import PostgresCluster
from tests.stories.office import Office

COLUMNS = (
    *("seed", "database", "incidents", "points", "kills", "freezes", "faults", "outages", "storm s"),
    *("true after s", "messages", "doubles", "missing", "stale", "asked", "answered", "passed"),
)
SLOW, MOST_TOLD = 10.0, 3  # seconds after which it is told what took so long, and in how many lines
CALM = 1.5  # load average: more, and what is measured is the machine


def cells(result: Result) -> Sequence[object]:
    differences = result.differences
    after = f"{result.recovered:.1f}" if result.recovered is not None else "never"
    return (
        *(result.plan.seed, result.plan.database, result.incidents, result.kills + result.freezes),
        *(result.kills, result.freezes, result.mishaps, result.outages, f"{result.lasted:.0f}", after),
        *(result.messages, len(differences.doubles), len(differences.missing), len(differences.stale)),
        *(result.asked, result.answered, "✓" if result.passed else "–"),
    )


def line(values: Sequence[object]) -> str:
    return "  ".join(str(value).rjust(len(name)) for name, value in zip(COLUMNS, values, strict=True))


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


def seeds(asked: argparse.Namespace) -> Iterator[tuple[int, Database]]:
    first = asked.seed if asked.seed is not None else secrets.randbelow(1_000_000)
    for seed in range(first, first + asked.seeds):
        for database in REPLICAS:
            if asked.database in (None, database):
                yield seed, database


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Storms, and then the truth.")
    parser.add_argument("--seed", type=int, help="the first one; a new one when left out")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after the other")
    parser.add_argument("--database", choices=list(REPLICAS), help="both when left out")
    parser.add_argument("--incidents", type=int, default=500)
    parser.add_argument("--points", type=int, default=200, help="kills and freezes, over all replicas")
    parser.add_argument("--pace", choices=("wide", "slack"), default="wide", help="slack: pages in a storm")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or what was started would outlive us
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if (busy := os.getloadavg()[0]) > CALM:
        print(f"This machine is busy (load {busy:.1f}): everything takes longer, and is allowed to.")
    print("  ".join(COLUMNS), flush=True)
    failed = []
    for seed, database in seeds(asked):
        result = asyncio.run(
            one(seed, database, incidents=asked.incidents, points=asked.points, pace=asked.pace)
        )
        print(line(cells(result)), flush=True)
        if not result.passed:
            failed.append(result)
            print(result.story(), flush=True)
        elif result.recovered and result.recovered > SLOW:
            print(*result.last[:MOST_TOLD], sep="\n", flush=True)
    if failed:
        print(f"{len(failed)} failed: {', '.join(f'{r.plan.seed} ({r.plan.database})' for r in failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
