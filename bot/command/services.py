"""What commands reach the world through, as one value: built once in bot/wiring, handed to
bot/command/run.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.accounts.acting import Accounts
from bot.accounts.permissions import Permissions
from bot.accounts.seats import Seats
from bot.command.arguments import Names
from bot.command.catalog import Catalog
from bot.command.context import DirectoryPort, PeoplePort, ReminderPort, SubscriptionPort
from bot.command.desk import Desks
from bot.command.ports import AuditPort, IncidentStore, LinkDecisions, Offers
from bot.command.pressed import Pressed
from bot.slack.workspaces import Workspaces
from bot.store.intents import Intents


class Counts(Protocol):
    """Where commands are counted (bot/metrics.py)."""

    def command(self, verb: str, surface: str, outcome: str, seconds: float) -> None:
        """One command, from acceptance to reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`clock` gives aware UTC; `slash` is the slash command people type; `offers` gives people the way to
    link their accounts, `reminders` tell them of it; None where nobody links.
    """

    catalog: Catalog
    accounts: Accounts
    permissions: Permissions
    seats: Seats
    workspaces: Workspaces
    intents: Intents
    incidents: IncidentStore
    subscriptions: SubscriptionPort
    people: PeoplePort
    directory: DirectoryPort
    names: Names
    desks: Desks
    pressed: Pressed
    audit: AuditPort
    metrics: Counts
    clock: Callable[[], datetime]
    slash: str = "/pager"
    offers: Offers | None = None
    link_decisions: LinkDecisions | None = None
    reminders: ReminderPort | None = None
