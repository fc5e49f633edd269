"""`python -m tests.chaos`: runs of chaos, a line for each, and what differs where one failed.

make chaos                                       one new seed on each database, some minutes
make chaos ARGS="--seeds 20 --jobs 3"            twenty, three at a time
make chaos ARGS="--seed 7 --database sqlite"     that one again
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import Sequence
from statistics import median

from tests.chaos.plan import PACES, REPLICAS, Database
from tests.chaos.seed import COLUMNS, Told, ended_by_signal, table_line
from tests.stories.office import ROOT

CALM = 1.5  # load average: more, and what is measured is the machine
END_SECONDS = 60.0  # for one that is told to stop to end what it has started

Run = tuple[int, Database]


def runs(asked: argparse.Namespace) -> list[Run]:
    first = asked.seed if asked.seed is not None else secrets.randbelow(1_000_000)
    databases = [one for one in REPLICAS if asked.database in (None, one)]
    return [(seed, database) for seed in range(first, first + asked.seeds) for database in databases]


async def live(run: Run, asked: argparse.Namespace) -> Told:
    """One run in a process of its own, which ends whatever it has started."""
    seed, database = run
    words = ["--seed", str(seed), "--database", database, "--pace", asked.pace]
    words += ["--incidents", str(asked.incidents), "--points", str(asked.points)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.seed", *words),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # what is typed at the terminal reaches us, and we tell it
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), END_SECONDS)
            except TimeoutError:
                process.kill()
    if process.returncode:
        why = f"seed {seed} on {database} broke off with status {process.returncode}"
        cells = [str(seed), database, *["?"] * (len(COLUMNS) - 3), "–"]
        return Told(seed, database, passed=False, after=None, cells=cells, more=why)
    return Told(**json.loads(out))


async def live_all(asked: argparse.Namespace) -> list[Told]:
    """So many at a time; each is printed when it is over."""
    free = asyncio.Semaphore(asked.jobs)
    found = []

    async def in_turn(run: Run) -> None:
        async with free:
            told = await live(run, asked)
        found.append(told)
        print(told.line, *([told.more] if told.more else []), sep="\n", flush=True)

    async with asyncio.TaskGroup() as group:
        for run in runs(asked):
            group.create_task(in_turn(run))
    return found


def total(found: Sequence[Told], minutes: float) -> str:
    """Everything in two lines at most."""
    after = sorted(one.after for one in found if one.after is not None)
    slowest = f"true after {median(after):.1f} s (median) and {after[-1]:.1f} s (worst)" if after else "–"
    failed = [f"{one.seed} ({one.database})" for one in found if not one.passed]
    said = f"{len(found) - len(failed)} of {len(found)} passed in {minutes:.0f} min; {slowest}"
    return "\n".join([said, *([f"failed: {', '.join(failed)}"] if failed else [])])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Storms, and then the truth.")
    parser.add_argument("--seed", type=int, help="the first one; a new one when left out")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--database", choices=list(REPLICAS), help="both when left out")
    parser.add_argument("--incidents", type=int, default=500)
    parser.add_argument("--points", type=int, default=200, help="kills and freezes, over all replicas")
    parser.add_argument("--pace", choices=PACES, default="wide", help="slack: pages in a storm")
    asked = parser.parse_args()
    if (busy := os.getloadavg()[0]) > CALM:
        print(f"This machine is busy (load {busy:.1f}): everything takes longer, and is allowed to.")
    print(table_line(COLUMNS), flush=True)
    began = time.monotonic()
    found = asyncio.run(ended_by_signal(live_all(asked)))
    print(total(found, (time.monotonic() - began) / 60))
    return 0 if all(one.passed for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
