"""The HTTP side of `/control`: JSON over POST, one path per verb; the answer says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

from bot.sandbox.pagerduty.control import Control
from bot.sandbox.pagerduty.deliveries import Deliveries
from bot.sandbox.pagerduty.failures import ApiError, invalid_input
from bot.sandbox.pagerduty.faults import MODES, Fault, Faults
from bot.sandbox.pagerduty.ids import stamp_milliseconds
from bot.sandbox.pagerduty.incident_body import IncidentWriter
from bot.sandbox.pagerduty.journal import Journal
from bot.sandbox.pagerduty.limits import RateLimits
from bot.sandbox.pagerduty.people_control import PeopleControl
from bot.sandbox.pagerduty.state import Json, State
from bot.sandbox.pagerduty.subscriptions import Subscriptions
from bot.sandbox.pagerduty.wire import Incoming, Reply

WEBHOOK_MODES = ("deliver", "drop", "delay", "duplicate", "shuffle", "hold", "release")


class Subscribe(Protocol):
    def __call__(
        self, url: str, *, events: list[str] | None = None, secret: str | None = None
    ) -> tuple[str, str]: ...


class ControlRoutes:
    def __init__(
        self,
        *,
        control: Control,
        state: State,
        writer: IncidentWriter,
        deliveries: Deliveries,
        subscriptions: Subscriptions,
        faults: Faults,
        limits: RateLimits,
        journal: Journal,
        subscribe: Subscribe,
        people: PeopleControl,
    ) -> None:
        self._control = control
        self._state = state
        self._write = writer
        self._deliveries = deliveries
        self._subscriptions = subscriptions
        self._faults = faults
        self._limits = limits
        self._journal = journal
        self._subscribe = subscribe
        self._people = people

    def verbs(self) -> dict[str, Callable[[Json], Any]]:
        return {
            "trigger": lambda b: self._write.incident(self._control.trigger(**b)),
            "act": lambda b: self._write.incident(self._control.act(**b)),
            "storm": lambda b: [i.id for i in self._control.storm(**b)],
            "outage": self.outage,
            "limits": self.set_limits,
            "webhooks": self.webhooks,
            "send": lambda b: self._control.send(**b),
            "rotate": lambda b: self._control.rotate(**b),
            "service": lambda b: self._control.set_service_status(**b),
            **self._people.verbs(),
            "subscribe": self.subscribe,
            "rotate_secret": self.rotate_secret,
            "state": lambda _b: self.state(),
            "journal": lambda _b: self.journal(),
        }

    def serve(self, verb: Callable[[Json], Any]) -> Callable[[Incoming], Reply]:
        """Refusals answer as REST's do; a wrong or missing argument is a 400 that names it."""

        def inner(incoming: Incoming) -> Reply:
            body = incoming.body if isinstance(incoming.body, dict) else {}
            try:
                if incoming.malformed:
                    raise invalid_input("The body is not valid JSON")
                return Reply(200, {"ok": True, "result": verb(body)})
            except ApiError as error:
                return Reply(error.status, error.body())
            except (TypeError, KeyError, ValueError) as error:
                return Reply(400, invalid_input(str(error)).body())

        return inner

    def outage(self, body: Json) -> None:
        """{mode: off|down|slow|limited|error|drop_before|drop_after|late, paths?, methods?, count?, seconds?,
        status?, …}.
        """
        if body.get("mode") not in MODES:
            raise invalid_input(f"Mode must be one of: {', '.join(MODES)}")
        self._faults.set(Fault(**body))

    def set_limits(self, body: Json) -> None:
        """{enforced: bool, per_minute?: int}."""
        self._limits.enforced = bool(body["enforced"])
        self._limits.per_minute = int(body.get("per_minute", self._limits.per_minute))

    def webhooks(self, body: Json) -> int | None:
        """{mode: deliver|drop|delay|duplicate|shuffle|hold|release, seconds?, shuffled?}; release says how
        many.
        """
        mode = body.get("mode")
        if mode not in WEBHOOK_MODES:
            raise invalid_input(f"Mode must be one of: {', '.join(WEBHOOK_MODES)}")
        if mode == "release":
            return self._deliveries.release(shuffled=bool(body.get("shuffled", False)))
        self._deliveries.set_mode(mode, seconds=float(body.get("seconds", 0)))
        return None

    def subscribe(self, body: Json) -> Json:
        """{url, events?, secret?}: the whole account, as `subscribe_webhook`."""
        id_, secret = self._subscribe(**body)
        return {"id": id_, "secret": secret}

    def rotate_secret(self, body: Json) -> None:
        """{subscription, secret, keep_old?}: while the old one is kept, both sign."""
        found = self._subscriptions.get(str(body["subscription"]))
        if found is None:
            raise invalid_input(f"There is no subscription {body['subscription']}")
        found.rotate(str(body["secret"]), keep_old=bool(body.get("keep_old", True)))

    def state(self) -> Json:
        """All incidents with their level, and the subscriptions: what a page or a failing test needs."""
        return {
            "incidents": [
                {
                    **self._write.incident(i),
                    "escalation_level": i.level,
                    "notes": [self._write.note(n) for n in i.notes],
                }
                for i in self._state.incidents.values()
            ],
            "webhook_subscriptions": [s.body() for s in self._subscriptions.all()],
            "webhooks_waiting": self._deliveries.waiting(),
            "change_events": self._state.change_events,
        }

    def journal(self) -> list[Json]:
        return [{**asdict(e), "at": stamp_milliseconds(e.at)} for e in self._journal.exchanges]
