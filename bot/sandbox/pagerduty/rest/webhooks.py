"""Webhook subscriptions over REST; the secret is only in the answer that creates one."""

from __future__ import annotations

from typing import Any, cast

from bot.sandbox.pagerduty.deliveries import Deliveries
from bot.sandbox.pagerduty.failures import invalid_input, not_found
from bot.sandbox.pagerduty.fields import optional_text, wrapped
from bot.sandbox.pagerduty.ids import Clock
from bot.sandbox.pagerduty.query import page
from bot.sandbox.pagerduty.rest.routes import Answer, Call, Route, ok
from bot.sandbox.pagerduty.state import Json, State
from bot.sandbox.pagerduty.subscriptions import MOST_PER_FILTER, FilterType, Subscription, Subscriptions
from bot.sandbox.pagerduty.webhook_body import EVENTS, envelope

FILTER_TYPES = ("account_reference", "service_reference", "team_reference")


class WebhookSubscriptions:
    def __init__(
        self, state: State, subscriptions: Subscriptions, deliveries: Deliveries, clock: Clock
    ) -> None:
        self._state = state
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._clock = clock

    def routes(self) -> list[Route]:
        scope = "webhook_subscriptions"
        one = "/webhook_subscriptions/{id}"
        return [
            Route("GET", "/webhook_subscriptions", self.list, scope),
            Route("POST", "/webhook_subscriptions", self.create, scope),
            Route("GET", one, self.get, scope),
            Route("PUT", one, self.update, scope),
            Route("DELETE", one, self.delete, scope),
            Route("POST", f"{one}/enable", self.enable, scope),
            Route("POST", f"{one}/ping", self.ping, scope),
        ]

    def _find(self, call: Call) -> Subscription:
        found = self._subscriptions.get(call.path["id"])
        if found is None:
            raise not_found()
        return found

    def list(self, call: Call) -> Answer:
        kind, id_ = call.query.get("filter_type"), call.query.get("filter_id")
        found = [
            s
            for s in self._subscriptions.all()
            if (kind is None or s.filter_type == f"{kind}_reference") and (id_ is None or s.filter_id == id_)
        ]
        return ok(page("webhook_subscriptions", found, call.query, lambda s: s.body()))

    def get(self, call: Call) -> Answer:
        return ok({"webhook_subscription": self._find(call).body()})

    def create(self, call: Call) -> Answer:
        body = wrapped(call.body, "webhook_subscription")
        method = body.get("delivery_method")
        url = method.get("url") if isinstance(method, dict) else None
        if not isinstance(method, dict) or method.get("type") != "http_delivery_method":
            raise invalid_input("Delivery method type must be http_delivery_method")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise invalid_input("Delivery method url must be a valid URL")
        filter_type, filter_id = self._filter(body.get("filter"))
        if len(self._subscriptions.with_filter(filter_type, filter_id)) >= MOST_PER_FILTER:
            raise invalid_input(f"At most {MOST_PER_FILTER} webhook subscriptions may exist for this filter")
        subscription = self._subscriptions.add(
            url,
            _events(body.get("events")),
            filter_type=filter_type,
            filter_id=filter_id,
            description=optional_text(body, "description") or "",
            custom_headers=_custom_headers(method.get("custom_headers")),
        )
        return Answer(201, {"webhook_subscription": subscription.body(with_secret=True)})

    def _filter(self, value: Any) -> tuple[FilterType, str | None]:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in FILTER_TYPES:
            raise invalid_input(f"Filter type must be one of: {', '.join(FILTER_TYPES)}")
        if kind == "account_reference":
            return "account_reference", None
        id_ = value.get("id")
        known: Json = dict(self._state.services if kind == "service_reference" else self._state.teams)
        if id_ not in known:
            raise invalid_input("Filter id is invalid")
        return cast("FilterType", kind), id_

    def update(self, call: Call) -> Answer:
        """Everything but the delivery method, which PagerDuty does not let anyone change."""
        subscription = self._find(call)
        body = wrapped(call.body, "webhook_subscription")
        if "events" in body:
            subscription.events = _events(body["events"])
        if "filter" in body:
            subscription.filter_type, subscription.filter_id = self._filter(body["filter"])
        if isinstance(body.get("active"), bool):
            subscription.active = body["active"]
        subscription.description = optional_text(body, "description") or subscription.description
        return ok({"webhook_subscription": subscription.body()})

    def delete(self, call: Call) -> Answer:
        self._subscriptions.remove(self._find(call).id)
        return Answer(204)

    def enable(self, call: Call) -> Answer:
        subscription = self._find(call)
        self._deliveries.enable(subscription)
        return ok({"webhook_subscription": subscription.body()})

    def ping(self, call: Call) -> Answer:
        subscription = self._find(call)
        agent = {"id": call.actor.user, "type": "user_reference"} if call.actor.user else None
        data = {"message": "Hello from your friend Pagey!", "type": "ping"}
        self._deliveries.send_to(subscription, envelope("pagey.ping", self._clock(), agent, data, None))
        return Answer(202)


def _events(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise invalid_input("Events cannot be empty")
    unknown = [str(name) for name in value if name not in EVENTS]
    if unknown:
        raise invalid_input(f"Unknown event types: {', '.join(unknown)}")
    return frozenset(value)


def _custom_headers(value: Any) -> list[Json]:
    headers = value or []
    if not isinstance(headers, list) or any(
        not isinstance(h, dict) or not isinstance(h.get("name"), str) or not isinstance(h.get("value"), str)
        for h in headers
    ):
        raise invalid_input("Custom headers must have a name and a value")
    return headers
