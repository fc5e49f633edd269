"""A V3 webhook subscription as PagerDuty shows it (its REST reference, "Webhook Subscriptions"), read in one
place for whoever looks after ours: the watch, `check` and the `webhooks` verb.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.pagerduty.fields import mapping, text

REFERENCE = "_reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSubscription:
    """`url`: where it delivers. `is_active` is a person's switch, `is_disabled` PagerDuty's own, after three
    refused deliveries. `scope` is account, service or team, of which `scope_id` names one.
    """

    id: str
    url: str | None = None
    is_active: bool = True
    is_disabled: bool = False
    events: tuple[str, ...] = ()
    scope: str = "unknown"
    scope_id: str | None = None
    description: str | None = None

    @property
    def filter(self) -> dict[str, Any]:
        """The scope as PagerDuty takes it when one is made."""
        return filter_for(self.scope, self.scope_id)


def filter_for(scope: str, scope_id: str | None) -> dict[str, Any]:
    """See `WebhookSubscription.filter`."""
    return {"type": f"{scope}{REFERENCE}"} | ({"id": scope_id} if scope_id else {})


def webhook_subscription(body: Any) -> WebhookSubscription | None:
    """What can be read of one; None without an id."""
    told = mapping(body)
    id_ = text(told.get("id"))
    if id_ is None:
        return None
    method, scope = mapping(told.get("delivery_method")), mapping(told.get("filter"))
    events = told.get("events")
    return WebhookSubscription(
        id=id_,
        url=text(method.get("url")),
        is_active=told.get("active", True) is not False,
        is_disabled=method.get("temporarily_disabled") is True,
        events=tuple(str(one) for one in events) if isinstance(events, list) else (),
        scope=(text(scope.get("type")) or "unknown").removesuffix(REFERENCE),
        scope_id=text(scope.get("id")),
        description=text(told.get("description")),
    )
