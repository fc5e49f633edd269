"""`oauth.v2.access`, `auth.revoke`, `auth.teams.list`: how the app's own tokens come and go."""

from __future__ import annotations

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.events import taken_away
from bot.sandbox.slack.method import SPECIAL, TIER_2, TIER_3, Call, Method


def _access(call: Call) -> Json:
    return call.installing.exchange(call.arguments.required("code"), call.arguments.text("redirect_uri"))


def _revoke(call: Call) -> Json:
    if call.arguments.flag("test"):
        return {"revoked": False}
    call.tokens.dead = "token_revoked"
    call.events += taken_away(call.workspace)
    return {"revoked": True}


def _teams(call: Call) -> Json:
    found = call.installing.workspaces_of(call.token)
    if not found:
        raise SlackError("team_not_found")
    return {"teams": found, "response_metadata": {"next_cursor": ""}}


METHODS = {
    "oauth.v2.access": Method(_access, per_minute=SPECIAL, json_input=False, proof="app"),
    "auth.revoke": Method(_revoke, per_minute=TIER_3, json_input=False),
    "auth.teams.list": Method(_teams, per_minute=TIER_2, json_input=False),
}
