"""One `Metrics` object on its own Prometheus registry, built in app.py and handed to whoever counts.

Labels never carry an id, a name or a word a person typed: methods, path templates, outcomes and verbs only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

TOKEN_REFRESHES = ("renewed", "refused", "unavailable", "misconfigured", "lost")
CALL_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)
SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1)


class Left(Protocol):
    """How many of a minute's requests a token has left (bot/pagerduty/limiter.py)."""

    @property
    def remaining(self) -> int: ...
    @property
    def limit(self) -> int: ...


Budgets = Callable[[], Mapping[str, Left]]
"""By kind of token, `account` or `person`, never whose: of the one that has least."""


class _BudgetCollector(Collector):
    """Asks when it is asked: what is left changes with every call, and is over with the minute."""

    def __init__(self) -> None:
        self.ask: Budgets = dict

    def collect(self) -> Iterator[GaugeMetricFamily]:
        left = GaugeMetricFamily(
            "pagerline_pagerduty_budget_left",
            "Requests PagerDuty still allows in this minute, of the token that has least",
            labels=("identity",),
        )
        limit = GaugeMetricFamily(
            "pagerline_pagerduty_budget_limit",
            "Requests PagerDuty allows that token in a minute",
            labels=("identity",),
        )
        for identity, one in self.ask().items():
            left.add_metric((identity,), one.remaining)
            limit.add_metric((identity,), one.limit)
        yield left
        yield limit


