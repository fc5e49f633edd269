"""What a call wants a message to say: text, blocks, attachments, metadata, judged as Slack judges them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.blocks import TEXT_LIMIT, problems, text_length

TRUNCATED_AT = 40_000
UPDATE_LIMIT = 4_000
ATTACHMENT_LIMIT = 100
METADATA_BYTES = 8_000
_EVENT_TYPE = re.compile(r"[a-z0-9_]{1,255}", re.IGNORECASE)


@dataclass(frozen=True)
class Content:
    """What a message says. A part is None when the call did not send it."""

    text: str | None
    blocks: list[Json] | None
    attachments: list[Json] | None
    metadata: Json | None


def content(arguments: Arguments, *, updating: bool = False) -> Content:
    """The content of a post or an update.

    Raises `no_text`, `msg_too_long` (updates only: posts are truncated), `invalid_blocks`,
    `invalid_blocks_format`, `msg_blocks_too_long`, `invalid_attachments`, `too_many_attachments`,
    `invalid_metadata_format`, `invalid_metadata_schema`, `metadata_too_large`, `markdown_text_conflict`.
    """
    blocks = checked_blocks(arguments.json("blocks", "invalid_blocks_format"))
    attachments = _attachments(arguments)
    text = arguments.text("text") if "text" in arguments else None
    markdown = arguments.text("markdown_text")
    if markdown:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        text = markdown
    if text is not None and len(text) > (UPDATE_LIMIT if updating else TRUNCATED_AT):
        if updating:
            raise SlackError("msg_too_long")
        text = text[:TRUNCATED_AT]
    if not (text and text.strip()) and not blocks and not attachments:
        raise SlackError("no_text")
    return Content(text, blocks, attachments, _metadata(arguments))


def checked_blocks(blocks: Any) -> list[Json] | None:
    """The blocks when Slack would take them in a message. Raises what `content` names for blocks."""
    if blocks is None:
        return None
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    found = problems(blocks, "message")
    if found:
        raise SlackError("invalid_blocks", errors=found, messages=found)
    if text_length(blocks) > TEXT_LIMIT:
        raise SlackError("msg_blocks_too_long")
    return blocks


def _attachments(arguments: Arguments) -> list[Json] | None:
    attachments = arguments.json("attachments", "invalid_attachments")
    if attachments is None:
        return None
    if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > ATTACHMENT_LIMIT:
        raise SlackError("too_many_attachments")
    for attachment in attachments:
        checked_blocks(attachment.get("blocks"))
    return attachments


def _metadata(arguments: Arguments) -> Json | None:
    metadata = arguments.json("metadata", "invalid_metadata_format")
    if metadata is None or metadata == {}:
        return metadata if metadata is None else {}
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    payload = metadata.get("event_payload")
    if "entities" not in metadata:
        name = metadata.get("event_type")
        if not isinstance(name, str) or not _EVENT_TYPE.fullmatch(name) or not isinstance(payload, dict):
            raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata
