"""What a person does with words: slash commands, messages, mentions, opening the app's Home."""

from __future__ import annotations

import re

from bot.sandbox.slack.acting import Acting
from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.delivery import Delivered
from bot.sandbox.slack.events import home_opened, message_posted
from bot.sandbox.slack.response_urls import post_answer
from bot.sandbox.slack.state import Message, Workspace
from bot.sandbox.slack.tickets import ResponseUrl

_HANDLE = re.compile(r"(?<![\w<])@([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)", re.IGNORECASE)
_CHANNEL = re.compile(r"(?<![\w<])#([a-z0-9_-]+)", re.IGNORECASE)
_LINK = re.compile(r"(?<![<|])\bhttps?://[^\s<>|]+")


async def command(acting: Acting, user: str, channel: str, text: str, command: str = "/pager") -> Delivered:
    """Type `command text` in a channel. The app need not be in it."""
    place = acting.workspace.channel(channel)
    ticket = acting.tickets.response_url(user, channel)
    world = acting.workspace.world
    person = acting.workspace.person(user)
    where = acting.where(place)
    fields: Json = {
        "token": acting.tokens.verification_token,
        "team_id": world.slack_team_id,
        "team_domain": world.slack_domain,
        "channel_id": channel,
        "channel_name": where["name"],
        "user_id": user,
        "user_name": person.handle,
        "command": command,
        "text": escaped(acting.workspace, text, labels=True),
        "api_app_id": world.app_id,
        "is_enterprise_install": "true" if acting.workspace.by_organisation else "false",
        "response_url": acting.url_of(ticket),
        "trigger_id": acting.tickets.trigger(user),
    }
    if acting.workspace.enterprise_id is not None:
        fields["enterprise_id"] = acting.workspace.enterprise_id
    answer = await acting.interaction("slash_commands", fields, user, "slash_commands")
    if answer.failure:
        acting.failed(user, answer.failure, channel=channel, what=f"{command} {text}".strip())
    else:
        _show_answer(acting, ticket, answer, command)
    return answer


async def message(
    acting: Acting, user: str, channel: str, text: str, thread_ts: str | None = None
) -> tuple[Delivered, Message]:
    """Write a plain message; `@handle` and `#channel` become links, as Slack's composer makes them."""
    place = acting.workspace.channel(channel)
    if place.is_archived:
        raise SlackError("is_archived")
    parent = place.messages.get(thread_ts or "")
    written = Message(
        channel,
        acting.workspace.next_ts(),
        user,
        escaped(acting.workspace, text, labels=False),
        thread_ts=(parent.thread_ts or parent.ts) if parent else thread_ts,
    )
    acting.workspace.put(place, written)
    if written.thread_ts in place.messages:
        acting.workspace.touch(place.messages[written.thread_ts])
    answer = Delivered(None, None, 0.0)
    for event in message_posted(acting.workspace, written):
        told = await acting.delivery.event(event)
        answer = told if told.status is not None or told.failure else answer
    return answer, written


async def mention(
    acting: Acting, user: str, channel: str, text: str, thread_ts: str | None = None
) -> tuple[Delivered, Message]:
    """Write `@pagerline text`."""
    handle = acting.workspace.person(acting.workspace.bot).handle
    return await message(acting, user, channel, f"@{handle} {text}".rstrip(), thread_ts)


async def open_home(acting: Acting, user: str, tab: str = "home") -> Delivered:
    """Look at the app's Home (or its Messages tab)."""
    published = acting.views.homes.get(user)
    view = acting.views.shape(published) if published else None
    return await acting.delivery.event(home_opened(acting.workspace, user, tab, view))


def escaped(workspace: Workspace, text: str, *, labels: bool) -> str:
    """Typed text as Slack sends it: `&`, `<`, `>` escaped, people, channels and links in angle brackets.

    With `labels` (slash commands with `should_escape`) they carry the name too: `<@U0BOB|bob>`.
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # What is already Slack's own markup (an id pasted by a test) stays that.
    text = re.sub(r"&lt;([@#][A-Z][A-Z0-9]+(?:\|[^&\s]*)?)&gt;", r"<\1>", text)
    handles = {p.handle.lower(): p.slack_id for p in workspace.people.values()}
    names = {c.name.lower(): c.id for c in workspace.channels.values() if c.kind != "im"}

    def person(found: re.Match[str]) -> str:
        user = handles.get(found[1].lower())
        return f"<@{user}|{found[1]}>" if user and labels else f"<@{user}>" if user else found[0]

    def channel(found: re.Match[str]) -> str:
        place = names.get(found[1].lower())
        return f"<#{place}|{found[1]}>" if place else found[0]

    return _LINK.sub(r"<\g<0>>", _CHANNEL.sub(channel, _HANDLE.sub(person, text)))


def _show_answer(acting: Acting, ticket: ResponseUrl, answer: Delivered, command: str) -> None:
    """The ack's own body is a first answer: text, or JSON with text or blocks."""
    body = answer.body
    if isinstance(body, str) and body.strip():
        body = {"text": body}
    if not isinstance(body, dict) or not (body.get("text") or body.get("blocks") or body.get("attachments")):
        return
    try:
        post_answer(acting.workspace, ticket, body)
    except SlackError as problem:
        acting.failed(ticket.user, problem.code, channel=ticket.channel, what=command)
