"""The one path of every command, whatever the door:

    read the verb → store the intent of an act → [Slack is answered here] → who is this → what was meant and
    left out →
    may they → on record → handler → answer → outcome on record → metrics

`accept` is all that happens before Slack is answered; it does no I/O but that one commit. The rest runs as a
tracked task. What goes wrong is turned into words here and nowhere else: foreseen failures by
bot/render/problems.py, the rest is a bug, answered with an id that stands in the log beside the traceback.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog

from bot.accounts import Accounts, Acting
from bot.command.answering import Answering
from bot.command.arguments import Given, Names, read_fields, read_line
from bot.command.catalog import Called, Catalog
from bot.command.context import Context, DirectoryPort, PeoplePort, SubscriptionPort, Where, Who
from bot.command.desk import Desk, Desks
from bot.command.filling import FormNeeded, fill_in, form_for, place_of
from bot.command.ports import IncidentStore
from bot.command.pressed import Pressed
from bot.command.request import Request, Surface
from bot.command.tasks import Stopping, TrackedTasks
from bot.declaration import Answer, Command, Dialog, FormRequest, Reply
from bot.errors import (
    Failure,
    NotAllowed,
    NotLinked,
    PagerDutyFailure,
    PagerDutyUnavailable,
    SlackFailure,
    StoreUnavailable,
    UserError,
)
from bot.render.help import unknown_verb
from bot.render.problems import apology, problem, trigger_expired
from bot.slack.workspaces import Workspaces
from bot.store.audit import Entry
from bot.store.intents import DONE, FAILED, Intent, Intents, NewIntent

log = structlog.get_logger("pagerline.command")

WORKING_AFTER = 1.0  # seconds; sooner, the answer itself is the better news
FORM_PATIENCE = 0.8  # seconds to find out who asks before a form opens: its trigger lives 3 s
REMEMBERED = (Surface.MENTION, Surface.DIRECT)  # Slack repeats events, so even plain reads are stored


class Counts(Protocol):
    """Where commands are counted (bot/metrics.py)."""

    def command(self, verb: str, surface: str, outcome: str, seconds: float) -> None:
        """One command, from acceptance to reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What commands reach the world through; built once in app.py."""

    catalog: Catalog
    accounts: Accounts
    workspaces: Workspaces
    intents: Intents
    incidents: IncidentStore
    subscriptions: SubscriptionPort
    people: PeoplePort
    directory: DirectoryPort
    names: Names
    desks: Desks
    pressed: Pressed
    metrics: Counts
    clock: Callable[[], datetime]
    slash: str = "/pager"


@dataclass(slots=True)
class _Run:
    """One request on its way; what is learnt is kept for the record."""

    request: Request
    called: Called
    intent: Intent | None
    answering: Answering
    desk: Desk | None = None
    ctx: Context | None = None
    began: float = field(default_factory=time.monotonic)
    lost: bool = False  # another holder took the intent over: say nothing
    request_id: str | None = None  # PagerDuty's, of a failed call

    @property
    def words(self) -> str:
        return " ".join(part for part in (self.called.word, self.called.rest) if part)


class Runner:
    """Carries requests out."""

    def __init__(self, services: Services, tasks: TrackedTasks) -> None:
        self.services = services
        self.tasks = tasks
        self.at_work: set[int] = set()  # intents this process is busy with

    async def accept(self, request: Request) -> bool:
        """Before Slack is answered: True when it is new, False for Slack's repeat. Raises StoreUnavailable,
        and RuntimeError once the bot is stopping.
        """
        self.tasks.check_open()
        called = self.services.catalog.read(request.text)
        intent = None
        if (called.command is not None and called.command.acts) or request.surface in REMEMBERED:
            intent = await self.services.intents.store(_new_intent(request, called))
            if intent is None:
                return False
        try:
            self.tasks.start(self.perform(request, called, intent), name=f"{called.word} {request.key}")
        except Stopping:
            if intent is None:
                raise
            log.info("intent_left_to_others", verb=called.word)  # it is stored: another process runs it
        return True

    async def perform(self, request: Request, called: Called, intent: Intent | None) -> None:
        """Everything after. Raises nothing but cancellation."""
        slack = self.services.workspaces.for_team(request.user.team_id)
        if slack is None:
            log.warning("unknown_workspace", team=request.user.team_id)
            return
        run = _Run(request, called, intent, Answering(slack, request))
        if intent is not None:
            self.at_work.add(intent.id)
        try:
            await self._with_patience(run)
        finally:
            if intent is not None:
                self.at_work.discard(intent.id)

    async def _with_patience(self, run: _Run) -> None:
        work = asyncio.ensure_future(self._outcome(run))
        try:
            done, _ = await asyncio.wait({work}, timeout=WORKING_AFTER)
            if not done and not run.answering.answered:
                await run.answering.working()
            outcome, reply = await work
        finally:
            if not work.done():
                work.cancel()
        if run.lost:
            log.info("intent_taken_over", verb=run.called.word)
            return
        if reply is not None:
            await run.answering.send(reply)
        await self._record(run, outcome, reply)
        for further in run.ctx.follow_ups if run.ctx else ():
            self._follow_up(run, further)

    def _follow_up(self, run: _Run, work: Coroutine[Any, Any, Reply | None]) -> None:
        async def told() -> None:
            if reply := await work:
                await run.answering.send(reply)

        try:
            self.tasks.start(told(), name=f"after {run.called.word}")
        except Stopping:
            work.close()

    async def _outcome(self, run: _Run) -> tuple[str, Reply | None]:
        """One word for the record, and what to tell the person."""
        command = run.called.command
        try:
            answer = await self._carry_out(run)
            if isinstance(answer, (Dialog, FormRequest)):
                raise TypeError(f"{run.called.word} was answered with a view that nobody opened")
            return "done", answer
        except asyncio.CancelledError:
            raise
        except Failure as failure:
            outcome = _family(failure)
            run.request_id = getattr(failure, "request_id", None)
            if not isinstance(failure, UserError):
                log.warning("command_failed", verb=run.called.word, outcome=outcome, error=str(failure))
            again = run.words if run.request.surface is not Surface.FORM else ""
            return outcome, problem(failure, scope=command.scope if command else None, words=again)
        except Exception:
            error_id = secrets.token_hex(4)
            log.exception("command_broke", verb=run.called.word, error_id=error_id)
            return "error", apology(error_id)

    async def _record(self, run: _Run, outcome: str, reply: Reply | None) -> None:
        command = run.called.command
        seconds = time.monotonic() - run.began
        verb = command.verb if command else "unknown"
        self.services.metrics.command(verb, run.request.surface, outcome, seconds)
        if run.intent is None:
            return
        desk = run.desk
        try:
            await self.services.intents.finish(
                run.intent,
                DONE if outcome == "done" else FAILED,
                outcome,
                subjects=desk.subjects if desk else (),
                detail=reply.text if reply else "",
                request_id=run.request_id,
            )
        except StoreUnavailable:
            log.warning("outcome_not_recorded", verb=verb, outcome=outcome)

    # ----------------------------------------------------------------------------------------- the path

    async def _carry_out(self, run: _Run) -> Answer:
        called, request = run.called, run.request
        if called.command is None:
            near = self.services.catalog.nearest(called.word)
            return unknown_verb(
                called.word, [near.verb] if near else [], rest=called.rest, slash=self.services.slash
            )
        recognising = asyncio.ensure_future(self._recognise(called.command, request))
        try:
            await self.services.pressed.take_in(request)
            where = await place_of(request, self.services.incidents)
            given = await self.understood(called.command, called, request)
            filled = await fill_in(called.command, given, where, self.services.incidents)
            if isinstance(filled, Reply):
                await recognising
                return filled
            if isinstance(filled, tuple):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(recognising), FORM_PATIENCE)
                form = await form_for(called.command, given, where, self.services.incidents)
                return await self._opened(run, form)
            return await self._handled(run, called.command, filled, where, await recognising)
        finally:
            await _forget(recognising)

    async def _handled(
        self, run: _Run, command: Command, given: Given, where: Where, known: tuple[Who, Acting | None]
    ) -> Answer:
        who, acting = known
        run.desk = self.services.desks.open(acting, where.channel)
        run.ctx = ctx = self.context(run.request, where, who, run.desk)
        if run.intent is not None and not await self._begin(run, command, who):
            run.lost = True
            return None
        answer = await command.handler(ctx, **given.values)
        if isinstance(answer, FormRequest):
            asked = self.services.catalog.find(answer.verb) or command
            known_already = given if asked is command else Given()
            form = await form_for(asked, known_already, where, self.services.incidents, filled=answer.filled)
            return await self._opened(run, form)
        if isinstance(answer, Dialog):
            return None if await run.answering.show(answer.view) else trigger_expired(run.words)
        return answer

    async def _begin(self, run: _Run, command: Command, who: Who) -> bool:
        assert run.intent is not None
        request = run.request
        entry = Entry(
            intent_id=run.intent.id,
            team_id=request.user.team_id,
            user_id=request.user.id,
            person_id=who.person.id if who.person else None,
            identity=who.identity,
            surface=request.surface,
            channel_id=request.channel_id,
            verb=command.verb,
            words=run.words,
        )
        return await self.services.intents.start(run.intent, entry if command.acts else None)

    def context(self, request: Request, where: Where, who: Who, desk: Desk | None = None) -> Context:
        """The handler's world; without a desk of its own it may only read."""
        services = self.services
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
            clock=services.clock,
            slash=services.slash,
        )

    async def _recognise(self, command: Command, request: Request) -> tuple[Who, Acting | None]:
        """May they: act only as their PagerDuty user, read as a member here, be helped in any case."""
        accounts = self.services.accounts
        if command.acts:
            acting = await accounts.act_as(request.user, command.scope or "")
            return Who(request.user, acting.person, acting.kind), acting
        if command.scope is not None:
            await accounts.member(request.user)
        return Who(request.user), None

    @staticmethod
    def stranger(request: Request) -> Who:
        """Nobody in PagerDuty: for looking only, without asking who it is."""
        return Who(request.user)

    async def understood(self, command: Command, called: Called, request: Request) -> Given:
        """The arguments in the words or the form. Raises UserError."""
        if request.fields is not None:
            return await read_fields(command, request.fields, self.services.names)
        return await read_line(
            command,
            called.rest,
            self.services.names,
            prefix=self.services.slash,
            from_control=request.from_control,
        )

    @staticmethod
    async def _opened(run: _Run, form: FormNeeded) -> Reply | None:
        return None if await run.answering.show(form.view) else trigger_expired(form.words)


def _new_intent(request: Request, called: Called) -> NewIntent:
    return NewIntent(
        key=request.key,
        user=request.user,
        surface=request.surface,
        verb=called.command.verb if called.command else called.word[:40],
        words=request.text,
        channel_id=request.channel_id,
        thread_ts=request.thread_ts,
        message_ts=request.message_ts,
        fields=request.fields,
        response_url=request.response_url,
    )


def _family(failure: Failure) -> str:
    """One word for metrics and audit."""
    families: tuple[tuple[type[Failure], str], ...] = (
        (NotLinked, "not_linked"),
        (NotAllowed, "not_allowed"),
        (UserError, "misunderstood"),
        (PagerDutyUnavailable, "pagerduty_unavailable"),
        (PagerDutyFailure, "pagerduty_refused"),
        (SlackFailure, "slack_refused"),
        (StoreUnavailable, "store_unavailable"),
    )
    return next((word for kind, word in families if isinstance(failure, kind)), "failed")


async def _forget(task: asyncio.Future[tuple[Who, Acting | None]]) -> None:
    """End a task whose result nobody needs any more, without a complaint about its exception."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
