"""Who people are, what they may do, and what carries out what they ask."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.accounts.by_email import AccountsByEmail
from bot.accounts.members import Allowed, Members
from bot.command.desk import Desks
from bot.command.names import DirectoryNames
from bot.command.pressed import Pressed
from bot.command.services import Services
from bot.store.audit import Audit
from bot.store.audit_reading import AuditReading
from bot.store.intents import Intents
from bot.wiring.parts import Parts


def build_services(parts: Parts) -> Services:
    """What commands reach the world through."""
    settings, store, pagerduty = parts.settings, parts.store, parts.pagerduty
    workspaces = parts.slack.workspaces
    allowed = Allowed(
        guests=settings.allow_guests,
        strangers=settings.allow_strangers,
        bots=settings.allow_bots,
        deactivated=settings.allow_deactivated,
    )
    accounts = AccountsByEmail(Members(workspaces, allowed=allowed), pagerduty.directory, pagerduty.reader)
    return Services(
        catalog=parts.catalog,
        accounts=accounts,
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
