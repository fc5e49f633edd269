"""The Slack app manifest, from the catalog and the settings: the one place that says which scopes and events
the bot asks for, and why.

Least privilege: a scope stands here because a method that is really called, or an event below, needs it (a
test compares the two), and no other. The history scopes are optional: with them an unknown outcome is looked
up and no double remains; without them nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from bot.command.catalog import Catalog

PLACE = "https://pagerline.example.com"

SCOPES: Mapping[str, str] = {
    "commands": "the slash command",
    "chat:write": "post and edit incident messages, answer people",
    "app_mentions:read": "understand `@pagerline ack` in threads",
    "im:history": "understand the same words in a direct message",
    "users:read": "see that a person is a full member, not a guest, stranger or bot",
    "users:read.email": "match a person to their PagerDuty login",
    "channels:read": "see public channels, whether archived, and when the bot is invited or removed",
    "groups:read": "the same for private channels the bot is in",
}
OPTIONAL_SCOPES: Mapping[str, str] = {
    "channels:history": "look up whether a post whose answer was lost is there, so that no double remains",
    "groups:history": "the same in private channels",
}
EVENTS: Mapping[str, str] = {
    "app_mention": "words to the bot where slash commands do not reach: threads",
    "message.im": "words to the bot in a direct message",
    "member_joined_channel": "the bot was invited: greet, and resume what was broken",
    "channel_left": "the bot was removed from a public channel",
    "group_left": "the bot was removed from a private channel",
    "channel_archive": "subscriptions of the channel rest",
    "channel_unarchive": "and resume",
    "group_archive": "the same for private channels",
    "group_unarchive": "the same for private channels",
}
ENDPOINT = "/slack/events"


def build_manifest(
    catalog: Catalog, *, slash_command: str, public_url: str | None = None, socket_mode: bool = False
) -> dict[str, Any]:
    """The manifest as data, ready for *Create an app from a manifest*; without URLs in Socket Mode."""
    url = (public_url or PLACE).rstrip("/") + ENDPOINT
    command: dict[str, Any] = {
        "command": slash_command,
        "description": "PagerDuty from Slack: acknowledge, resolve, escalate, who is on call",
        "usage_hint": usage_hint(catalog),
        "should_escape": True,
    }
    events: dict[str, Any] = {"bot_events": list(EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    if not socket_mode:
        command["url"] = url
        events["request_url"] = url
        interactivity |= {"request_url": url, "message_menu_options_url": url}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Pagerline",
            "description": "Runs PagerDuty from Slack, as the person who acts",
            "background_color": "#0b6e4f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "pagerline", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES), "bot_optional": list(OPTIONAL_SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }


def usage_hint(catalog: Catalog) -> str:
    """What Slack shows behind the slash command while one types."""
    return "[" + " | ".join(command.verb for command in catalog.shown()) + "]"


def as_yaml(manifest: Mapping[str, Any]) -> str:
    """The manifest as the text one pastes into Slack."""
    return yaml.safe_dump(dict(manifest), sort_keys=False, allow_unicode=True, width=1000)
