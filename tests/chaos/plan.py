"""What a seed decides: which incidents break, what people do, and what goes wrong meanwhile. Pure.

Every decision is made before anything runs, so that a seed that failed is played again as it was; only how
the processes' work falls between these moments is new each time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Database = Literal["postgresql", "sqlite"]
Kill = Literal["kill", "freeze"]
Pace = Literal["wide", "slack"]
PACES: tuple[Pace, ...] = ("wide", "slack")

REPLICAS: Mapping[Database, int] = MappingProxyType({"postgresql": 2, "sqlite": 1})
POINT_SECONDS = 2.0  # what a replica's point takes when the machine is calm: a breath, away, back
SHORTEST, PER_INCIDENT = 8.0, 0.12  # seconds a storm lasts at least, and for each incident
LATEST_WEBHOOK = 30.0  # seconds: 10 minutes of a PagerDuty whose time runs 20 times as fast
OUTAGES = 2  # of the database

# #checkout and #incidents share a service, so that one incident stands in two places.
FOLLOWED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "C0CHECK": {"PSVCCHK": "Checkout", "PSVCPAY": "Payments API"},
        "C0SEARCH": {"PSVCSEA": "Search", "PSVCLOG": "Login"},
        "C0INCID": {"PSVCCHK": "Checkout", "PSVCMET": "Métriques"},
    }
)
SERVICES = tuple(dict.fromkeys((i, n) for services in FOLLOWED.values() for i, n in services.items()))
# Who asks in Slack, and as whom PagerDuty knows them; each asks at most once about an incident.
ASKERS: Mapping[str, str] = MappingProxyType({"U0ALICE": "PALICE1", "U0BOB": "PBOB002", "U0CAROL": "PCAROL3"})
ESCALATES_IN_PAGERDUTY = "PUMA007"  # nobody in Slack: an escalation of theirs was none of the bot's
PRIORITIES = ("PPRIO01", "PPRIO02", "PPRIO03", None)
SLACK_METHODS = (
    *("chat.postMessage", "chat.postMessage", "chat.update", "chat.update", "conversations.history"),
    *("response_url", "chat.postEphemeral", "conversations.replies", "users.info", "*"),
)


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody does something, `after` so many seconds of the incident's life.

    `way`: in PagerDuty, by a button of its message (a command where there is none), or by a command.
    """

    after: float
    verb: str
    way: Literal["pagerduty", "button", "command"]
    who: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """An incident and what becomes of it; `asked_by` somebody who triggers it in Slack."""

    at: float
    service: str
    service_name: str
    title: str
    urgency: str | None
    priority: str | None
    asked_by: str | None
    deeds: tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A replica is killed and started again after `seconds`, or frozen for so long (`leases`: of leases)."""

    kind: Kill
    pause: float  # seconds before it
    away: float  # kill: seconds; freeze: leases


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something goes wrong outside: at Slack, at PagerDuty's REST, or on a webhook's way.

    `lasts`: seconds until it is over, for what has no count of its own.
    """

    at: float
    where: Literal["slack", "pagerduty", "webhooks", "subscription"]
    what: str
    options: Mapping[str, Any] = field(default_factory=dict)
    lasts: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. `outages`: when the database goes, and for how long. `pace`: Slack's own limits, at which a
    storm goes onto pages, or wide ones, at which every incident has its message at once.
    """

    seed: int
    database: Database
    pace: Pace
    seconds: float
    stories: tuple[Story, ...]
    points: tuple[tuple[Point, ...], ...]  # for each replica
    mishaps: tuple[Mishap, ...]
    outages: tuple[tuple[float, float], ...]

    @property
    def deadline(self) -> float:
        """Seconds after which the storm hangs: many times what was asked for, on a machine that is calm."""
        return 120.0 + 5 * self.seconds


def plan(seed: int, database: Database, *, incidents: int, points: int, pace: Pace = "wide") -> Plan:
    """The run of this seed."""
    replicas = REPLICAS[database]
    seconds = max(SHORTEST, incidents * PER_INCIDENT, points / replicas * POINT_SECONDS)

    def stream(name: str) -> random.Random:
        return random.Random(f"{seed} {name}")

    return Plan(
        seed=seed,
        database=database,
        pace=pace,
        seconds=seconds,
        stories=tuple(_story(stream(f"story {n}"), n, seconds) for n in range(incidents)),
        points=tuple(_points(stream(f"replica {n}"), points, replicas, n) for n in range(replicas)),
        mishaps=_mishaps(stream("mishaps"), seconds),
        outages=_outages(stream("outages"), seconds),
    )


def _story(chance: random.Random, number: int, seconds: float) -> Story:
    service, name = chance.choice(SERVICES)
    at = chance.uniform(0, seconds * 0.85)
    askers = list(ASKERS)
    chance.shuffle(askers)
    asked_by = askers.pop() if chance.random() < 0.08 else None
    deeds = []
    life = 0.0
    for _ in range(chance.choice((0, 1, 2, 2, 3, 4))):
        life += chance.uniform(0.05, 0.25) * seconds
        if at + life > seconds:
            break
        deeds.append(_deed(chance, life, number, askers))
    return Story(
        at=at,
        service=service,
        service_name=name,
        title=f"Trouble {number} on node-{chance.randrange(100):02}",
        urgency=chance.choice((None, None, "high", "low")),
        priority=chance.choice(PRIORITIES) if chance.random() < 0.3 else None,
        asked_by=asked_by,
        deeds=tuple(deeds),
    )


def _deed(chance: random.Random, after: float, number: int, askers: list[str]) -> Deed:
    if askers and chance.random() < 0.5:
        verb = chance.choice(("ack", "ack", "resolve", "escalate", "note"))
        pressed = verb != "note" and chance.random() < 0.5
        way: Literal["button", "command"] = "button" if pressed else "command"
        text = {"text": f"Seen {number} {chance.randrange(10**6)}"} if verb == "note" else {}
        return Deed(after, verb, way, askers.pop(), text)
    who = chance.choice(list(ASKERS.values()))
    verb = chance.choice(
        (
            *("acknowledge", "acknowledge", "resolve", "escalate", "note", "priority", "urgency", "title"),
            *("merge", "reassign", "reopen", "unacknowledge"),
        )
    )
    options: dict[str, Any] = {}
    match verb:
        case "escalate":
            who = ESCALATES_IN_PAGERDUTY
        case "note":
            options = {"text": f"Looking at {number} {chance.randrange(10**6)}"}
        case "title":
            options = {"text": f"Trouble {number}, now with more words"}
        case "priority":
            options = {"value": chance.choice(PRIORITIES)}
        case "urgency":
            options = {"value": chance.choice(("high", "low"))}
        case "reassign":
            options = {"users": [chance.choice(list(ASKERS.values()))]}
    return Deed(after, verb, "pagerduty", who, options)


def _points(chance: random.Random, points: int, replicas: int, replica: int) -> tuple[Point, ...]:
    mine = points // replicas + (replica < points % replicas)
    kinds: list[Kill] = ["freeze" if n % 3 == 0 else "kill" for n in range(mine)]
    chance.shuffle(kinds)
    return tuple(
        Point(
            kind,
            chance.uniform(0.1, 1.4),
            chance.uniform(0.0, 0.6) if kind == "kill" else chance.uniform(1.05, 1.4),
        )
        for kind in kinds
    )


def _mishaps(chance: random.Random, seconds: float) -> tuple[Mishap, ...]:
    found = []
    at = 0.5
    while at < seconds * 0.95:
        pick = chance.random()
        if pick < 0.5:
            found.append(_at_slack(chance, at))
        elif pick < 0.75:
            found.append(_at_pagerduty(chance, at))
        elif pick < 0.95:
            found.append(_of_webhooks(chance, at, seconds))
        else:
            found.append(Mishap(at, "subscription", "disable"))
        at += chance.uniform(0.2, 1.5)
    return tuple(found)


def _at_slack(chance: random.Random, at: float) -> Mishap:
    method = chance.choice(SLACK_METHODS)
    mode = chance.choice(("rate_limit", "server_error", "error", "drop_before", "drop_after", "hang"))
    options: dict[str, Any] = {"method": method, "count": chance.randint(1, 3)}
    if mode == "rate_limit":
        options["retry_after"] = chance.randint(1, 3)
    if mode == "hang":
        options |= {"seconds": chance.uniform(1.0, 4.0), "carried_out": chance.random() < 0.6}
    return Mishap(at, "slack", mode, options)


def _at_pagerduty(chance: random.Random, at: float) -> Mishap:
    mode = chance.choice(("limited", "down", "error", "slow", "drop_before", "drop_after", "late"))
    options: dict[str, Any] = {"paths": ("/incidents",), "count": chance.randint(1, 4)}
    if mode in ("slow", "late"):
        options["seconds"] = chance.uniform(0.5, 4.0)
    if mode == "drop_after":
        options["methods"] = ("PUT", "POST")
    if mode == "down" and chance.random() < 0.5:
        return Mishap(at, "pagerduty", mode, {}, lasts=chance.uniform(0.5, 4.0))
    return Mishap(at, "pagerduty", mode, options)


def _of_webhooks(chance: random.Random, at: float, seconds: float) -> Mishap:
    mode = chance.choice(("drop", "duplicate", "shuffle", "delay"))
    late = {"seconds": chance.uniform(1.0, min(LATEST_WEBHOOK, seconds))}
    options = late if mode in ("shuffle", "delay") else {}
    return Mishap(at, "webhooks", mode, options, lasts=chance.uniform(0.5, 3.0))


def _outages(chance: random.Random, seconds: float) -> tuple[tuple[float, float], ...]:
    return tuple(
        (seconds * (n + chance.uniform(0.3, 0.7)) / OUTAGES, chance.uniform(0.3, 2.0)) for n in range(OUTAGES)
    )
