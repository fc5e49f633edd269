"""Slack's payloads as our requests. Pure, and ready for anything: what is missing or odd gives None, never an
error.

Which workspace a request belongs to is the caller's business (`team_id`): for somebody from another
organisation in a shared channel the payload names theirs, and we answer in ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.command.request import Request, Surface
from bot.model import SlackUser
from bot.render.carried import read_carried
from bot.render.forms import FormState, read_state, read_values
from bot.slack.marks import read_mark

Json = Mapping[str, Any]
NOTHING: Json = {}
OURS = "run:"  # the action ids of controls whose value is words
OPENS = "open:"  # of buttons that open a page


def is_well_formed(body: Json) -> bool:
    """Whether Bolt can look at it: its matchers trip over what Slack never sends, a press of nothing, say."""
    kind = body.get("type")
    if "command" in body:
        return isinstance(body["command"], str)
    if kind == "block_actions":
        actions = _list(body.get("actions"))
        return bool(actions) and all(isinstance(_map(one).get("action_id"), str) for one in actions[:1])
    if kind in ("view_submission", "view_closed"):
        view = _map(body.get("view"))
        return isinstance(view.get("type"), str) and isinstance(view.get("callback_id"), str)
    if kind == "event_callback":
        return isinstance(_map(body.get("event")).get("type"), str)
    if kind == "block_suggestion":
        return isinstance(body.get("action_id"), str)
    # Shortcuts, and Slack's older menus and dialogs, are told apart by it.
    return isinstance(kind, str) and isinstance(body.get("callback_id", ""), str)


def teams_in(body: Json) -> Iterator[str]:
    """The workspaces a payload names: first whose install it concerns, then where the person is."""
    message = _map(body.get("message"))
    yield _text(_map(body.get("view")).get("app_installed_team_id"))
    if message.get("bot_id"):
        yield _text(message.get("team"))
    yield _text(_map(body.get("team")).get("id"))
    for one in _list(body.get("authorizations")):
        yield _text(_map(one).get("team_id"))
    yield _text(body.get("context_team_id"))
    yield _text(body.get("team_id"))


def organisation_in(body: Json) -> str | None:
    """The organisation through whose install this reaches us; None for a workspace's own."""
    first = _map(next(iter(_list(body.get("authorizations"))), body))
    if first.get("is_enterprise_install") not in (True, "true"):
        return None
    named = _map(first.get("enterprise")).get("id"), first.get("enterprise_id"), body.get("enterprise_id")
    return next((one for one in map(_text, named) if one), None)


def taken_away(body: Json) -> tuple[str, str] | None:
    """The workspace and the organisation that may have taken the app or its token away; None for any other
    event. Tokens of people are none of ours.
    """
    event = _map(body.get("event"))
    revoked = _list(_map(event.get("tokens")).get("bot"))
    if event.get("type") == "app_uninstalled" or (event.get("type") == "tokens_revoked" and revoked):
        return _text(body.get("team_id")), _text(body.get("enterprise_id"))
    return None


def slash(body: Json, team_id: str) -> Request | None:
    """A slash command."""
    user, trigger = _text(body.get("user_id")), _text(body.get("trigger_id"))
    if not user or not trigger:
        return None
    return Request(
        key=f"slash:{trigger}",
        user=SlackUser(team_id, user),
        surface=Surface.SLASH,
        text=_text(body.get("text")),
        channel_id=_text(body.get("channel_id")),
        response_url=_text(body.get("response_url")) or None,
        trigger_id=trigger,
    )


def press(body: Json, team_id: str) -> Request | None:
    """A button or menu entry that carries words; None for anything else that can be pressed."""
    user, trigger = _text(_map(body.get("user")).get("id")), _text(body.get("trigger_id"))
    action = _map(next(iter(_list(body.get("actions"))), None))
    words = _words(action)
    if not user or not trigger or not words or action.get("url"):
        return None
    if not _text(action.get("action_id")).startswith(OURS):
        return None
    words, told = read_carried(words)
    fields = {name: _text(value) for name, value in told.items()} if told is not None else None
    view = _map(body.get("view"))
    if view:
        state = form_state(view) or FormState("")
        return Request(
            key=f"press:{trigger}",
            user=SlackUser(team_id, user),
            surface=Surface.DIALOG,
            text=words,
            fields=fields,
            channel_id=state.channel,
            thread_ts=state.thread_ts or None,
            message_ts=state.message_ts or None,
            trigger_id=trigger,
            view_id=_text(view.get("id")) or None,
        )
    container, message = _map(body.get("container")), _map(body.get("message"))
    mark = read_mark(message.get("metadata"))
    private = bool(container.get("is_ephemeral"))
    channel = _text(_map(body.get("channel")).get("id")) or _text(container.get("channel_id"))
    thread = _text(container.get("thread_ts")) or _text(message.get("thread_ts"))
    ts = _text(container.get("message_ts")) or _text(message.get("ts"))
    return Request(
        key=f"press:{trigger}",
        user=SlackUser(team_id, user),
        surface=Surface.BUTTON,
        text=words,
        fields=fields,
        channel_id=channel,
        # A message that began a thread names itself as its thread: an answer belongs beside it, not into it.
        thread_ts=thread if thread and thread != ts else None,
        message_ts=ts or None,
        response_url=_text(body.get("response_url")) or None,
        trigger_id=trigger,
        on_private_reply=private or (mark is None and channel.startswith("D")),
        mark=mark,
    )


