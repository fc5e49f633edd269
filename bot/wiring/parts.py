"""What everything else is built from."""

from __future__ import annotations

from dataclasses import dataclass

from bot.accounts.permissions import Permissions
from bot.command.catalog import Catalog
from bot.delivery.admins import Admins
from bot.metrics import Metrics
from bot.opening import PagerDutySide, SlackSide, Store
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """The settings, the catalog, and what was opened (bot/opening.py)."""

    settings: Settings
    catalog: Catalog
    metrics: Metrics
    store: Store
    slack: SlackSide
    pagerduty: PagerDutySide
    permissions: Permissions
    admins: Admins

    def hint_delivery(self) -> None:
        """There may be something to deliver."""
        self.store.wake.notify("delivery")
