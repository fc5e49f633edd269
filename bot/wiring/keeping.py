"""What keeps the house in order: old rows deleted, use of PagerDuty written down and watched."""

from __future__ import annotations

from bot.background import Background
from bot.delivery.retiring import Retiring
from bot.delivery.usage import UsageWatch
from bot.store.retention import Days, Retention
from bot.store.usage import Usage
from bot.wiring.parts import Parts


def start_keeping(parts: Parts, background: Background) -> None:
    """Two loops: the first by one replica each hour, the second by every one."""
    settings, store = parts.settings, parts.store
    days = Days(events=settings.events_days, audit=settings.audit_days)
    retention = Retention(store.database, days)
    retiring = Retiring(retention, store.leases, figures=parts.metrics)
    background.start("retention", retiring.run)
    watch = UsageWatch(
        parts.pagerduty.tally,
        Usage(store.database),
        tell_once=parts.admins.tell_once,
        figures=parts.metrics,
        slash=settings.slash_command,
    )
    background.start("use of PagerDuty", watch.run)
