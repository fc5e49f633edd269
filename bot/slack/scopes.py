"""The scopes and events that the bot asks Slack for, and why: the one place.

Least privilege: a scope stands here because a method that is really called, or an event below, needs it (a
test compares the two), and no other. The history scopes are optional: with them an unknown outcome is looked
up and no double remains; without them nothing is lost. The manifest asks for them, and so does an install.
That for user groups is asked for where a setting names one.
"""

from __future__ import annotations

from collections.abc import Mapping

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
    "usergroups:read": "see who is in the user groups that `ADMINS` or `SUBSCRIBERS` name, where they do",
}
USER_GROUPS = "usergroups:read"
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
    "app_uninstalled": "a workspace removed the app: nothing is sent there any more",
    "tokens_revoked": "a workspace took the bot's token back",
}


def optional_scopes(*, user_groups: bool) -> list[str]:
    """Those to ask for; `user_groups`: a setting names one."""
    return [scope for scope in OPTIONAL_SCOPES if user_groups or scope != USER_GROUPS]
