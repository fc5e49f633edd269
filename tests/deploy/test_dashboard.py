"""The Grafana dashboard: it parses, nothing overlaps, and every figure it asks for exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_alerts import FIGURE, figures

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "dashboard.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
PART = re.compile("_(bucket|count|sum)$")
WIDTH = 24  # Grafana's grid


def test_every_panel_has_an_id_and_a_title_of_its_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS) > 0
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_it_asks_for_figures_that_exist(panel: dict[str, Any]) -> None:
    asked = {name for target in panel["targets"] for name in FIGURE.findall(target["expr"])}
    assert asked
    assert asked - figures() == set()


def test_every_figure_an_operator_may_need_is_drawn() -> None:
    drawn = {
        name for panel in PANELS for target in panel["targets"] for name in FIGURE.findall(target["expr"])
    }
    stems = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in drawn}
    there = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in figures()}
    assert there - stems <= {"pagerline_old_rows_deleted_total"}


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < WIDTH
        taken |= cells
