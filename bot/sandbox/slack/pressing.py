"""What a person does with single elements: press buttons, choose from menus, type into external selects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack import shapes
from bot.sandbox.slack.acting import Acting, CannotAct
from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.composition import Report, option, option_group
from bot.sandbox.slack.delivery import Delivered
from bot.sandbox.slack.elements import initial_state, state_field
from bot.sandbox.slack.state import Channel, Message
from bot.sandbox.slack.views import View


@dataclass(frozen=True)
class Place:
    """Where an element stands: in a view, or in a message of a channel."""

    blocks: list[Json]
    view: View | None = None
    channel: Channel | None = None
    message: Message | None = None

    def element(self, action_id: str, block_id: str | None) -> tuple[Json, Json]:
        """The block and the element with this action_id. Raises CannotAct, naming those that exist.

        Blocks without a name of their own are named anew by every edit, and a person presses what is on the
        screen: in a message that was edited since, the action_id alone finds the element.
        """
        there = list(_elements(self.blocks))
        meant = [(block, element) for block, element in there if element["action_id"] == action_id]
        for block, element in meant:
            if block_id in (None, block["block_id"]):
                return block, element
        if len(meant) == 1 and self.view is None:
            return meant[0]
        names = ", ".join(element["action_id"] for _, element in there)
        raise CannotAct(f"There is no {action_id!r} here; there is: {names or 'nothing to press'}.")


def url_buttons(blocks: list[Json]) -> dict[str, str]:
    """The buttons that lead out of Slack: what each opens, by action_id."""
    return {element["action_id"]: element["url"] for _, element in _elements(blocks) if element.get("url")}


def _elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every block and element that a person can use."""
    for block in blocks:
        for element in [*(block.get("elements") or []), block.get("accessory"), block.get("element")]:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def place(
    acting: Acting,
    user: str,
    *,
    channel: str | None = None,
    message: str | None = None,
    view: str | None = None,
) -> Place:
    """The message (ordinary, or ephemeral to this user) or the view a person acts in. Raises CannotAct."""
    if view is not None:
        opened = acting.views.get(view)
        if opened.user != user:
            raise CannotAct("That view belongs to someone else.")
        return Place(opened.payload["blocks"], view=opened)
    if channel is None or message is None:
        raise CannotAct("Say where: a view, or a channel and a message.")
    found = acting.workspace.channel(channel)
    item = found.messages.get(message) or found.ephemerals.get(message)
    if item is None or item.seen_by not in (None, user):
        raise CannotAct(f"There is no message {message} in {channel} that {user} can see.")
    blocks = list(item.blocks)
    for attachment in item.attachments:
        blocks += attachment.get("blocks") or []
    return Place(blocks, channel=found, message=item)


async def action(
    acting: Acting,
    user: str,
    action_id: str,
    *,
    channel: str | None = None,
    message: str | None = None,
    view: str | None = None,
    block_id: str | None = None,
    value: Any = None,
    option: Any = None,
    values: Json | None = None,
) -> Delivered:
    """Press a button, or choose `option` (its value, or a whole option) in a menu.

    `value` overrides what a button carries or gives a field's new content. `values` is the present state of
    the other fields (block_id → action_id → state), as a browser knows it.
    """
    here = place(acting, user, channel=channel, message=message, view=view)
    block, element = here.element(action_id, block_id)
    if here.view is not None:
        take_values(here.view.state, values)
    done = {
        "type": element["type"],
        "action_id": action_id,
        "block_id": block["block_id"],
        "action_ts": acting.workspace.next_ts(),
        **_chosen(element, value, option),
    }
    state = here.view.state if here.view is not None else initial_state(here.blocks)
    if values and here.view is None:
        take_values(state, values)
    field = state_field(element["type"])
    if field is not None:
        state.setdefault(block["block_id"], {})[action_id] = {"type": element["type"], field: done.get(field)}
    payload: Json = {
        "type": "block_actions",
        **acting.identity(user),
        **surroundings(acting, here),
        "trigger_id": acting.tickets.trigger(user, here.view.id if here.view else None),
        "actions": [done],
    }
    if here.view is None:
        payload["state"] = {"values": state}
    if here.channel is not None and here.message is not None:
        ticket = acting.tickets.response_url(
            user,
            here.channel.id,
            message=here.message.ts,
            ephemeral=here.message.seen_by is not None,
            thread_ts=here.message.thread_ts if here.message.is_reply else None,
        )
        payload["response_url"] = acting.url_of(ticket)
    answer = await acting.interaction("block_actions", payload, user)
    if answer.failure:
        label = element.get("text", {}).get("text", action_id)
        acting.failed(user, answer.failure, channel=here.channel.id if here.channel else None, what=label)
        if here.view is not None:
            here.view.notice = "We had some trouble connecting. Try again?"
            acting.views.touch(here.view)
    return answer


