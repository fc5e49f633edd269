"""What a response URL is good for: answer privately or in the channel, replace or delete what was pressed."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.content import content
from bot.sandbox.slack.state import Message, Workspace
from bot.sandbox.slack.tickets import ResponseUrl


def respond(workspace: Workspace, ticket: ResponseUrl, body: Any) -> Message | None:
    """Carry out one post to a response URL; the message that now stands there, None after a deletion.

    Only a pressed message can be replaced: through a slash command's URL `replace_original` posts a second
    message, as Slack does (slackapi/bolt-js issue 2287, slackapi/bolt-python issue 1268).

    Raises `invalid_payload` and everything `content` raises.
    """
    if not isinstance(body, dict):
        raise SlackError("invalid_payload")
    channel = workspace.channel(ticket.channel)
    found = channel.ephemerals if ticket.ephemeral else channel.messages
    original = found.get(ticket.message or "")
    if body.get("delete_original"):
        if original is not None:
            workspace.remove(original)
            ticket.message = None
        return None
    said = content(Arguments(body))
    if body.get("replace_original") and original is not None:
        original.text = said.text or ""
        original.blocks = workspace.with_ids(said.blocks or [])
        original.attachments = said.attachments or []
        original.edits += 1
        original.edited_ts = workspace.next_ts()
        workspace.touch(original)
        return original
    return post_answer(workspace, ticket, body)


def post_answer(workspace: Workspace, ticket: ResponseUrl, body: Json) -> Message:
    """A new message where the person acted: for their eyes only unless `response_type` is `in_channel`."""
    said = content(Arguments(body))
    private = body.get("response_type") != "in_channel"
    channel = workspace.channel(ticket.channel)
    return workspace.put(
        channel,
        Message(
            channel.id,
            workspace.next_ts(),
            workspace.bot,
            said.text or "",
            said.blocks or [],
            said.attachments or [],
            thread_ts=body.get("thread_ts") or ticket.thread_ts,
            by_bot=True,
            seen_by=ticket.user if private else None,
        ),
    )