class Metrics:
    """What operators see. All durations are seconds."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._slack = Histogram(
            "pagerline_slack_call_seconds",
            "Calls to Slack's Web API",
            ("method", "outcome"),
            buckets=CALL_SECONDS,
            registry=self.registry,
        )
        self._pagerduty = Histogram(
            "pagerline_pagerduty_call_seconds",
            "Calls to PagerDuty",
            ("method", "path", "status"),
            buckets=CALL_SECONDS,
            registry=self.registry,
        )
        self._ends = Histogram(
            "pagerline_pagerduty_deadline_used_ratio",
            "Requests to PagerDuty's REST API with all tries, by the share of their time they took",
            ("rank", "outcome"),
            buckets=SHARES,
            registry=self.registry,
        )
        self._ends.labels("act", "too_late")  # there from the start: an alert must see the first grow
        self._budgets = _BudgetCollector()
        self.registry.register(self._budgets)
        self._lookups = Counter(
            "pagerline_cache_lookups",
            "Lookups in what is kept of PagerDuty's lists: hit, stale (old one served), miss, failed",
            ("cache", "outcome"),
            registry=self.registry,
        )
        self._forgotten = Counter(
            "pagerline_cache_invalidations",
            "Times a list was dropped because something in PagerDuty changed",
            ("cache",),
            registry=self.registry,
        )
        self._webhooks = Counter(
            "pagerline_webhooks",
            "PagerDuty webhooks by how they were answered",
            ("outcome",),
            registry=self.registry,
        )
        self._lag = Histogram(
            "pagerline_webhook_lag_seconds",
            "From PagerDuty's occurred_at to our commit",
            buckets=(0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
            registry=self.registry,
        )
        self._refreshes = Counter(
            "pagerline_token_refreshes",
            "Renewals of people's PagerDuty tokens by outcome",
            ("outcome",),
            registry=self.registry,
        )
        for outcome in TOKEN_REFRESHES:
            self._refreshes.labels(outcome)  # there from the start too
        self._commands = Histogram(
            "pagerline_command_seconds",
            "Commands from acceptance to reply",
            ("verb", "surface", "outcome"),
            buckets=CALL_SECONDS,
            registry=self.registry,
        )
        self._delivery = Counter(
            "pagerline_delivery",
            "Living messages written, by kind and outcome",
            ("kind", "outcome"),
            registry=self.registry,
        )
        self._batch = Histogram(
            "pagerline_batch_size",
            "Items per commit",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=self.registry,
        )
        self._batch_seconds = Histogram(
            "pagerline_batch_seconds", "Seconds per commit", buckets=CALL_SECONDS, registry=self.registry
        )
        self._backlog = Gauge(
            "pagerline_backlog", "Messages that do not show what is true", registry=self.registry
        )
        self._staleness = Gauge(
            "pagerline_worst_staleness_seconds",
            "How long the stalest message has not been true",
            registry=self.registry,
        )

        self._leases = Counter(
            "pagerline_lease_changes",
            "Leases that another replica has held since this one last did, by kind",
            ("kind",),
            registry=self.registry,
        )
        self._storms = Gauge(
            "pagerline_channels_in_storm", "Channels whose incidents stand on pages", registry=self.registry
        )
        self._unusual = Gauge(
            "pagerline_unusual_use",
            "Identities (account or person) whose use of PagerDuty is unlike itself: rate or refused",
            ("identity", "kind"),
            registry=self.registry,
        )
        self._deleted = Counter(
            "pagerline_old_rows_deleted",
            "Rows deleted because they were old, by table",
            ("table",),
            registry=self.registry,
        )

    def slack_call(self, method: str, outcome: str, seconds: float) -> None:
        """One call to Slack: `outcome` is `ok` or Slack's error code."""
        self._slack.labels(method, outcome).observe(seconds)

    def pagerduty_call(self, method: str, path_template: str, status: int, seconds: float) -> None:
        """One call to PagerDuty; `status` 0 means no answer came."""
        self._pagerduty.labels(method, path_template, str(status)).observe(seconds)

    def pagerduty_request(self, rank: str, outcome: str, share: float) -> None:
        """One request with all its tries: whose (act, read, background), how it ended (answered, refused,
        unavailable, too_late, cancelled), and the share of its deadline that it took.
        """
        self._ends.labels(rank, outcome).observe(share)

    def watch_budgets(self, budgets: Budgets) -> None:
        """Where what is left is asked from now on."""
        self._budgets.ask = budgets

    def cache_lookup(self, cache: str, outcome: str) -> None:
        """One lookup: hit, stale, miss or failed."""
        self._lookups.labels(cache, outcome).inc()

    def cache_forgotten(self, cache: str) -> None:
        """One list was dropped before its time."""
        self._forgotten.labels(cache).inc()

    def webhook(self, outcome: str, *, lag: float | None = None) -> None:
        """One webhook delivery, by how it was answered; `lag` from the event to our commit."""
        self._webhooks.labels(outcome).inc()
        if lag is not None:
            self._lag.observe(max(0.0, lag))

    def token_refresh(self, outcome: str) -> None:
        """One renewal: renewed, refused (the link ended), unavailable, misconfigured or lost."""
        self._refreshes.labels(outcome).inc()

    def command(self, verb: str, surface: str, outcome: str, seconds: float) -> None:
        """One command, from acceptance to reply."""
        self._commands.labels(verb, surface, outcome).observe(seconds)

    def delivery(self, kind: str, outcome: str) -> None:
        """One write of a living message: kind post, update, line, delete …"""
        self._delivery.labels(kind, outcome).inc()

    def batch(self, size: int, seconds: float) -> None:
        """One commit of the batcher."""
        self._batch.observe(size)
        self._batch_seconds.observe(seconds)

    def backlog(self, messages: int) -> None:
        """How many messages do not show what is true."""
        self._backlog.set(messages)

    def worst_staleness(self, seconds: float) -> None:
        """How long the stalest of them has been so."""
        self._staleness.set(seconds)

    def lease_changed(self, kind: str) -> None:
        """A lease came back to us from somebody else."""
        self._leases.labels(kind).inc()

    def channels_in_storm(self, channels: int) -> None:
        """How many channels show pages now."""
        self._storms.set(channels)

    def unusual_use(self, identity: str, kind: str, count: int) -> None:
        """How many identities of this kind (account or person, never who) use PagerDuty unusually."""
        self._unusual.labels(identity, kind).set(count)

    def old_rows_deleted(self, table: str, rows: int) -> None:
        """One batch of retention."""
        self._deleted.labels(table).inc(rows)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
