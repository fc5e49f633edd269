"""Every Web API method the fake Slack knows, by Slack's name; anything else answers `unknown_method`."""

from __future__ import annotations

from bot.sandbox.slack.method import Method
from bot.sandbox.slack.methods import (
    account,
    chat,
    conversations,
    history,
    installs,
    openid,
    usergroups,
    users,
    views,
)

METHODS: dict[str, Method] = {
    **account.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **history.METHODS,
    **installs.METHODS,
    **openid.METHODS,
    **usergroups.METHODS,
    **users.METHODS,
    **views.METHODS,
}
