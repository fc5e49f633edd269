"""The Slack app manifest, from the catalog and the settings; scopes and events are bot/slack/scopes.py's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from bot.command.catalog import Catalog
from bot.slack.scopes import EVENTS, SCOPES, optional_scopes

PLACE = "https://pagerline.example.com"

ENDPOINT = "/slack/events"
RETURNS = ("/slack/oauth_redirect", "/slack/signed_in")  # from an install, from Sign in with Slack


def build_manifest(
    catalog: Catalog,
    *,
    slash_command: str,
    public_url: str | None = None,
    socket_mode: bool = False,
    installs: bool = False,
    organisation: bool = False,
    user_groups: bool = False,
) -> dict[str, Any]:
    """The manifest as data, ready for *Create an app from a manifest*; without URLs in Socket Mode.

    `installs`: browsers come back from Slack to the public URL, whatever the mode. `organisation`: an
    Enterprise Grid organisation may install the app as a whole. `user_groups`: settings name some.
    """
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
    oauth: dict[str, Any] = {
        "scopes": {"bot": list(SCOPES), "bot_optional": optional_scopes(user_groups=user_groups)}
    }
    if public_url and (installs or not socket_mode):
        oauth["redirect_urls"] = [public_url.rstrip("/") + path for path in RETURNS]
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
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": organisation,
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
