"""What a person does with a modal as a whole: submit it, close it; and the shortcuts that open one."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox.slack import shapes
from bot.sandbox.slack.acting import Acting, CannotAct
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.delivery import Delivered
from bot.sandbox.slack.elements import state_field
from bot.sandbox.slack.pressing import option_of
from bot.sandbox.slack.views import View

TROUBLE = "We had some trouble connecting. Try again?"
_EMPTY: tuple[Any, ...] = (None, "", [])


async def submit(acting: Acting, user: str, view_id: str, values: Json | None = None) -> Delivered:
    """Fill in and submit a modal.

    `values` maps block_id or action_id to a plain value (text, an option's value, a list of them), or is
    Slack's own shape. What the browser refuses (a required field left empty, text too long) is never sent:
    the result then has no status and `failure` is `not_sent`.
    """
    view = acting.views.get(view_id)
    if view.user != user or view.is_home:
        raise CannotAct("Only the person who opened a modal can submit it.")
    fill(view, values or {})
    view.errors, view.notice = _client_errors(view), None
    if view.errors:
        acting.views.touch(view)
        return Delivered(None, {"errors": view.errors}, 0.0, "not_sent")
    payload = {
        "type": "view_submission",
        **acting.identity(user),
        "trigger_id": acting.tickets.trigger(user, view.id),
        "view": acting.views.shape(view),
        "response_urls": [],
    }
    answer = await acting.interaction("view_submission", payload, user)
    if answer.failure:
        acting.failed(user, answer.failure, channel=None, what=view.payload["title"]["text"])
        view.notice = TROUBLE
        acting.views.touch(view)
        return answer
    try:
        _follow(acting, view, answer.body)
    except SlackError as problem:
        acting.failed(user, problem.code, channel=None, what=view.payload["title"]["text"])
        view.notice = TROUBLE
        acting.views.touch(view)
    return answer


async def close(acting: Acting, user: str, view_id: str, *, every: bool = False) -> Delivered:
    """Close a modal (`every`: the whole stack); the app hears of it only with `notify_on_close`."""
    view = acting.views.get(view_id)
    if view.user != user:
        raise CannotAct("That view belongs to someone else.")
    shape = acting.views.shape(view)
    if every or view.payload.get("clear_on_close"):
        acting.views.close_all(user)
    else:
        acting.views.close(view)
    if not view.payload.get("notify_on_close"):
        return Delivered(None, None, 0.0)
    payload = {"type": "view_closed", **acting.identity(user), "view": shape, "is_cleared": every}
    return await acting.interaction("view_closed", payload, user)


async def shortcut(
    acting: Acting, user: str, callback_id: str, *, channel: str | None = None, message: str | None = None
) -> Delivered:
    """Use a shortcut: a global one, or on a message."""
    payload: Json = {
        "type": "shortcut",
        **acting.identity(user),
        "callback_id": callback_id,
        "trigger_id": acting.tickets.trigger(user),
        "action_ts": acting.workspace.next_ts(),
    }
    if channel is not None and message is not None:
        place = acting.workspace.channel(channel)
        item = acting.workspace.message(place, message)
        ticket = acting.tickets.response_url(user, channel, message=item.ts)
        payload |= {
            "type": "message_action",
            "channel": acting.where(place),
            "message": shapes.message(acting.workspace, item, with_metadata=True),
            "message_ts": item.ts,
            "response_url": acting.url_of(ticket),
        }
    answer = await acting.interaction(payload["type"], payload, user)
    if answer.failure:
        acting.failed(user, answer.failure, channel=channel, what=callback_id)
    return answer


def fill(view: View, values: Json) -> None:
    """Put values into the fields of a view. Raises CannotAct for a field or an option that is not there."""
    known = set()
    for block in view.payload["blocks"]:
        inside = [block.get("element"), block.get("accessory"), *(block.get("elements") or [])]
        for element in inside:
            if not isinstance(element, dict) or (field := state_field(element["type"])) is None:
                continue
            block_id, action_id = block["block_id"], element["action_id"]
            known |= {block_id, action_id}
            given = values.get(block_id, values.get(action_id, _EMPTY))
            if given is _EMPTY:
                continue
            if isinstance(given, dict) and isinstance(given.get(action_id), dict):
                view.state.setdefault(block_id, {})[action_id] = given[action_id]
                continue
            picked: Any = given
            if field == "selected_option":
                picked = option_of(element, given or None)
            elif field == "selected_options":
                picked = [option_of(element, g) for g in given or []]
            view.state.setdefault(block_id, {})[action_id] = {"type": element["type"], field: picked}
    if unknown := sorted(set(values) - known):
        raise CannotAct(
            f"The form has no {', '.join(unknown)}; it has: {', '.join(sorted(known)) or 'no fields'}."
        )


def _client_errors(view: View) -> dict[str, str]:
    """What Slack's own client says before anything is sent, by block_id."""
    errors = {}
    for block in view.payload["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        held = view.state.get(block["block_id"], {}).get(element["action_id"], {})
        value = held.get(state_field(element["type"]) or "")
        if value in _EMPTY:
            if not block.get("optional"):
                errors[block["block_id"]] = "Please complete this required field."
        elif (problem := _bad_text(element, value)) is not None:
            errors[block["block_id"]] = problem
    return errors


def _bad_text(element: Json, value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if len(value) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"Must be at most {element.get('max_length', 3000)} characters."
    shapes_of = {
        "number_input": (r"-?\d+(\.\d+)?", "Must be a number."),
        "email_text_input": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "Must be an email address."),
        "url_text_input": (r"https?://\S+", "Must be a URL."),
    }
    pattern, problem = shapes_of.get(element["type"], (".*", ""))
    return None if re.fullmatch(pattern, value, re.DOTALL) else problem


def _follow(acting: Acting, view: View, body: Any) -> None:
    """Do what the app answered to a submission. Raises SlackError when Slack could not."""
    answer = body if isinstance(body, dict) else {}
    verb = answer.get("response_action")
    if verb == "errors":
        errors = answer.get("errors")
        inputs = {b["block_id"] for b in view.payload["blocks"] if b["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
            raise SlackError("invalid_errors")
        view.errors = {str(k): str(v) for k, v in errors.items()}
        acting.views.touch(view)
    elif verb == "update":
        acting.views.update(view, answer.get("view", {}))
    elif verb == "push":
        acting.views.push(view.user, answer.get("view", {}))
    elif verb == "clear":
        acting.views.close_all(view.user)
    elif verb is None:
        acting.views.close(view)
    else:
        raise SlackError("invalid_response_action")
