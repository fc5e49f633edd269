"""`usergroups.*`: mentionable groups, whose membership is always replaced as a whole."""

from __future__ import annotations

from bot.sandbox.slack import shapes
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.method import TIER_2, Call, Method
from bot.sandbox.slack.state import UserGroup


def _group(call: Call) -> UserGroup:
    found = call.workspace.usergroups.get(call.arguments.required("usergroup"))
    if found is None:
        raise SlackError("no_such_subteam")
    return found


def _list(call: Call) -> Json:
    """The members only with `include_users`."""
    groups = [shapes.usergroup(call.workspace, g) for g in call.workspace.usergroups.values()]
    if not call.arguments.flag("include_users"):
        for group in groups:
            del group["users"]
    return {"usergroups": groups}


def _create(call: Call) -> Json:
    name = call.arguments.required("name")
    handle = call.arguments.text("handle") or name.lower().replace(" ", "-")
    if any(g.handle == handle for g in call.workspace.usergroups.values()):
        raise SlackError("name_already_exists")
    group = UserGroup(call.workspace.next_id("S"), handle, name, [])
    call.workspace.usergroups[group.id] = group
    return {"usergroup": shapes.usergroup(call.workspace, group)}


def _users(call: Call) -> Json:
    return {"users": _group(call).users}


def _replace_users(call: Call) -> Json:
    group = _group(call)
    users = [u.strip() for u in call.arguments.text("users").split(",") if u.strip()]
    if not users:
        raise SlackError("no_users_provided")
    if any(u not in call.workspace.people for u in users):
        raise SlackError("invalid_users")
    group.users = users
    return {"usergroup": shapes.usergroup(call.workspace, group)}


METHODS = {
    "usergroups.list": Method(_list, ("usergroups:read",), TIER_2, json_input=False),
    "usergroups.create": Method(_create, ("usergroups:write",), TIER_2),
    "usergroups.users.list": Method(_users, ("usergroups:read",), TIER_2, json_input=False),
    "usergroups.users.update": Method(_replace_users, ("usergroups:write",), TIER_2),
}
