"""The whole workspace as plain JSON: what `/control/state` answers and what the page draws."""

from __future__ import annotations

from bot.sandbox.slack import shapes
from bot.sandbox.slack.acting import Acting
from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.state import Channel, Message
from bot.sandbox.slack.views import View


def whole(acting: Acting) -> Json:
    """Everything there is: people, channels with all messages and metadata, views, doubles, failures."""
    workspace = acting.workspace
    return {
        "people": [shapes.user(workspace, p) for p in workspace.people.values()],
        "channels": [channel(acting, c) for c in workspace.channels.values()],
        "modals": {user: [view(acting, v) for v in stack] for user, stack in acting.views.stacks.items()},
        "homes": {user: view(acting, v) for user, v in acting.views.homes.items()},
        "doubles": [[message(acting, m) for m in group] for group in workspace.doubles()],
        "failures": acting.failures,
        "scopes": sorted(acting.tokens.scopes),
        "subscribed": sorted(acting.delivery.subscribed),
        "sockets": acting.delivery.sockets.connected,
    }


def channel(acting: Acting, place: Channel, *, seen_by: str | None = None) -> Json:
    """A channel with its messages oldest first; of the ephemeral ones everybody's, or `seen_by`'s."""
    private = [m for m in place.ephemerals.values() if seen_by in (None, m.seen_by)]
    items = sorted([*place.messages.values(), *private], key=lambda m: m.ts)
    return {
        **shapes.conversation(acting.workspace, place),
        "members": place.members,
        "messages": [message(acting, m) for m in items],
    }


def message(acting: Acting, item: Message) -> Json:
    """A message with what only the sandbox knows: who sees it, how often it was edited."""
    return {
        **shapes.message(acting.workspace, item, with_metadata=True),
        "channel": item.channel,
        "ephemeral_to": item.seen_by,
        "edits": item.edits,
        "is_reply": item.is_reply,
        "broadcast": item.broadcast,
    }


def view(acting: Acting, opened: View) -> Json:
    """A view with what its reader sees beside the fields."""
    return {
        **acting.views.shape(opened),
        "user": opened.user,
        "errors": opened.errors,
        "notice": opened.notice,
    }
