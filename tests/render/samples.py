"""Incidents, people and commands for the render tests; the values are made up, the shapes are the model's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.declaration import (
    Argument,
    Button,
    Command,
    IncidentRef,
    LevelNumber,
    Line,
    Place,
    Prose,
    Query,
    Reply,
    ServiceRef,
    UrgencyWord,
    Word,
    command,
)
from bot.model import (
    Acknowledgement,
    Bridge,
    Change,
    Incident,
    Level,
    Policy,
    Priority,
    Reference,
    Rule,
    Status,
    Urgency,
)

T0 = datetime(2026, 1, 15, 9, 40, tzinfo=UTC)
ACME = "https://acme.pagerduty.com"

ALICE = Reference("PALICE1", "Alice Anderson", f"{ACME}/users/PALICE1")
BOB = Reference("PBOB002", "Bob Brown", f"{ACME}/users/PBOB002")
CAROL = Reference("PCAROL3", "Carol Chen", f"{ACME}/users/PCAROL3")
CHECKOUT = Reference("PSVCCHK", "Checkout", f"{ACME}/services/PSVCCHK")
PRIMARY = Reference("PEPCHK", "Checkout primary", f"{ACME}/escalation_policies/PEPCHK")
ROTA = Reference("PSCHCHK", "Checkout rota", f"{ACME}/schedules/PSCHCHK")
POLICY = Policy(
    PRIMARY.id,
    PRIMARY.name,
    (Rule((), (ROTA,), 10), Rule((BOB,), (), 10), Rule((CAROL,), (), 10)),
    PRIMARY.url,
)
P1 = Priority("PPRIO01", "P1", 0)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


FRESH = Incident(
    id="Q1ABCDEF",
    number=1234,
    title="Checkout API p99 latency above 2 s",
    url=f"{ACME}/incidents/Q1ABCDEF",
    status=Status.TRIGGERED,
    urgency=Urgency.HIGH,
    service=CHECKOUT,
    created_at=T0,
    policy=PRIMARY,
    assignees=(ALICE,),
)
TRIGGERED = replace(
    FRESH,
    priority=P1,
    level=Level(1, 3, (BOB,)),
    escalates_at=at(10),
    alert_count=2,
    bridge=Bridge("+1 415-555-0100,,,1234#", "https://meet.example/bridge?room=1&pin=2"),
    opened_by="Datadog",
)
ACKNOWLEDGED = replace(
    TRIGGERED,
    status=Status.ACKNOWLEDGED,
    escalates_at=None,
    acknowledged_at=at(2),
    acknowledged_by="Alice Anderson",
    acknowledgements=(Acknowledgement(ALICE, at(2)),),
    last_change=Change("priority", at(3), old="P2", new="P1", by="Bob Brown"),
)
ESCALATED = replace(
    TRIGGERED,
    assignees=(BOB,),
    level=Level(2, 3, (CAROL,)),
    escalates_at=at(20),
    last_change=Change("escalated", at(10), old="Alice Anderson", new="Bob Brown"),
)
LAST_LEVEL = replace(ESCALATED, assignees=(CAROL,), level=Level(3, 3), escalates_at=at(30))
RESOLVED = replace(
    ACKNOWLEDGED,
    status=Status.RESOLVED,
    assignees=(),
    acknowledgements=(),
    level=None,
    resolved_at=at(23),
    resolved_by="Alice Anderson",
)
MERGED = replace(
    RESOLVED,
    number=1235,
    title="Checkout 5xx above 1 %",
    merged_into=Reference("Q1", "#1234 Checkout API p99 latency above 2 s", f"{ACME}/incidents/Q1ABCDEF"),
)
REOPENED = replace(
    TRIGGERED,
    reopened_at=at(60),
    escalates_at=at(70),
    last_change=Change("reopened", at(60), by="Bob Brown"),
)
SNOOZED = replace(
    ACKNOWLEDGED, snoozed_until=at(240), last_change=Change("snoozed", at(4), by="Alice Anderson")
)
LOW = replace(FRESH, urgency=Urgency.LOW, title="Disk 80 % full on db-3", level=Level(1, 1))
UNASSIGNED = replace(FRESH, assignees=(), title="Nobody will hear this")
HOSTILE = replace(
    FRESH,
    title="<!channel> *boo* _it_ ~gone~ `rm` <https://evil.example|click> & @here <@U1>"
    " \u202eabc disk_usage 2*3",
    service=Reference("PSVC", "*Pay* | <!here>", "javascript:alert(1)"),
    assignees=(Reference("PX", "<@U2> _Mallory_"),),
    priority=Priority("P", "*P0*"),
    opened_by="<!everyone>",
)
BARE = Incident(
    id="Q9",
    title="",
    status=Status.ACKNOWLEDGED,
    urgency=Urgency.HIGH,
    service=Reference("PSVC", "Search"),
    created_at=T0,
)
_LONG = (
    "Everything is very slow and the reason is not known yet, please look at <all> of it & then some. " * 30
)
LONGEST = replace(
    ACKNOWLEDGED,
    title=_LONG,
    service=Reference("PSVC", _LONG, f"{ACME}/services/{'x' * 500}"),
    policy=Reference("PEP", _LONG),
    assignees=tuple(Reference(f"P{n}", f"{n} {_LONG}") for n in range(20)),
    acknowledgements=tuple(Acknowledgement(Reference(f"P{n}", f"{n} {_LONG}"), T0) for n in range(20)),
    bridge=Bridge(_LONG, "https://meet.example/" + "y" * 1000),
    last_change=Change(_LONG, at(3), old=_LONG, new=_LONG, by=_LONG),
    opened_by=_LONG,
    snoozed_until=at(500),
)

SAMPLES: dict[str, Incident] = {
    "triggered-fresh": FRESH,
    "triggered": TRIGGERED,
    "acknowledged": ACKNOWLEDGED,
    "escalated": ESCALATED,
    "last-level": LAST_LEVEL,
    "resolved": RESOLVED,
    "merged": MERGED,
    "reopened": REOPENED,
    "snoozed": SNOOZED,
    "low-urgency": LOW,
    "unassigned": UNASSIGNED,
    "hostile": HOSTILE,
    "hardly-known": BARE,
    "longest": LONGEST,
}

# --------------------------------------------------------------------------------------------------- commands


def _open(incident: Incident) -> bool:
    return incident.is_open


@command(
    "ack",
    aliases=("acknowledge",),
    scope="incidents.write",
    button=Button("Acknowledge", lambda i: i.status is Status.TRIGGERED, style="primary", rank=10),
    examples=("ack 1234", "ack 1234 1235"),
)
async def ack(ctx: object, incidents: list[IncidentRef]) -> Reply:
    """Acknowledge incidents.

    What is resolved is left alone: PagerDuty would reopen it.
    """
    return Reply("")


@command("resolve", scope="incidents.write", button=Button("Resolve", _open, style="primary", rank=20))
async def resolve(ctx: object, incidents: list[IncidentRef]) -> Reply:
    """Resolve incidents."""
    return Reply("")


@command(
    "escalate",
    scope="incidents.write",
    button=Button(
        "Escalate",
        lambda i: i.is_open and i.level is not None and i.level.number < i.level.of,
        words=lambda i: f"{i.id} {i.level.number + 1 if i.level else ''}",
        rank=30,
    ),
)
async def escalate(ctx: object, incident: IncidentRef, level: LevelNumber | None = None) -> Reply:
    """Escalate to the next level, or the one you name."""
    return Reply("")


@command(
    "note",
    scope="incidents.write",
    button=Button("Add note", lambda _: True, rank=lambda i: 40 if i.status is Status.TRIGGERED else 10),
    title="Add a note",
    submit="Add note",
    arguments={"text": Argument("Note", "Everybody who follows the incident sees it.")},
)
async def note(ctx: object, incident: IncidentRef, text: Prose) -> Reply:
    """Add a note to an incident."""
    return Reply("")


@command(
    "trigger",
    scope="incidents.write",
    title="Trigger an incident",
    submit="Trigger",
    arguments={
        "service": Argument("Service"),
        "title": Argument("Title", "What is wrong, in a few words."),
        "details": Argument("Details", form_only=True),
        "urgency": Argument("Urgency", form_only=True),
    },
)
async def trigger(
    ctx: object,
    service: ServiceRef,
    title: Line,
    details: Prose | None = None,
    urgency: UrgencyWord | None = None,
) -> Reply:
    """Trigger an incident on a service."""
    return Reply("")


@command("oncall", aliases=("who",), button=Button("Who's on call", _open, place=Place.MENU, rank=60))
async def oncall(ctx: object, anything: Query | None = None) -> Reply:
    """See who is on call for a service, team, schedule, policy or person."""
    return Reply("")


@command("help")
async def help_command(ctx: object, command: Word | None = None) -> Reply:
    """Show what I can do."""
    return Reply("")


@command("more", hidden=True, button=Button("More…", lambda _: True, place=Place.LAST))
async def more(ctx: object, incident: IncidentRef) -> Reply:
    """Everything that applies to an incident."""
    return Reply("")


COMMANDS: tuple[Command, ...] = (ack, resolve, escalate, note, trigger, oncall, help_command, more)
BUTTONS: list[tuple[str, Button]] = [(one.verb, one.button) for one in COMMANDS if one.button]
