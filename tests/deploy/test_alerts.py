"""The alert rules: they parse, name figures that exist with labels they have, and lead to what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric

from bot.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
GROUPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text("utf-8"))["groups"]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
SECTIONS = re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)
DURATION = re.compile(r"\d+[smhd]")
FIGURE = re.compile(r"\bpagerline_\w+")
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}

named = pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])


def figures() -> set[str]:
    """Every series name there is."""
    collected: list[Metric] = list(Metrics().registry.collect())
    return {one.name + suffix for one in collected for suffix in SUFFIXES[one.type]}


def test_every_group_and_rule_has_a_name_of_its_own() -> None:
    assert len({group["name"] for group in GROUPS}) == len(GROUPS)
    assert len({rule["alert"] for rule in RULES}) == len(RULES) > 0


@named
def test_a_rule_is_made_of_prometheus_own_words(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations", "keep_firing_for"}
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert rule["annotations"]["summary"]
    assert DURATION.fullmatch(rule.get("for", "1m"))
    assert rule["expr"].count("(") == rule["expr"].count(")")


@named
def test_it_asks_for_figures_that_exist(rule: dict[str, Any]) -> None:
    asked = set(FIGURE.findall(rule["expr"]))
    assert asked
    assert asked - figures() == set()


@named
def test_it_asks_by_labels_the_figures_have(rule: dict[str, Any]) -> None:
    text = Path(ROOT / "bot" / "metrics.py").read_text("utf-8")
    asked = {
        label for some in re.findall(r"\{([^{}]*)\}", rule["expr"]) for label in re.findall(r"(\w+)=", some)
    }
    asked |= {
        label.strip() for some in re.findall(r"by ?\(([^)]*)\)", rule["expr"]) for label in some.split(",")
    }
    assert [label for label in asked - {"le", ""} if f'"{label}"' not in text] == []


@named
def test_it_leads_to_a_section_of_the_runbook(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
    assert rule["alert"] in SECTIONS


def test_the_runbook_has_no_section_without_an_alert() -> None:
    assert set(SECTIONS) == {rule["alert"] for rule in RULES}