@dataclass(frozen=True, slots=True)
class PressedLink:
    """A button that opened a page, on a private message of ours: `value` is what it carries."""

    user: SlackUser
    value: str
    response_url: str

    def __repr__(self) -> str:
        return f"PressedLink({self.user!r})"


def pressed_link(body: Json, team_id: str, verb: str) -> PressedLink | None:
    """A press on a link button of this verb; None for others, and on messages that others see too: through
    its reply address a message can be replaced.
    """
    action = _map(next(iter(_list(body.get("actions"))), None))
    user, value = _text(_map(body.get("user")).get("id")), _text(action.get("value"))
    container, message = _map(body.get("container")), _map(body.get("message"))
    channel = _text(_map(body.get("channel")).get("id")) or _text(container.get("channel_id"))
    private = bool(container.get("is_ephemeral")) or channel.startswith("D")
    response_url = _text(body.get("response_url"))
    if _text(action.get("action_id")) != f"{OPENS}{verb}" or read_mark(message.get("metadata")) is not None:
        return None
    if not (user and value and response_url and private):
        return None
    return PressedLink(SlackUser(team_id, user), value, response_url)


def _words(action: Json) -> str:
    if "selected_option" in action:
        return _text(_map(action.get("selected_option")).get("value"))
    return _text(action.get("value"))


@dataclass(frozen=True, slots=True)
class Submitted:
    """A form that was sent: `request` with all values; the names of the fields an error may be put beside."""

    request: Request
    verb: str
    fields: tuple[str, ...]


def submission(body: Json, team_id: str) -> Submitted | None:
    """A form of ours; None for a view that is not one."""
    view = _map(body.get("view"))
    state = form_state(view)
    user, view_id = _text(_map(body.get("user")).get("id")), _text(view.get("id"))
    if state is None or not user or not view_id:
        return None
    blocks = [_map(block) for block in _list(view.get("blocks"))]
    return Submitted(
        request=Request(
            key=f"view:{view_id}#{_text(view.get('hash'))}",
            user=SlackUser(team_id, user),
            surface=Surface.FORM,
            text=state.verb,
            fields={**state.fixed, **read_values(view)},
            channel_id=state.channel,
            thread_ts=state.thread_ts or None,
            message_ts=state.message_ts or None,
            trigger_id=_text(body.get("trigger_id")) or None,
        ),
        verb=state.verb,
        fields=tuple(_text(block.get("block_id")) for block in blocks if block.get("type") == "input"),
    )


def form_state(view: Json) -> FormState | None:
    """What a view of ours remembers; None when it is not ours."""
    try:
        return read_state(_text(view.get("private_metadata")))
    except ValueError:
        return None


def mention(body: Json, team_id: str, bot_user_id: str) -> Request | None:
    """`@pagerline …` in a channel, or a message in the bot's own conversation; None for other messages."""
    event = _map(body.get("event"))
    direct = event.get("type") == "message"
    if direct and event.get("channel_type") != "im":
        return None
    if any(event.get(name) for name in ("bot_id", "subtype", "edited", "hidden")):
        return None
    user, channel, ts = (_text(event.get(name)) for name in ("user", "channel", "ts"))
    if not user or not channel or not ts or user == bot_user_id:
        return None
    return Request(
        key=f"message:{team_id}:{channel}:{ts}",
        user=SlackUser(team_id, user),
        surface=Surface.DIRECT if direct else Surface.MENTION,
        text=after_mention(_text(event.get("text")), bot_user_id),
        channel_id=channel,
        thread_ts=_text(event.get("thread_ts")) or None,
    )


def after_mention(text: str, bot_user_id: str) -> str:
    """The words meant for the bot: those after its name, or before it when it stands at the end."""
    at = text.find(f"<@{bot_user_id}")
    if at < 0:
        return text.strip()
    end = text.find(">", at)
    after = text[end + 1 :].strip(" \t\n:,") if end >= 0 else ""
    return after or text[:at].strip()


def _map(value: Any) -> Json:
    return value if isinstance(value, Mapping) else NOTHING


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
