"""What carries out what people ask, and reminds those who go on call of linking."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.accounts.seats import Seats
from bot.background import Background
from bot.command.day_before import DayBefore
from bot.command.desk import Desks
from bot.command.integrations import Integrations
from bot.command.names import DirectoryNames
from bot.command.pressed import Pressed
from bot.command.reminding import Reminders
from bot.command.rotas import Rotas
from bot.command.services import Services
from bot.pagerduty.events import EventsApi
from bot.store.audit import Audit
from bot.store.audit_reading import AuditReading
from bot.store.event_keys import EventKeys
from bot.store.intents import Intents
from bot.wiring.identity import Identity
from bot.wiring.parts import Parts


def build_reminders(parts: Parts, identity: Identity) -> Reminders | None:
    """What writes to people who go on call unlinked; None where nobody links."""
    settings, store, slack = parts.settings, parts.store, parts.slack
    if identity.linked is None:
        return None
    return Reminders(
        store.notices,
        slack.workspaces,
        parts.pagerduty.directory,
        identity.linked.side.linking,
        identity.accounts.member,
        clock=_now,
        slash=settings.slash_command,
        by_itself=settings.remind_unlinked,
    )


def start_reminding(
    parts: Parts, identity: Identity, reminders: Reminders | None, background: Background
) -> None:
    """The loop that looks who goes on call tomorrow, unless it is switched off or nobody links."""
    if reminders is None or not reminders.by_itself:
        return
    rotas = Rotas(parts.pagerduty.reader, parts.store.people, identity.accounts.linked_in, _now)
    loop = DayBefore(rotas, reminders, parts.slack.workspaces, parts.store.leases)
    background.start("reminding", loop.run)


def build_services(parts: Parts, identity: Identity, reminders: Reminders | None) -> Services:
    """What commands reach the world through."""
    settings, store, pagerduty = parts.settings, parts.store, parts.pagerduty
    workspaces = parts.slack.workspaces
    seats = Seats(
        identity.accounts,
        pagerduty.directory,
        lookups=settings.lookups_without_seat,
        trigger=settings.trigger_without_seat,
    )
    return Services(
        catalog=parts.catalog,
        accounts=identity.accounts,
        permissions=parts.permissions,
        seats=seats,
        offers=identity.linked.side.linking if identity.linked else None,
        link_decisions=identity.linked.side.approvals if identity.linked else None,
        reminders=reminders,
        workspaces=workspaces,
        intents=Intents(
            store.database, store.batcher, store.sealer, holder=store.holder, lease=settings.lease_seconds
        ),
        subscriptions=store.subscriptions,
        people=store.people,
        directory=pagerduty.directory,
        names=DirectoryNames(pagerduty.directory, store.incidents),
        incidents=store.incidents,
        desks=Desks(
            pagerduty.reader,
            store.incidents,
            Audit(store.database),
            store.leases,
            pagerduty.levels,
            integrations=Integrations(
                EventsApi(pagerduty.session, settings.events_url, on_call=parts.metrics.pagerduty_call),
                EventKeys(store.database, store.sealer),
                AuditReading(store.database),
                channels=settings.trigger_without_seat_channels,
                hourly=settings.trigger_without_seat_hourly,
            ),
        ),
        pressed=Pressed(store.messages, workspaces, parts.hint_delivery),
        audit=AuditReading(store.database),
        metrics=parts.metrics,
        clock=_now,
        slash=settings.slash_command,
    )


def _now() -> datetime:
    return datetime.now(UTC)
