"""`openid.connect.*`: what a sign-in with Slack is exchanged for."""

from __future__ import annotations

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.method import TIER_3, TIER_4, Call, Method


def _token(call: Call) -> Json:
    if call.arguments.text("grant_type", "authorization_code") != "authorization_code":
        raise SlackError("invalid_grant_type")
    return call.sign_in.token(call.arguments.text("code"), call.arguments.text("redirect_uri"))


def _user_info(call: Call) -> Json:
    return call.sign_in.claims(call.token)


METHODS = {
    "openid.connect.token": Method(_token, per_minute=TIER_4, json_input=False, proof="app"),
    "openid.connect.userInfo": Method(_user_info, per_minute=TIER_3, json_input=False, proof="person"),
}
