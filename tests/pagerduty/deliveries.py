"""Signed deliveries of every event type, read from samples/pagerduty/webhook-v3.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.events import Event
from bot.pagerduty.webhooks import parse

_FILE = json.loads(
    (Path(__file__).parents[1] / "samples" / "pagerduty" / "webhook-v3.json").read_text("utf-8")
)
SECRET_A: str = _FILE["secret_a"]
SECRET_B: str = _FILE["secret_b"]
RANKS = {"PPRIO00": 0, "PPRIO01": 1, "PPRIO02": 2}


@dataclass(frozen=True, slots=True)
class Delivery:
    name: str
    raw: bytes
    headers: Mapping[str, str]

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def signature(self) -> str:
        return self.headers["x-pagerduty-signature"]

    def event(self) -> Event:
        return parse(self.raw, self.headers, RANKS)


DELIVERIES = tuple(
    Delivery(one["name"], one["raw_body"].encode(), one["headers"]) for one in _FILE["deliveries"]
)
NAMES = [delivery.name for delivery in DELIVERIES]


def delivery(name: str) -> Delivery:
    """The sample whose name begins or ends so: `11`, `incident.annotated`; the first of several."""
    return next(one for one in DELIVERIES if one.name.startswith(name + "-") or one.name.endswith(name))


def body_of(event_type: str = "incident.triggered", **data: Any) -> Any:
    """An envelope to bend; `data` replaces fields of the sample's own."""
    body = delivery(event_type).body
    body["event"]["data"] |= data
    return body


def parsed(body: Any) -> Event:
    return parse(json.dumps(body).encode(), {}, RANKS)
