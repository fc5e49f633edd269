"""Block Kit's parts as plain dicts. Texts handed in as `markup` are finished mrkdwn (bot/render/text.py);
labels of controls are plain text, which Slack shows as it is. Limits are kept in one place,
bot/render/limits.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.render.text import cut, harmless

Block = dict[str, Any]
Style = Literal["primary", "danger"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a menu or picker: what it says, and the argument words or value it stands for (≤ 75
    characters).
    """

    label: str
    value: str
    detail: str = ""

    def option(self) -> Block:
        option: Block = {"text": plain(self.label, 75), "value": self.value}
        if self.detail:
            option["description"] = plain(self.detail, 75)
        return option


def plain(text: str, limit: int) -> Block:
    """A plain_text object; `emoji` stays off so that `:boom:` in somebody's title is shown as typed."""
    return {"type": "plain_text", "text": cut(harmless(" ".join(text.split())), limit) or "…", "emoji": False}


def mrkdwn(markup: str) -> Block:
    return {"type": "mrkdwn", "text": markup}


def section(markup: str, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(markup)}
    return block | {"accessory": accessory} if accessory else block


def context(*markups: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(markup) for markup in markups]}


def divider() -> Block:
    return {"type": "divider"}


def actions(elements: Sequence[Block]) -> Block:
    return {"type": "actions", "elements": list(elements)}


def verb_of(words: str) -> str:
    """`escalate Q1 2` → `escalate`."""
    return words.split(maxsplit=1)[0] if words.strip() else "run"


def button(label: str, words: str, *, style: Style | None = None, spoken: str = "") -> Block:
    """A button whose press runs `words`; `spoken` is what a screen reader says instead of the bare label."""
    block: Block = {
        "type": "button",
        "action_id": f"run:{verb_of(words)}",
        "text": plain(label, 75),
        "value": words,
    }
    if spoken:
        block["accessibility_label"] = cut(harmless(" ".join(spoken.split())), 75)
    return block | {"style": style} if style else block


def link_button(label: str, url: str, verb: str, *, value: str = "") -> Block:
    """A button that opens a page; Slack reports the press all the same, under `open:<verb>`, with `value`."""
    block: Block = {"type": "button", "action_id": f"open:{verb}", "text": plain(label, 75), "url": url}
    return block | {"value": value} if value else block


def overflow(choices: Sequence[Choice]) -> Block:
    return {"type": "overflow", "action_id": "run:more", "options": [choice.option() for choice in choices]}


def picker(verb: str, prompt: str, choices: Sequence[Choice]) -> Block:
    """A select whose options are argument words."""
    return {
        "type": "static_select",
        "action_id": f"run:{verb}",
        "placeholder": plain(prompt, 150),
        "options": [choice.option() for choice in choices],
    }


def field_input(
    name: str, label: str, element: Mapping[str, Any], *, hint: str = "", optional: bool = False
) -> Block:
    """An input block: `block_id` is the argument's name, so that an error can be put beside it."""
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": plain(label, 2000),
        "element": {**element, "action_id": f"field:{name}"},
        "optional": optional,
    }
    return block | {"hint": plain(hint, 2000)} if hint else block
