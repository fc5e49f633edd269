"""`auth.*`, `team.*`, `bots.*`, `apps.*`, `api.test`: who the token is, and the door to Socket Mode."""

from __future__ import annotations

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.method import SPECIAL, TIER_4, Call, Method


def _auth_test(call: Call) -> Json:
    world = call.workspace.world
    enterprise = call.workspace.enterprise_id
    whole = call.token == call.tokens.organisation_token and "team_id" not in call.arguments
    return {
        "url": f"https://{world.slack_domain}.slack.com/",
        "team": world.slack_team_name,
        "team_id": enterprise if whole else world.slack_team_id,
        "user": call.workspace.person(world.bot_user_id).handle,
        "user_id": world.bot_user_id,
        "bot_id": world.bot_id,
        **({"enterprise_id": enterprise} if enterprise else {}),
        "is_enterprise_install": whole,
    }


def _api_test(call: Call) -> Json:
    if "error" in call.arguments:
        raise SlackError(call.arguments.text("error"))
    return {"args": call.arguments.values}


def _team_info(call: Call) -> Json:
    world = call.workspace.world
    if call.arguments.text("team", world.slack_team_id) != world.slack_team_id:
        raise SlackError("team_not_found")
    return {
        "team": {
            "id": world.slack_team_id,
            "name": world.slack_team_name,
            "domain": world.slack_domain,
            "email_domain": "acme.example",
            "url": f"https://{world.slack_domain}.slack.com/",
            "icon": {"image_default": True},
        }
    }


def _bots_info(call: Call) -> Json:
    world = call.workspace.world
    if call.arguments.required("bot") != world.bot_id:
        raise SlackError("bot_not_found")
    return {
        "bot": {
            "id": world.bot_id,
            "deleted": False,
            "name": "pagerline",
            "updated": 1_700_000_000,
            "app_id": world.app_id,
            "user_id": world.bot_user_id,
            "icons": {},
        }
    }


def _connections_open(call: Call) -> Json:
    return {"url": call.open_socket()}


METHODS = {
    "api.test": Method(_api_test, per_minute=TIER_4),
    "auth.test": Method(_auth_test, per_minute=SPECIAL),
    "team.info": Method(_team_info, ("team:read",)),
    "bots.info": Method(_bots_info, ("users:read",), json_input=False),
    "apps.connections.open": Method(_connections_open, app_token=True),
}
