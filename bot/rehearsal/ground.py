"""What must hold before a game day begins: a test service, a channel that follows it, a bot that runs.

Everything else is refused with a sentence that says what to do. Nothing is changed here, and nobody is paged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr

from bot.errors import UserError
from bot.model import Channel, Incident, Person, Policy, Reference, Service, Status, Subscription, Urgency
from bot.pagerduty.client import PagerDuty
from bot.rehearsal.view import View
from bot.render.text import plural
from bot.settings import Settings

TITLE = "Game day, nothing is broken"
"""How every incident of a game day begins, so that who is paged by mistake reads it first."""
KEY = "pagerline-gameday-"
"""How their keys begin: what a later run knows them by."""
UNFIT = {
    "disabled": "is switched off",
    "maintenance": "is in maintenance: PagerDuty opens no incidents",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a game day stands on. `routing_key` None: the service takes no events. `on_call` names, for each
    level, whom PagerDuty would call now.
    """

    service: Service
    policy: Policy | None
    channel: Channel
    channel_name: str
    person: Person
    urgency: Urgency
    routing_key: SecretStr | None
    on_call: tuple[str, ...]
    leftovers: tuple[Incident, ...]

    @property
    def levels(self) -> int:
        """Of its escalation policy; 0: not known."""
        return len(self.policy.rules) if self.policy else 0


def is_ours(incident: Incident) -> bool:
    """Whether a game day opened it."""
    key = incident.incident_key or ""
    return key.startswith(KEY) or incident.title.startswith(TITLE)


async def find_service(client: PagerDuty, wanted: str) -> Service:
    """By id, or by its name in any case. Raises UserError."""
    name = wanted.strip().casefold()
    found = [
        one for one in await client.services() if one.id == wanted.strip() or one.name.casefold() == name
    ]
    if not found:
        raise UserError(f"GAMEDAY_SERVICE names {wanted!r}, and PagerDuty has no such service.")
    if len(found) > 1:
        raise UserError(
            f"{len(found)} services are called {wanted!r}: put the id of one into GAMEDAY_SERVICE."
        )
    if why := UNFIT.get(found[0].status):
        raise UserError(f"{found[0].name} {why}. End that in PagerDuty, then try again.")
    return found[0]


async def find_person(client: PagerDuty, email: str) -> Person:
    """Whose name the acts carry. Raises UserError."""
    for one in await client.users_matching(email):
        if one.email and one.email.casefold() == email.casefold():
            return one
    raise UserError(f"PagerDuty has no user with the login e-mail {email}: name another by --as.")


def heard_urgency(
    service: Service, channel: Channel, rules: Sequence[Subscription], *, wanted: Urgency, slash: str
) -> Urgency:
    """What to open incidents with: as `wanted`, or higher where the channel hears of nothing lower. Raises
    UserError when it hears nothing.
    """
    here = [one for one in rules if one.channel == channel]
    if any(one.broken_since for one in here):
        raise UserError(
            f"Slack refuses the bot's messages in {channel.id}: `{slash} subscriptions` says why."
        )
    for urgency in dict.fromkeys((wanted, Urgency.HIGH)):
        example = Incident(
            id="",
            title=TITLE,
            status=Status.TRIGGERED,
            urgency=urgency,
            service=Reference(service.id, service.name),
            created_at=datetime.now(UTC),
            teams=service.teams,
        )
        if any(rule.matches(example) for rule in here):
            return urgency
    narrowed = " without a priority" if here else ""
    raise UserError(
        f"{channel.id} does not hear of incidents of {service.name}{narrowed}. In that channel: "
        f"`{slash} subscribe {service.name}`."
    )


async def survey(
    settings: Settings,
    client: PagerDuty,
    view: View,
    *,
    channel: Channel,
    rules: Sequence[Subscription],
    email: str,
    urgency: Urgency,
) -> Ground:
    """Everything looked at. Raises UserError for what does not hold, and the failures of both platforms."""
    service = await find_service(client, settings.gameday_service or "")
    heard = heard_urgency(service, channel, rules, wanted=urgency, slash=settings.slash_command)
    open_ones = [one.incident for one in await client.incidents(service_ids=[service.id])]
    if others := [one for one in open_ones if not is_ours(one)]:
        named = ", ".join(one.label for one in others[:5])
        raise UserError(
            f"{service.name} has {plural(len(others), 'open incident')} that no game day made "
            f"({named}). Resolve them, or name a service that nothing real alerts."
        )
    policy = next((one for one in await client.policies() if one.id == service.policy.id), None)
    shifts = sorted(await client.on_calls(policies=[service.policy.id]), key=lambda one: one.level)
    people = dict.fromkeys((one.level, one.person.name) for one in shifts)
    return Ground(
        service=service,
        policy=policy,
        channel=channel,
        channel_name=await view.refuse_unless_readable(),
        person=await find_person(client, email),
        urgency=heard,
        routing_key=await client.integration_key(service.id),
        on_call=tuple(f"{name} (level {level})" for level, name in people),
        leftovers=tuple(open_ones),
    )
