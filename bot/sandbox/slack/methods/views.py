"""`views.*`: modals and Home tabs."""

from __future__ import annotations

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.method import TIER_4, Call, Method
from bot.sandbox.slack.tickets import Trigger


def _open(call: Call) -> Json:
    payload = _modal(call)
    view = call.views.open(_trigger(call).user, payload)
    return {"view": call.views.shape(view)}


def _push(call: Call) -> Json:
    payload = _modal(call)
    view = call.views.push(_trigger(call).user, payload)
    return {"view": call.views.shape(view)}


def _update(call: Call) -> Json:
    payload = _payload(call)
    if external_id := call.arguments.text("external_id"):
        view = call.views.by_external_id(external_id)
    else:
        view = call.views.get(call.arguments.required("view_id"))
    call.views.update(view, payload, call.arguments.text("hash") or None)
    return {"view": call.views.shape(view)}


def _publish(call: Call) -> Json:
    user = call.arguments.required("user_id")
    if user not in call.workspace.people:
        raise SlackError("invalid_arguments", messages=["[ERROR] invalid user_id"])
    view = call.views.publish(user, _payload(call), call.arguments.text("hash") or None)
    return {"view": call.views.shape(view)}


def _payload(call: Call) -> Json:
    view = call.arguments.json("view", "invalid_arguments")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", messages=["[ERROR] missing required field: view"])
    return view


def _modal(call: Call) -> Json:
    """The modal, judged before the trigger is used up."""
    payload = _payload(call)
    call.views.check(payload, "modal")
    return payload


def _trigger(call: Call) -> Trigger:
    return call.tickets.redeem(call.arguments.required("trigger_id"))


METHODS = {
    "views.open": Method(_open, (), TIER_4),
    "views.push": Method(_push, (), TIER_4),
    "views.update": Method(_update, (), TIER_4),
    "views.publish": Method(_publish, (), TIER_4),
}
