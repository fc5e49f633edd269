"""`python -m tests.bench [what …]`: measures, and prints the table. Everything stays on 127.0.0.1.

make bench                                   everything, some ten minutes
make bench ARGS="intake storm"               a part of it
make bench ARGS="endurance --minutes 10"     its long form
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import tempfile
from pathlib import Path

from bot.logs import configure
from tests.bench import measures
from tests.bench.endurance import endurance
from tests.bench.identity import identity
from tests.bench.measures import Bench, Measure, Row
from tests.bench.scale import scale
from tests.bench.storm_goals import storms
from tests.databases import PostgresCluster, PostgresMissing

MEASURES: dict[str, Measure] = {
    **measures.MEASURES,
    "identity": identity,
    "endurance": endurance,
    "scale": scale,
    "storms": storms,
}
WIDTHS = (46, 14, 14, 7, 8, 5)
CALM = 0.7  # load average; two processes are measured, and both want a core of their own


def line(*cells: str) -> str:
    """Cells in columns: the first to the left, figures to the right."""
    first, *rest = (cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return "  ".join([cells[0].ljust(len(first)), *rest])


def told(row: Row) -> str:
    return line(row.what, row.floor, row.bot, f"{row.ratio:.2f}", row.goal, "✓" if row.met else "–")


async def measure(names: list[str], folder: Path, minutes: float, cluster: PostgresCluster | None) -> None:
    """Print a line for each figure as soon as it is there."""
    numbers = itertools.count(1)

    def databases() -> dict[str, str]:
        """Empty ones, for one measurement."""
        found = {"SQLite": f"sqlite:///{folder / f'bench{next(numbers)}.db'}"}
        if cluster is not None:
            found["PostgreSQL"] = cluster.create_database()
        return found

    busy = os.getloadavg()[0]
    if busy > CALM:
        print(f"This machine is busy (load {busy:.1f}): measure again when it is calm.")
    print(line("", "floor", "bot", "ratio", "goal", "met"))
    for name in names:
        async for row in MEASURES[name](Bench(folder, databases, minutes)):
            print(told(row), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="The bot's speed, as ratios.")
    parser.add_argument("what", nargs="*", help=", ".join(MEASURES))
    parser.add_argument("--minutes", type=float, default=1 / 3, help="of endurance, on each database")
    given = parser.parse_args()
    names = given.what or list(MEASURES)
    if unknown := set(names) - set(MEASURES):
        parser.error(f"{', '.join(sorted(unknown))}: there is {', '.join(MEASURES)}")
    configure(level="ERROR", style="console")
    with tempfile.TemporaryDirectory(prefix="pagerline-bench-") as folder:
        try:
            with PostgresCluster(durable=True) as cluster:
                asyncio.run(measure(names, Path(folder), given.minutes, cluster))
        except PostgresMissing as missing:
            print(f"Not measured on PostgreSQL: {missing}.")
            asyncio.run(measure(names, Path(folder), given.minutes, None))


if __name__ == "__main__":
    main()
