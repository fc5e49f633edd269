"""`users.*`: who people are."""

from __future__ import annotations

from bot.sandbox.slack import shapes
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.arguments import page
from bot.sandbox.slack.method import TIER_2, TIER_3, TIER_4, Call, Method
from bot.sandbox.world import Person


def _shape(call: Call, person: Person) -> Json:
    return shapes.user(call.workspace, person, with_email="users:read.email" in call.scopes)


def _info(call: Call) -> Json:
    return {"user": _shape(call, call.workspace.person(call.arguments.required("user")))}


def _list(call: Call) -> Json:
    some, cursor = page(list(call.workspace.people.values()), call.arguments, 1000, 1000)
    return {"members": [_shape(call, p) for p in some], "response_metadata": {"next_cursor": cursor}}


def _lookup_by_email(call: Call) -> Json:
    email = call.arguments.required("email").lower()
    for person in call.workspace.people.values():
        if person.email.lower() == email and person.kind not in ("deleted", "stranger"):
            return {"user": _shape(call, person)}
    raise SlackError("users_not_found")


METHODS = {
    "users.info": Method(_info, ("users:read",), TIER_4, json_input=False),
    "users.list": Method(_list, ("users:read",), TIER_2, json_input=False),
    "users.lookupByEmail": Method(_lookup_by_email, ("users:read.email",), TIER_3, json_input=False),
}
