"""Slack's JSON for users, conversations and messages, with the fields a bot reads."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.state import Channel, Message, UserGroup, Workspace
from bot.sandbox.world import Person


def user(workspace: Workspace, person: Person, *, with_email: bool = True) -> Json:
    """A user as `users.info` gives it; the e-mail only with the scope `users:read.email`."""
    offset = datetime.fromtimestamp(workspace.clock(), ZoneInfo(person.tz)).utcoffset()
    deleted = person.kind == "deleted"
    profile: Json = {
        "real_name": person.name,
        "real_name_normalized": person.name,
        "display_name": person.handle,
        "display_name_normalized": person.handle,
        "title": person.title,
        "status_text": "",
        "status_emoji": "",
        "team": person.slack_team,
    }
    if with_email and person.email:
        profile["email"] = person.email
    shape: Json = {
        "id": person.slack_id,
        "team_id": person.slack_team,
        "name": person.handle,
        "deleted": deleted,
        "real_name": person.name,
        "profile": profile,
        "is_bot": person.kind == "bot",
        "is_app_user": False,
        "updated": int(workspace.clock()),
    }
    if person.kind == "bot":
        profile |= {"bot_id": workspace.world.bot_id, "api_app_id": workspace.world.app_id}
    if person.kind == "stranger":
        shape["is_stranger"] = True
    if not deleted:
        shape |= {
            "tz": person.tz,
            "tz_label": person.tz,
            "tz_offset": int(offset.total_seconds()) if offset is not None else 0,
            "is_admin": person.kind == "admin",
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": person.kind == "guest",
            "is_ultra_restricted": False,
            "is_email_confirmed": bool(person.email),
        }
    return shape


def conversation(workspace: Workspace, channel: Channel, *, member_count: bool = False) -> Json:
    """A conversation as `conversations.info` gives it."""
    shape: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
        "context_team_id": workspace.world.slack_team_id,
    }
    if channel.kind == "im":
        shape |= {"user": channel.user, "is_open": True}
    else:
        shape |= {
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": channel.kind == "public",
            "is_group": channel.kind == "private",
            "is_mpim": False,
            "is_private": channel.kind == "private",
            "is_general": channel.name == "general",
            "is_member": workspace.bot in channel.members,
            "is_shared": False,
            "is_ext_shared": False,
            "creator": "U0CAROL",
            "topic": {"value": channel.topic, "creator": "U0CAROL", "last_set": channel.created},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "previous_names": [],
        }
    if member_count:
        shape["num_members"] = len(channel.members)
    return shape


def message(workspace: Workspace, item: Message, *, with_metadata: bool = False) -> Json:
    """A message as history, answers and interaction payloads give it."""
    shape: Json = {
        "type": "message",
        "user": item.user,
        "text": item.text,
        "ts": item.ts,
        "team": workspace.world.slack_team_id,
    }
    if item.by_bot:
        shape |= _bot(workspace)
    if item.blocks:
        shape["blocks"] = item.blocks
    if item.attachments:
        shape["attachments"] = [{"id": n, **a} for n, a in enumerate(item.attachments, 1)]
    subtype = "thread_broadcast" if item.broadcast and item.is_reply else item.subtype
    if subtype:
        shape["subtype"] = subtype
    if item.edited_ts:
        shape["edited"] = {"user": item.user, "ts": item.edited_ts}
    if item.thread_ts:
        shape["thread_ts"] = item.thread_ts
    if item.reactions:
        shape["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in item.reactions.items()
        ]
    if with_metadata and item.metadata:
        shape["metadata"] = item.metadata
    if not item.is_reply and item.seen_by is None:
        shape |= _thread(workspace, item)
    return shape


def _bot(workspace: Workspace) -> Json:
    world = workspace.world
    ids = {"app_id": world.app_id, "user_id": world.bot_user_id, "team_id": world.slack_team_id}
    profile = {"id": world.bot_id, "name": "pagerline", "deleted": False, **ids}
    return {"bot_id": world.bot_id, "app_id": world.app_id, "bot_profile": profile}


def _thread(workspace: Workspace, parent: Message) -> Json:
    replies = workspace.channels[parent.channel].replies(parent.ts)
    if not replies:
        return {}
    return {
        "thread_ts": parent.ts,
        "reply_count": len(replies),
        "reply_users": list(dict.fromkeys(r.user for r in replies)),
        "latest_reply": replies[-1].ts,
    }


def usergroup(workspace: Workspace, group: UserGroup) -> Json:
    return {
        "id": group.id,
        "team_id": workspace.world.slack_team_id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "date_delete": 0,
        "users": group.users,
        "user_count": len(group.users),
    }
