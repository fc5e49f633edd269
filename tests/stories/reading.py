"""What stands in blocks, as its reader takes it in: the words, and what can be pressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def words_of(item: Any) -> str:
    """Everything a person reads in blocks: every text, in order."""
    if isinstance(item, dict):
        text = item.get("text")
        own = [text] if isinstance(text, str) else []
        return " ".join(own + [words_of(value) for key, value in item.items() if not (key == "text" and own)])
    if isinstance(item, list):
        return " ".join(words_of(one) for one in item)
    return ""


@dataclass(frozen=True)
class Control:
    """A button or a menu entry: what it says, and how to press it."""

    label: str
    action_id: str
    value: str
    option: dict[str, Any] | None = None
    url: str = ""


def controls_of(blocks: list[dict[str, Any]]) -> list[Control]:
    """Buttons, menu entries and select options, in reading order."""
    found: list[Control] = []
    for block in blocks:
        elements = [*(block.get("elements") or []), block.get("accessory")]
        for element in elements:
            if not isinstance(element, dict) or "action_id" not in element:
                continue
            if element["type"] == "button":
                value, url = element.get("value", ""), element.get("url", "")
                found.append(Control(element["text"]["text"], element["action_id"], value, url=url))
            groups = element.get("option_groups") or []
            options = [*(element.get("options") or []), *(o for group in groups for o in group["options"])]
            found += [Control(o["text"]["text"], element["action_id"], o["value"], o) for o in options]
    return found
