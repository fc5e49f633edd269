"""Views and blocks that the tests of the fake Slack open."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str) -> Json:
    return {"text": plain(value.title()), "value": value}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Form"), "submit": plain("Go"), "blocks": list(blocks), **more}


def field(block_id: str, element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": element, **more}


TITLE = field("title", {"type": "plain_text_input", "action_id": "text", "max_length": 20})
URGENCY = field(
    "urgency",
    {"type": "static_select", "action_id": "pick", "options": [option("high"), option("low")]},
    optional=True,
)
SERVICE = field(
    "service", {"type": "external_select", "action_id": "find", "min_query_length": 0}, optional=True
)
BUTTON: Json = {"type": "button", "action_id": "run:ack", "text": plain("Ack"), "value": "ack Q1"}
MENU: Json = {
    "type": "overflow",
    "action_id": "more",
    "options": [option("note"), option("show")],
}
ACTIONS: Json = {"type": "actions", "block_id": "acts", "elements": [BUTTON, MENU]}
