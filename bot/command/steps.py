"""The steps of one request after Slack was answered, in order; bot/command/run.py drives them and deals with
failure.

    the pressed message → where → what was meant → what was left out
    → may they → on record → handler → a view, if one is the answer

Who asks is found out meanwhile: a form must open within the 3 s of Slack's trigger, and looking somebody up
may take longer than that when PagerDuty or Slack are slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bot.accounts.acting import Acting
from bot.command.again import words_again, words_for, words_on_record
from bot.command.answering import Answering
from bot.command.arguments import Given, read_line
from bot.command.catalog import Called
from bot.command.context import BY_EVENTS, Context, Where, Who
from bot.command.desk import Desk
from bot.command.fields import read_fields
from bot.command.filling import fill_in, form_for, place_of
from bot.command.request import Request
from bot.command.services import Services
from bot.command.words import unescape
from bot.declaration import Answer, Command, Dialog, FormRequest, Reply
from bot.errors import Failure, NotLinked
from bot.model import SlackUser
from bot.render.help import unknown_verb
from bot.render.problems import needs_a_press, trigger_expired
from bot.store.audit import Entry
from bot.store.intent_steps import Intent

# seconds to find out who asks before a form opens all the same: its submission asks again
FORM_PATIENCE = 0.8


@dataclass(slots=True)
class Errand:
    """One request on its way; what is learnt is kept for the record."""

    request: Request
    called: Called
    intent: Intent | None
    answering: Answering
    desk: Desk | None = None
    ctx: Context | None = None
    given: Given | None = None  # what was understood, as complete as the place made it
    began: float = field(default_factory=time.monotonic)
    begun: bool = False  # the record says so: it is looked up after a crash, not run again
    lost: bool = False  # another holder took the intent over: say nothing
    kept: bool = False  # it waits until its asker has linked their account
    is_left: bool = False  # it waits until the database is back
    request_id: str | None = None  # PagerDuty's, of a failed call

    @property
    def words(self) -> str:
        """The line as it was understood to be."""
        return " ".join(part for part in (self.called.word, self.called.rest) if part)

    @property
    def words_again(self) -> str:
        """What a button carries that asks for the same once more; empty when none can."""
        command = self.called.command
        return words_again(command, self.request, self.given, self.words) if command else ""


class Steps:
    """Everything between an accepted request and its answer. Raises Failure for what was foreseen."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def carry_out(self, errand: Errand) -> Answer:
        """All of them; a view that is the answer has been opened when this returns."""
        called, request = errand.called, errand.request
        if called.command is None:
            near = self._services.catalog.nearest(called.word)
            verbs = [near.verb] if near else []
            return unknown_verb(unescape(called.word), verbs, rest=called.rest, slash=self._services.slash)
        recognising = asyncio.ensure_future(self._recognise(called.command, request))
        try:
            await self._services.pressed.take_in(request)
            where = await self.place(request)
            given = await self.understood(called, request)
            filled = await fill_in(called.command, given, where, self._services.incidents)
            if isinstance(filled, Reply):
                await recognising
                return filled
            errand.given = filled
            if filled.missing(called.command) or _is_bare(called.command, filled, request):
                known = await self._in_time(recognising)
                return await self._ask(errand, called.command, filled, where, show_incident=known)
            return await self._handle(errand, called.command, filled, where, await recognising)
        finally:
            await _forget(recognising)

    async def _handle(
        self, errand: Errand, command: Command, given: Given, where: Where, known: tuple[Who, Acting | None]
    ) -> Answer:
        who, acting = known
        errand.desk = self._services.desks.open(acting, where.channel)
        errand.ctx = ctx = self.context(errand.request, where, who, errand.desk)
        if errand.intent is not None and not await self._on_record(errand, command, who):
            errand.lost = True
            return None
        if errand.intent is not None:
            errand.desk.journal.is_ours = partial(self._services.intents.is_held, errand.intent)
        errand.begun = True
        answer = await command.handler(ctx, **given.values)
        if isinstance(answer, FormRequest):
            asked = self._services.catalog.find(answer.verb) or command
            already = given if asked is command else Given()
            store = self._services.incidents
            form = await form_for(asked, already, where, store, filled=answer.filled)
            return await self._opened(errand, form, words_for(asked, already, answer.filled))
        if isinstance(answer, Dialog):
            return await self._opened(errand, answer.view, errand.words_again)
        return answer

    async def _on_record(self, errand: Errand, command: Command, who: Who) -> bool:
        assert errand.intent is not None
        request = errand.request
        entry = Entry(
            intent_id=errand.intent.id,
            team_id=request.user.team_id,
            user_id=request.user.id,
            person_id=who.person.id if who.person else None,
            identity=who.identity,
            surface=request.surface,
            channel_id=request.channel_id,
            verb=command.verb,
            words=words_on_record(command, errand.given, errand.words),
        )
        return await self._services.intents.start(errand.intent, entry if command.acts else None)

    async def _ask(
        self, errand: Errand, command: Command, given: Given, where: Where, *, show_incident: bool
    ) -> Reply | None:
        store = self._services.incidents
        form = await form_for(command, given, where, store, show_incident=show_incident)
        return await self._opened(errand, form, words_for(command, given))

    @staticmethod
    async def _opened(errand: Errand, view: Mapping[str, Any], words: str) -> Reply | None:
        """None once it is open; else what to say instead, with a button that carries `words`."""
        if await errand.answering.show(view):
            return None
        return trigger_expired(words) if errand.request.trigger_id else needs_a_press(words)

    # ------------------------------------------------------------------------------- also used by recovery

    async def place(self, request: Request) -> Where:
        """Where the request came from."""
        return await place_of(request, self._services.incidents)

    async def understood(self, called: Called, request: Request) -> Given:
        """The arguments in the words or the form. Raises UserError."""
        assert called.command is not None
        names = self._services.names
        if request.fields is not None:
            return await read_fields(called.command, request.fields, names)
        prefix, pressed = self._services.slash, request.from_control
        return await read_line(called.command, called.rest, names, prefix=prefix, from_control=pressed)

    def context(self, request: Request, where: Where, who: Who, desk: Desk | None = None) -> Context:
        """The handler's world; without a desk of its own it may only read."""
        services = self._services
        return Context(
            who=who,
            where=where,
            request=request,
            catalog=services.catalog,
            incidents=desk or services.desks.open(None, where.channel),
            subscriptions=services.subscriptions,
            people=services.people,
            directory=services.directory,
            names=services.names,
            accounts=services.accounts,
            permissions=services.permissions,
            workspaces=services.workspaces,
            audit=services.audit,
            clock=services.clock,
            slash=services.slash,
            offers=services.offers,
            link_decisions=services.link_decisions,
            reminders=services.reminders,
        )

    async def may_look(self, user: SlackUser) -> bool:
        """Whether they may hear how an incident stands; not while that cannot be told."""
        try:
            await self._services.seats.check_reading(await self._services.accounts.member(user))
        except Failure:
            return False
        return True

    async def _in_time(self, task: asyncio.Future[tuple[Who, Acting | None]]) -> bool:
        """Whether they are known to be allowed before a form must open. Raises their refusal; not linking yet
        is none where people link: what they write is kept meanwhile.
        """
        with contextlib.suppress(TimeoutError):
            try:
                await asyncio.wait_for(asyncio.shield(task), FORM_PATIENCE)
            except NotLinked:
                if self._services.offers is None:
                    raise
                return False
            return True
        return False

    async def _recognise(self, command: Command, request: Request) -> tuple[Who, Acting | None]:
        """May they: act only as their PagerDuty user, read as a member here, be helped in any case."""
        accounts, permissions = self._services.accounts, self._services.permissions
        if command.acts:
            await permissions.check(command, request.user)
            return await self._acting(command, request.user)
        if command.scope is not None or command.admins_only:
            profile = await accounts.member(request.user)
            await permissions.check(command, request.user)
            if command.scope is not None:
                await self._services.seats.check_reading(profile)
        return Who(request.user), None

    async def _acting(self, command: Command, user: SlackUser) -> tuple[Who, Acting | None]:
        try:
            acting = await self._services.accounts.act_as(user, command.scope or "")
        except NotLinked:
            if not command.without_seat or not await self._services.seats.may_trigger_without(user):
                raise
            return Who(user, None, BY_EVENTS), None
        return Who(user, acting.person, acting.kind), acting


def _is_bare(command: Command, given: Given, request: Request) -> bool:
    """Whether its form is to ask for more; one that was submitted so is the handler's to refuse."""
    return command.form_when_bare and request.fields is None and given.is_bare(command)


async def _forget(task: asyncio.Future[tuple[Who, Acting | None]]) -> None:
    """End a task whose result nobody needs any more, without a complaint about its exception."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