async def options(
    acting: Acting,
    user: str,
    action_id: str,
    value: str,
    *,
    channel: str | None = None,
    message: str | None = None,
    view: str | None = None,
    block_id: str | None = None,
) -> Delivered:
    """Type `value` into an external select. The answer's body is what the app offered."""
    here = place(acting, user, channel=channel, message=message, view=view)
    block, element = here.element(action_id, block_id)
    if element["type"] not in ("external_select", "multi_external_select"):
        raise CannotAct(f"{action_id!r} is a {element['type']}; only external selects ask as one types.")
    payload: Json = {
        "type": "block_suggestion",
        **acting.identity(user),
        **surroundings(acting, here),
        "action_id": action_id,
        "block_id": block["block_id"],
        "value": value,
    }
    answer = await acting.interaction("block_suggestion", payload, user)
    if answer.failure is None and (problems := _bad_options(answer.body)):
        return Delivered(answer.status, {"problems": problems}, answer.milliseconds, "invalid_options")
    return answer


def surroundings(acting: Acting, here: Place) -> Json:
    """`container`, and `channel` and `message`, or `view`: where the element stood.

    The payload of an ephemeral message carries no `message`.
    """
    if here.view is not None:
        return {
            "container": {"type": "view", "view_id": here.view.id},
            "view": acting.views.shape(here.view),
        }
    if here.channel is None or here.message is None:
        return {}
    container: Json = {
        "type": "message",
        "message_ts": here.message.ts,
        "channel_id": here.channel.id,
        "is_ephemeral": here.message.seen_by is not None,
    }
    if here.message.thread_ts:
        container["thread_ts"] = here.message.thread_ts
    around: Json = {"container": container, "channel": acting.where(here.channel)}
    if here.message.seen_by is None:
        around["message"] = shapes.message(acting.workspace, here.message, with_metadata=True)
    return around


def take_values(state: dict[str, Json], values: Json | None) -> None:
    """Lay what a browser says of the fields over what the view knew."""
    for block_id, actions in (values or {}).items():
        if isinstance(actions, dict):
            for action_id, content in actions.items():
                if isinstance(content, dict):
                    state.setdefault(block_id, {})[action_id] = content


def _chosen(element: Json, value: Any, option: Any) -> Json:
    """The part of an action that says what was pressed or chosen."""
    kind = element["type"]
    if kind == "button":
        said = element.get("value") if value is None else value
        extra = {"style": element["style"]} if "style" in element else {}
        return {"text": element["text"], **({} if said is None else {"value": said}), **extra}
    field = "selected_option" if kind == "overflow" else state_field(kind)
    if field is None:
        return {}
    picked = value if option is None else option
    if field in ("selected_option", "selected_options"):
        if field == "selected_options":
            return {field: [option_of(element, p) for p in picked or []]}
        return {field: option_of(element, picked)}
    return {field: picked}


def option_of(element: Json, picked: Any) -> Json | None:
    """The whole option for a value. Raises CannotAct when a menu with fixed options does not offer it."""
    if picked is None:
        return None
    if "external" in element["type"]:
        return (
            picked
            if isinstance(picked, dict)
            else {"text": {"type": "plain_text", "text": picked}, "value": picked}
        )
    wanted = picked.get("value") if isinstance(picked, dict) else picked
    offered = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        offered += group["options"]
    for candidate in offered:
        if wanted in (candidate["value"], candidate["text"]["text"]):
            return dict(candidate)
    raise CannotAct(f"{wanted!r} is not offered; there is: {', '.join(o['value'] for o in offered)}.")


def _bad_options(body: Any) -> list[str]:
    report = Report()
    if not isinstance(body, dict) or ("options" in body) == ("option_groups" in body):
        return ["[ERROR] the answer must hold options or option_groups"]
    report.items(body.get("options"), "/options", 0, 100, option)
    report.items(body.get("option_groups"), "/option_groups", 0, 100, option_group)
    return report.problems
