"""The figures: every method shows up under its name, labels stay few, and nothing personal is a label."""

from __future__ import annotations

import re

from bot.metrics import Metrics
from bot.pagerduty.limiter import Left


def figures(metrics: Metrics) -> dict[str, float]:
    """Name with labels to value, as Prometheus reads it."""
    lines = metrics.exposition().decode().splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")
    }


def test_each_thing_counted_has_its_name() -> None:
    metrics = Metrics()
    metrics.slack_call("chat.update", "ok", 0.2)
    metrics.pagerduty_call("GET", "/incidents/{id}", 200, 0.1)
    metrics.webhook("accepted", lag=1.5)
    metrics.command("ack", "button", "ok", 0.4)
    metrics.delivery("post", "ok")
    metrics.batch(7, 0.01)
    metrics.backlog(3)
    metrics.worst_staleness(1.25)
    metrics.unusual_use("person", "rate", 2)
    metrics.old_rows_deleted("events", 200)
    metrics.token_refresh("renewed")
    metrics.pagerduty_request("act", "too_late", 1.0)
    metrics.cache_lookup("services", "hit")
    metrics.cache_forgotten("services")
    shown = figures(metrics)
    assert shown['pagerline_slack_call_seconds_count{method="chat.update",outcome="ok"}'] == 1
    path = 'method="GET",path="/incidents/{id}",status="200"'
    assert shown[f"pagerline_pagerduty_call_seconds_sum{{{path}}}"] == 0.1
    assert shown['pagerline_webhooks_total{outcome="accepted"}'] == 1
    assert shown["pagerline_webhook_lag_seconds_sum"] == 1.5
    assert shown['pagerline_command_seconds_count{outcome="ok",surface="button",verb="ack"}'] == 1
    assert shown['pagerline_delivery_total{kind="post",outcome="ok"}'] == 1
    assert shown["pagerline_batch_size_sum"] == 7
    assert shown["pagerline_batch_seconds_count"] == 1
    assert shown["pagerline_backlog"] == 3
    assert shown["pagerline_worst_staleness_seconds"] == 1.25
    assert shown['pagerline_unusual_use{identity="person",kind="rate"}'] == 2
    assert shown['pagerline_old_rows_deleted_total{table="events"}'] == 200
    assert shown['pagerline_token_refreshes_total{outcome="renewed"}'] == 1
    late = 'outcome="too_late",rank="act"'
    assert shown[f"pagerline_pagerduty_deadline_used_ratio_count{{{late}}}"] == 1
    assert shown['pagerline_cache_lookups_total{cache="services",outcome="hit"}'] == 1
    assert shown['pagerline_cache_invalidations_total{cache="services"}'] == 1


def test_a_clock_that_is_behind_pagerdutys_gives_no_negative_lag() -> None:
    metrics = Metrics()
    metrics.webhook("accepted", lag=-5)
    metrics.webhook("duplicate")
    shown = figures(metrics)
    assert shown["pagerline_webhook_lag_seconds_sum"] == 0
    assert shown["pagerline_webhook_lag_seconds_count"] == 1


def test_what_the_limit_leaves_is_asked_when_it_is_shown() -> None:
    metrics, budgets = Metrics(), dict[str, Left]()
    metrics.watch_budgets(lambda: budgets)
    assert not [name for name in figures(metrics) if "budget" in name]
    budgets["person"] = Left(12, 960)
    shown = figures(metrics)
    assert shown['pagerline_pagerduty_budget_left{identity="person"}'] == 12
    assert shown['pagerline_pagerduty_budget_limit{identity="person"}'] == 960


def test_two_bots_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.backlog(3)
    assert figures(other)["pagerline_backlog"] == 0


def test_every_figure_says_what_it_is_and_is_ours() -> None:
    text = Metrics().exposition().decode()
    helped = set(re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE))
    typed = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    assert helped == typed
    assert all(name.startswith("pagerline_") for name in typed)
