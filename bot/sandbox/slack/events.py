"""The Events API payloads the fake Slack sends: the inner events, and the envelope around each."""

from __future__ import annotations

from bot.sandbox.slack import shapes
from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.state import Channel, Message, Workspace

CHANNEL_TYPES = {"public": "channel", "private": "group", "im": "im"}


def envelope(workspace: Workspace, event: Json, verification_token: str) -> Json:
    """The `event_callback` around one event; its `event_id` stays the same across retries."""
    world = workspace.world
    return {
        "token": verification_token,
        "team_id": world.slack_team_id,
        "context_team_id": world.slack_team_id,
        "enterprise_id": workspace.enterprise_id,
        "context_enterprise_id": workspace.enterprise_id,
        "api_app_id": world.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.next_id("Ev"),
        "event_time": int(workspace.clock()),
        "authorizations": [
            {
                "enterprise_id": workspace.enterprise_id,
                "team_id": world.slack_team_id,
                "user_id": world.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": workspace.by_organisation,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": workspace.next_id("4-"),
    }


def message_posted(workspace: Workspace, message: Message) -> list[Json]:
    """`app_mention` where the bot was mentioned by a person, `message` (as `message.im` etc.) in any case."""
    channel = workspace.channels[message.channel]
    if workspace.bot not in channel.members:
        return []
    shape = shapes.message(workspace, message)
    base = {**shape, "channel": channel.id, "event_ts": message.ts}
    found: list[Json] = [{**base, "channel_type": CHANNEL_TYPES[channel.kind]}]
    mentioned = f"<@{workspace.bot}>" in message.text or f"<@{workspace.bot}|" in message.text
    if mentioned and channel.kind != "im" and not message.by_bot:
        found.insert(0, {**base, "type": "app_mention"})
    return found


def message_changed(workspace: Workspace, message: Message) -> list[Json]:
    channel = workspace.channels[message.channel]
    return [
        {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "channel": channel.id,
            "channel_type": CHANNEL_TYPES[channel.kind],
            "ts": message.edited_ts or message.ts,
            "event_ts": message.edited_ts or message.ts,
            "message": shapes.message(workspace, message),
        }
    ]


def message_deleted(workspace: Workspace, message: Message) -> list[Json]:
    channel = workspace.channels[message.channel]
    ts = workspace.next_ts()
    return [
        {
            "type": "message",
            "subtype": "message_deleted",
            "hidden": True,
            "channel": channel.id,
            "channel_type": CHANNEL_TYPES[channel.kind],
            "deleted_ts": message.ts,
            "ts": ts,
            "event_ts": ts,
            "previous_message": shapes.message(workspace, message),
        }
    ]


def joined(workspace: Workspace, channel: Channel, user: str, inviter: str | None) -> Json:
    event = {
        "type": "member_joined_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "C" if channel.kind == "public" else "G",
        "team": workspace.world.slack_team_id,
        "event_ts": workspace.next_ts(),
    }
    return {**event, "inviter": inviter} if inviter else event


def bot_removed(workspace: Workspace, channel: Channel, actor: str) -> Json:
    """What an app hears when it is taken out of a channel itself (others hear `member_left_channel`)."""
    kind = "channel_left" if channel.kind == "public" else "group_left"
    return {"type": kind, "channel": channel.id, "actor_id": actor, "event_ts": workspace.next_ts()}


def archived(workspace: Workspace, channel: Channel, actor: str) -> Json:
    kind = "channel" if channel.kind == "public" else "group"
    verb = "archive" if channel.is_archived else "unarchive"
    ts = workspace.next_ts()
    return {
        "type": f"{kind}_{verb}",
        "channel": channel.id,
        "user": actor,
        "is_moved": 0,
        "event_ts": ts,
    }


def taken_away(workspace: Workspace) -> list[Json]:
    """What an app hears when it is removed from a workspace: its token died, and it is installed no more."""
    return [
        {
            "type": "tokens_revoked",
            "tokens": {"oauth": [], "bot": [workspace.bot]},
            "event_ts": workspace.next_ts(),
        },
        {"type": "app_uninstalled", "event_ts": workspace.next_ts()},
    ]


def home_opened(workspace: Workspace, user: str, tab: str, view: Json | None) -> Json:
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": workspace.direct_messages(user).id,
        "tab": tab,
        "event_ts": workspace.next_ts(),
    }
    return {**event, "view": view} if view else event


def name_of(event: Json) -> str:
    """The name an app subscribes to: `message.im` for a message in a DM, otherwise the event's own type."""
    if event["type"] == "message":
        kind = {"channel": "channels", "group": "groups", "im": "im"}[event["channel_type"]]
        return f"message.{kind}"
    return str(event["type"])
