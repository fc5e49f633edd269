"""Who and what exists in the sandbox: plain values that both fakes start from, and nothing that acts.

`acme()` builds the sample company. Ids look like the platforms' own (`U…`, `C…`, `P…`) and never change, so
that stories and screenshots can name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SlackKind = Literal["full", "admin", "guest", "stranger", "bot", "deleted"]


@dataclass(frozen=True)
class Person:
    """A person as both platforms know them; `pagerduty_id` is None for someone without a PagerDuty user.

    `role` is PagerDuty's base role (`admin`, `limited_user`, `observer`, …); `kind` is what Slack says of the
    account: `admin` is a full member who administers the workspace, `stranger` comes by Slack Connect.
    """

    name: str
    handle: str
    slack_id: str
    email: str
    kind: SlackKind
    pagerduty_id: str | None = None
    role: str | None = None
    tz: str = "Europe/Berlin"
    slack_team: str = "T0ACME"
    title: str = ""


@dataclass(frozen=True)
class Channel:
    id: str
    name: str
    private: bool = False
    bot_is_member: bool = True
    topic: str = ""


@dataclass(frozen=True)
class Group:
    """A Slack user group; `people` are Slack user ids."""

    id: str
    handle: str
    name: str
    people: tuple[str, ...]


@dataclass(frozen=True)
class TeamMember:
    person: str  # PagerDuty user id
    role: Literal["manager", "responder", "observer"]


@dataclass(frozen=True)
class Team:
    id: str
    name: str
    members: tuple[TeamMember, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """A rotation: `people` (PagerDuty user ids) take turns of `turn_days` days.

    The first of them is on call when the sandbox starts.
    """

    id: str
    name: str
    people: tuple[str, ...]
    teams: tuple[str, ...] = ()
    tz: str = "Europe/Berlin"
    turn_days: int = 7


@dataclass(frozen=True)
class Target:
    kind: Literal["user", "schedule"]
    id: str


@dataclass(frozen=True)
class Rule:
    """One level of a policy; unacknowledged incidents go to the next level after `delay_minutes`."""

    id: str
    targets: tuple[Target, ...]
    delay_minutes: int = 10


@dataclass(frozen=True)
class Policy:
    id: str
    name: str
    rules: tuple[Rule, ...]
    teams: tuple[str, ...] = ()
    loops: int = 0


@dataclass(frozen=True)
class Service:
    """A service; `urgency` is what its new incidents get.

    `routing_key` is the Events API key of its integration: 32 characters, as PagerDuty demands.
    """

    id: str
    name: str
    policy: str
    routing_key: str
    teams: tuple[str, ...] = ()
    urgency: Literal["high", "low"] = "high"
    ack_timeout_minutes: int | None = 30
    auto_resolve_minutes: int | None = None
    description: str = ""


@dataclass(frozen=True)
class Priority:
    id: str
    name: str
    description: str
    color: str


@dataclass(frozen=True)
class World:
    people: tuple[Person, ...]
    channels: tuple[Channel, ...]
    services: tuple[Service, ...]
    policies: tuple[Policy, ...]
    schedules: tuple[Schedule, ...]
    teams: tuple[Team, ...]
    priorities: tuple[Priority, ...]
    groups: tuple[Group, ...] = ()
    slack_team_id: str = "T0ACME"
    slack_team_name: str = "Acme"
    slack_domain: str = "acme"
    pagerduty_subdomain: str = "acme"
    bot_user_id: str = "U0PAGER"
    bot_id: str = "B0PAGER"
    app_id: str = "A0PAGER"


_PEOPLE = (
    Person(
        "Alice Anderson",
        "alice",
        "U0ALICE",
        "alice@acme.example",
        "full",
        "PALICE1",
        "limited_user",
        "Europe/Berlin",
        title="Payments engineer",
    ),
    Person(
        "Bob Brown",
        "bob",
        "U0BOB",
        "bob@acme.example",
        "full",
        "PBOB002",
        "limited_user",
        "America/New_York",
        title="Platform engineer",
    ),
    Person(
        "Carol Chen",
        "carol",
        "U0CAROL",
        "carol@acme.example",
        "admin",
        "PCAROL3",
        "admin",
        "Europe/London",
        title="Engineering manager",
    ),
    Person(
        "Dana Diaz",
        "dana",
        "U0DANA",
        "dana@acme.example",
        "full",
        tz="America/Los_Angeles",
        title="Customer support",
    ),
    Person(
        "Gus Guest",
        "gus",
        "U0GUEST",
        "gus@acme.example",
        "guest",
        "PGUEST5",
        "limited_user",
        "Europe/Berlin",
        title="Contractor",
    ),
    Person(
        "Olive Ortiz",
        "olive",
        "U0OLIVE",
        "olive@acme.example",
        "full",
        "POLIVE6",
        "observer",
        "Europe/Madrid",
        title="Product owner",
    ),
    Person(
        "Sam Stranger",
        "sam",
        "U0STRANG",
        "sam@other.example",
        "stranger",
        slack_team="T0OTHER",
        title="Works at a partner",
    ),
    Person(
        "Uma Ueda",
        "uma",
        "U0UMA",
        "uma@acme.example",
        "full",
        "PUMA007",
        "limited_user",
        "Europe/Berlin",
        title="New in Payments",
    ),
    Person("Pagerline", "pagerline", "U0PAGER", "", "bot", tz="UTC"),
    Person("Gone Gray", "gone", "U0GONE", "gone@acme.example", "deleted", tz="UTC"),
)

_CHANNELS = (
    Channel("C0CHECK", "checkout", topic="Everything that takes money"),
    Channel("C0SEARCH", "search", topic="Finding things"),
    Channel("C0INCID", "incidents", topic="What is broken right now"),
    Channel("C0GENERAL", "general", bot_is_member=False, topic="Company-wide"),
    Channel("G0PRIV", "war-room", private=True, topic="For the worst days"),
)

_GROUPS = (Group("S0ONCALL", "on-call-admins", "on-call admins", ("U0CAROL",)),)

_TEAMS = (
    Team(
        "PTEAMPY",
        "Payments",
        (
            TeamMember("PALICE1", "responder"),
            TeamMember("PBOB002", "responder"),
            TeamMember("PCAROL3", "manager"),
        ),
    ),
    Team(
        "PTEAMPL",
        "Platform",
        (
            TeamMember("PBOB002", "responder"),
            TeamMember("PCAROL3", "manager"),
            TeamMember("POLIVE6", "observer"),
        ),
    ),
)

_SCHEDULES = (
    Schedule("PSCHCHK", "Checkout rota", ("PALICE1", "PBOB002"), ("PTEAMPY",), "Europe/Berlin"),
    Schedule("PSCHPLT", "Platform rota", ("PBOB002", "PALICE1"), ("PTEAMPL",), "America/New_York"),
)

_POLICIES = (
    Policy(
        "PEPCHK",
        "Checkout primary",
        (
            Rule("PRULCH1", (Target("schedule", "PSCHCHK"),)),
            Rule("PRULCH2", (Target("user", "PBOB002"),)),
            Rule("PRULCH3", (Target("user", "PCAROL3"),)),
        ),
        ("PTEAMPY",),
    ),
    Policy(
        "PEPPLAT",
        "Platform on-call",
        (Rule("PRULPL1", (Target("schedule", "PSCHPLT"),)), Rule("PRULPL2", (Target("user", "PCAROL3"),))),
        ("PTEAMPL",),
    ),
)

_SERVICES = (
    Service(
        "PSVCCHK",
        "Checkout",
        "PEPCHK",
        "a1checkout0000000000000000000chk",
        ("PTEAMPY",),
        description="Basket and payment pages",
    ),
    Service(
        "PSVCPAY",
        "Payments API",
        "PEPCHK",
        "a2payments0000000000000000000pay",
        ("PTEAMPY",),
        description="Talks to the card processors",
    ),
    Service(
        "PSVCSEA",
        "Search",
        "PEPPLAT",
        "a3search000000000000000000000sea",
        ("PTEAMPL",),
        description="Product search",
    ),
    Service(
        "PSVCLOG",
        "Login",
        "PEPPLAT",
        "a4login0000000000000000000000log",
        ("PTEAMPL",),
        description="Sign-in and sessions",
    ),
    Service(
        "PSVCMET",
        "Métriques",
        "PEPPLAT",
        "a5metrics00000000000000000000met",
        urgency="low",
        auto_resolve_minutes=240,
        description="Dashboards and alerts of the Paris office",
    ),
)

_PRIORITIES = (
    Priority("PPRIO01", "P1", "Customers cannot buy", "a8171c"),
    Priority("PPRIO02", "P2", "A main feature is broken", "eb6016"),
    Priority("PPRIO03", "P3", "Something is slow or partly broken", "f9b406"),
    Priority("PPRIO04", "P4", "Annoying, with a way around", "555555"),
    Priority("PPRIO05", "P5", "For information", "555555"),
)


def acme() -> World:
    """The sample company: two teams, five services, and a Slack user of each awkward kind."""
    return World(_PEOPLE, _CHANNELS, _SERVICES, _POLICIES, _SCHEDULES, _TEAMS, _PRIORITIES, _GROUPS)
