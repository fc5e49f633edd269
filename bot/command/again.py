"""A request made again: from what the buttons "Try again", "Do it now" and "Open the form" carry, or from the
intent that was stored. A button carries what was meant, not what was typed.

Typed words and a control's are not read alike: `note PROD is back` in an incident's thread is a note on
that incident, but a control's first word is the incident. So a button carries what was understood.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from bot.command.arguments import Given
from bot.command.filling import text_of
from bot.command.ports import IncidentStore
from bot.command.request import Request, Surface
from bot.command.values import RESTS
from bot.declaration import Command, IncidentRef, Prose
from bot.errors import StoreUnavailable
from bot.render.carried import carried
from bot.store.intent_steps import Intent


def words_for(command: Command, given: Given, filled: Mapping[str, str] | None = None) -> str:
    """A button's value that gives these arguments again; `filled` are texts of fields not understood yet."""
    fields = dict(filled or {})
    # Without its incident, `escalate L2` would become one about incident 2.
    plain = not fields and not any(one.kind is IncidentRef for one in given.missing(command))
    for parameter in command.parameters:
        if (value := given.values.get(parameter.name)) is not None:
            fields[parameter.name] = text_of(value)
            plain = plain and parameter.kind not in RESTS and not (parameter.form_only or parameter.named)
    return (
        " ".join([command.verb, *fields.values()]) if plain or not fields else carried(command.verb, fields)
    )


def words_on_record(command: Command, given: Given | None, typed: str) -> str:
    """The line that the audit keeps: what was typed; of a command with options, what was understood, without
    texts of any length given by name, which may hold anything.
    """
    if given is None or not any(one.named for one in command.parameters):
        return typed
    words = [command.verb]
    for one in command.parameters:
        value = given.values.get(one.name)
        if value is not None and one.asked and not (one.named and one.kind is Prose):
            told = " ".join(text_of(value).split())
            words.append(f"{one.name}={told}" if one.named else told)
    return " ".join(words)


def words_again(command: Command, request: Request, given: Given | None, typed: str) -> str:
    """The same for a request that failed; empty when only typing it again would mean the same.

    `given` None: it failed before it was understood. `typed` is the line, verb first.
    """
    if given is not None:
        return words_for(command, given)
    if request.fields is not None:
        return carried(command.verb, request.fields)
    depends_on_place = any(one.kind is IncidentRef for one in command.parameters)
    return typed if request.from_control or not depends_on_place else ""


async def words_of(request: Request, incidents: IncidentStore) -> str:
    """What was asked for, as the asker knows it: typed words as they were typed, and for a control or a form
    its values, an incident by its number. Raises nothing.
    """
    if request.fields is None and not request.from_control:
        return request.text
    verb, *words = request.text.split(" ")
    words = [one for one in (*words, *(request.fields or {}).values()) if one]
    if words:
        with contextlib.suppress(StoreUnavailable):
            if incident := await incidents.find(words[0]):
                words[0] = incident.label
    return " ".join([verb, *words])


def request_of(intent: Intent) -> Request:
    """The request of a stored intent, without what has expired: its trigger, and the view it came from."""
    new = intent.new
    surface = Surface(new.surface)
    return Request(
        key=new.key,
        user=new.user,
        surface=Surface.BUTTON if surface is Surface.DIALOG else surface,
        text=new.words,
        fields=new.fields,
        channel_id=new.channel_id,
        thread_ts=new.thread_ts,
        message_ts=new.message_ts,
        response_url=new.response_url,
        asked_at=intent.created_at,
    )
