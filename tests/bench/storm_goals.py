"""The storm table's goals as rows of `make bench`: one seed of each; the floor is the goal, in virtual time.

The whole table, five seeds beside the two simple ways: `python -m tests.bench.storm`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from tests.bench.measures import Bench, Row
from tests.bench.storm import play

GOALS: dict[tuple[int, int], dict[str, float]] = {
    (1000, 1): {"visible_99": 5.0, "worst": 36.0},
    (5000, 50): {"visible_99": 60.0, "mean": 90.0, "after": 60.0},
}
SAYS = {
    "visible_99": "trigger to visible, p99",
    "worst": "stalest",
    "mean": "stale, mean",
    "after": "true after the last event",
}


async def storms(bench: Bench) -> AsyncIterator[Row]:
    """Simulated: neither databases nor processes."""
    del bench
    for (incidents, channels), goals in GOALS.items():
        result = play(incidents, channels, seed=1)
        for name, goal in goals.items():
            ours = float(getattr(result, name))
            what = f"storm {incidents}/{channels}: {SAYS[name]}"
            yield Row(what, f"{goal:.0f} s", f"{ours:.1f} s", ours / goal, "≤ 1.0", ours <= goal)
        calls = sum(result.calls.values())
        share = result.limited / calls
        yield Row(
            f"storm {incidents}/{channels}: 429s", "1 %", f"{share:.1%}", share / 0.01, "≤ 1.0", share <= 0.01
        )
