"""The one place that makes blocks safe to send: whatever goes in, what comes out is within Slack's limits.

Numbers from docs.slack.dev's Block Kit reference; the total is kept under the 13,200 characters at which
Slack was seen to answer `msg_blocks_too_long`. Nothing here raises: what is too long is cut with `…`, what
is too many is dropped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.declaration import Reply, Visibility
from bot.render.blocks import Block, context
from bot.render.text import cut, cut_markup

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
SECTION_TEXT = 3000
CONTEXT_TEXT = 3000
TOTAL_TEXT = 12_000
TOP_TEXT = 3900  # chat.update refuses a `text` of more than 4,000 characters
LABEL = 75
VALUE = 2000
OPTION_VALUE = 75
OPTIONS = {"overflow": 5, "radio_buttons": 10, "checkboxes": 10}
MOST_OPTIONS = 100
METADATA = 3000

_REST = "… and more than fits here."


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished message. Equal renders have equal hashes: delivery skips those."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]

    @property
    def hash(self) -> str:
        """SHA-256 over text and blocks, in hexadecimal."""
        told = json.dumps([self.text, self.blocks], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()


def finish(text: str, blocks: Sequence[Block]) -> Rendered:
    """A message within the limits; `text` is mrkdwn too, so it is escaped by whoever wrote it."""
    return Rendered(cut_markup(text.strip() or "…", TOP_TEXT), fit(blocks))


def reply(
    text: str,
    blocks: Sequence[Block],
    *,
    visibility: Visibility = Visibility.PRIVATE,
    replaces: bool = False,
) -> Reply:
    """An answer within the limits."""
    done = finish(text, blocks)
    return Reply(done.text, done.blocks, visibility=visibility, replaces=replaces)


def fit(
    blocks: Sequence[Block], *, most: int = MESSAGE_BLOCKS, total: int = TOTAL_TEXT
) -> tuple[Mapping[str, Any], ...]:
    """The blocks within every limit, action ids unique; what found no room is admitted in a last line."""
    whole = [fitted for block in blocks if (fitted := _block(block))]
    if len(whole) > most or text_length(whole) > total:
        whole = [*_leading(whole, most - 1, total - len(_REST)), context(_REST)]
    seen: dict[str, int] = {}
    for block in whole:
        for element in _elements(block):
            _name_apart(element, seen)
    return tuple(whole)


def _leading(blocks: Sequence[Block], most: int, room: int) -> Iterator[Block]:
    for block in blocks[:most]:
        room -= text_length(block)
        if room < 0:
            return
        yield block


def text_length(part: Any) -> int:
    """All characters of the texts inside, as Slack counts them for a whole message."""
    if isinstance(part, list):
        return sum(text_length(item) for item in part)
    if not isinstance(part, dict):
        return 0
    own = part.get("text")
    return (len(own) if isinstance(own, str) else 0) + sum(text_length(value) for value in part.values())


def _block(block: Block) -> Block | None:
    kind = block["type"]
    if kind == "section":
        text = _text(block["text"], SECTION_TEXT)
        accessory = _element(block["accessory"]) if "accessory" in block else None
        if accessory is None:
            return {key: value for key, value in block.items() if key != "accessory"} | {"text": text}
        return {**block, "text": text, "accessory": accessory}
    if kind == "context":
        return {**block, "elements": [_text(part, CONTEXT_TEXT) for part in block["elements"][:10]]}
    if kind == "actions":
        elements = [fitted for part in block["elements"][:25] if (fitted := _element(part))]
        return {**block, "elements": elements} if elements else None
    if kind == "input":
        element = _element(block["element"])
        return {**block, "element": element} if element else None
    return block


def _text(text: Block, limit: int) -> Block:
    shorten = cut_markup if text["type"] == "mrkdwn" else cut
    return {**text, "text": shorten(text["text"], limit) or "…"}


def _element(element: Block) -> Block | None:
    """The control within its limits; None when it could not work: a cut value would mean something else."""
    if len(element.get("value", "")) > VALUE:
        return None
    fitted = dict(element)
    if "options" in element:
        most = OPTIONS.get(element["type"], MOST_OPTIONS)
        fitted["options"] = [o for o in element["options"] if len(o["value"]) <= OPTION_VALUE][:most]
        if not fitted["options"]:
            return None
    if element["type"] == "button":
        fitted["text"] = _text(element["text"], LABEL)
    return fitted


def _elements(block: Block) -> list[Block]:
    found = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
    return [element for element in found if element and "action_id" in element]


def _name_apart(element: Block, seen: dict[str, int]) -> None:
    """Slack wants every action_id of a message once: the second `run:ack` becomes `run:ack:2`."""
    name = element["action_id"]
    seen[name] = count = seen.get(name, 0) + 1
    if count > 1:
        element["action_id"] = f"{name}:{count}"
