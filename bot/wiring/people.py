"""What carries out what people ask."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.accounts.seats import Seats
from bot.command.desk import Desks
from bot.command.names import DirectoryNames
from bot.command.pressed import Pressed
from bot.command.services import Services
from bot.store.audit import Audit
from bot.store.audit_reading import AuditReading
from bot.store.intents import Intents
from bot.wiring.identity import Identity
from bot.wiring.parts import Parts


def build_services(parts: Parts, identity: Identity) -> Services:
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
        workspaces=workspaces,
        intents=Intents(
            store.database, store.batcher, store.sealer, holder=store.holder, lease=settings.lease_seconds
        ),
        subscriptions=store.subscriptions,
        people=store.people,
        directory=pagerduty.directory,
        names=DirectoryNames(pagerduty.directory, store.incidents),
        incidents=store.incidents,
        desks=Desks(pagerduty.reader, store.incidents, Audit(store.database), store.leases, pagerduty.levels),
        pressed=Pressed(store.messages, workspaces, parts.hint_delivery),
        audit=AuditReading(store.database),
        metrics=parts.metrics,
        clock=lambda: datetime.now(UTC),
        slash=settings.slash_command,
    )
