"""The one path of every command, whatever the door:

    read the verb → store the intent of an act → [Slack is answered here]
    → the steps (bot/command/steps.py) → answer → outcome on record → metrics

`accept` is all that happens before Slack is answered; it does no I/O but that one commit. The rest runs as a
tracked task. What goes wrong is turned into words here and nowhere else: foreseen failures by
bot/render/problems.py, the rest is a bug, answered with an id that stands in the log beside the traceback.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any

import structlog

from bot.command.again import words_of, words_on_record
from bot.command.answering import PAUSES, Answering
from bot.command.catalog import Called
from bot.command.offering import LinkFirst
from bot.command.on_record import (
    is_refused_act,
    keep_changes,
    outcome_for_audit,
    subjects_of,
    what_was_told,
)
from bot.command.refused import RoleRefusals
from bot.command.request import Request, Surface
from bot.command.services import Services
from bot.command.steps import Errand, Steps
from bot.command.tasks import Stopping, TrackedTasks
from bot.command.turns import Turns
from bot.command.writing_down import kept
from bot.declaration import Answer, Dialog, FormRequest, Reply
from bot.errors import (
    Failure,
    NotAllowed,
    NotLinked,
    NotOursAnyMore,
    PagerDutyFailure,
    PagerDutyForbidden,
    PagerDutyUnavailable,
    SlackFailure,
    StoreUnavailable,
    UserError,
)
from bot.pagerduty.journal import Journal
from bot.render.problems import apology, left_for_a_moment, problem, sent_and_not_noted
from bot.store.intent_steps import DONE, FAILED, Intent, NewIntent

log = structlog.get_logger("pagerline.command")

WORKING_AFTER = 1.0  # seconds; sooner, the answer itself is the better news
REMEMBERED = (Surface.MENTION, Surface.DIRECT)  # Slack repeats events, so even plain reads are stored


class Runner:
    """Carries requests out."""

    def __init__(self, services: Services, tasks: TrackedTasks) -> None:
        self.services = services
        self.tasks = tasks
        self.steps = Steps(services)
        self._link_first = (
            LinkFirst(services.offers, services.intents, services.incidents, self.steps.may_look)
            if services.offers
            else None
        )
        self._roles = RoleRefusals(services.incidents, services.directory)
        self._turns = Turns()
        self.at_work: set[int] = set()  # intents this process is busy with

    async def accept(self, request: Request) -> bool:
        """Before Slack is answered: True when it is new, False for Slack's repeat. Raises StoreUnavailable,
        and Stopping once the bot shuts down.
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
        asked = partial(words_of, request, self.services.incidents)
        answering = Answering(slack, request, pauses=PAUSES, asked=asked)
        errand = Errand(request, called, intent, answering)
        if intent is not None:
            self.at_work.add(intent.id)
        try:
            await self._turns.wait()
            await self._with_patience(errand)
        finally:
            if intent is not None:
                self.at_work.discard(intent.id)

    async def _with_patience(self, errand: Errand) -> None:
        work = asyncio.ensure_future(self._outcome(errand))
        try:
            done, _ = await asyncio.wait({work}, timeout=WORKING_AFTER)
            if not done and not errand.answering.answered:
                await errand.answering.working()
            outcome, reply = await work
        finally:
            if not work.done():
                work.cancel()
        if errand.lost:
            log.info("intent_taken_over", verb=errand.called.word)
            return
        if reply is not None:
            await errand.answering.send(reply)
        await self._record(errand, outcome, reply)
        for further in errand.ctx.follow_ups if errand.ctx else ():
            self._follow_up(errand, further)

    def _follow_up(self, errand: Errand, work: Coroutine[Any, Any, Reply | None]) -> None:
        async def told() -> None:
            if reply := await work:
                await errand.answering.send(reply)

        try:
            self.tasks.start(told(), name=f"after {errand.called.word}")
        except Stopping:
            work.close()

    async def _outcome(self, errand: Errand) -> tuple[str, Reply | None]:
        """One word for the record, and what to tell the person."""
        command = errand.called.command
        try:
            outcome, answer = await self._attempt(errand)
            if isinstance(answer, (Dialog, FormRequest)):
                raise TypeError(f"{errand.called.word} was answered with a view that nobody opened")
            return outcome, answer
        except asyncio.CancelledError:
            raise
        except NotOursAnyMore:
            # Looked up and told by whoever takes it over, perhaps ourselves (bot/command/intents.py).
            log.warning("lease_lapsed_before_write", verb=errand.called.word)
            errand.lost = True
            return "lost", None
        except Failure as failure:
            outcome = _family(failure)
            errand.request_id = getattr(failure, "request_id", None)
            if not isinstance(failure, UserError):
                log.warning("command_failed", verb=errand.called.word, outcome=outcome, error=str(failure))
            if isinstance(failure, StoreUnavailable) and (left := _told_of_the_store(errand)):
                return outcome, left
            scope = command.scope if command else None
            if isinstance(failure, PagerDutyForbidden) and (refusal := await self._roles.answer(errand)):
                return outcome, refusal
            return outcome, problem(failure, scope=scope, words=errand.words_again)
        except Exception:
            error_id = secrets.token_hex(4)
            log.exception("command_broke", verb=errand.called.word, error_id=error_id)
            return "error", apology(error_id)

    async def _attempt(self, errand: Errand) -> tuple[str, Answer]:
        """Its answer, or the way to link where that is all that is missing. Raises Failure."""
        try:
            return "done", await self.steps.carry_out(errand)
        except NotLinked as refusal:
            if self._link_first is None:
                raise
            linked = await self._link_first.linked_since(errand)
            if not linked or errand.desk is not None:  # with a desk it had begun, and begins but once
                return "not_linked", await self._link_first.answer(errand, refusal, keep=not linked)
        try:
            return "done", await self.steps.carry_out(errand)
        except NotLinked as refusal:
            # They have linked, and it was not enough: kept once more, it would come round for ever.
            return "not_linked", await self._link_first.answer(errand, refusal, keep=False)

    async def _record(self, errand: Errand, outcome: str, reply: Reply | None) -> None:
        command = errand.called.command
        seconds = time.monotonic() - errand.began
        verb = command.verb if command else "unknown"
        self.services.metrics.command(verb, errand.request.surface, outcome, seconds)
        if errand.is_left:
            return
        try:
            await keep_changes(errand, outcome, self.services.desks.audit)
            if errand.intent is not None:
                await kept(partial(self._end, errand, errand.intent, outcome, what_was_told(reply)))
        except StoreUnavailable:
            log.warning("outcome_not_recorded", verb=verb, outcome=outcome)

    async def _end(self, errand: Errand, intent: Intent, outcome: str, told: str) -> None:
        if errand.kept:
            await self.services.intents.park(intent, detail=told)
            return
        command = errand.called.command
        journal = errand.desk.journal if errand.desk else Journal()
        await self.services.intents.finish(
            intent,
            DONE if outcome == "done" else FAILED,
            outcome_for_audit(errand, outcome),
            subjects=await subjects_of(errand, self.services.incidents),
            detail=told,
            status=journal.status,
            request_id=journal.request_id or errand.request_id,
            calls=journal.calls,
            identity=self.services.accounts.mode if is_refused_act(errand, outcome) else None,
            words=words_on_record(command, errand.given, intent.new.words) if command else None,
        )


def _told_of_the_store(errand: Errand) -> Reply | None:
    """What is said when the database went away in the middle; None: nothing was done, and nothing will be."""
    if errand.desk is not None and errand.desk.journal.status is not None:
        return sent_and_not_noted()
    if errand.intent is not None and not errand.begun:
        errand.is_left = True  # it stands there as asked a moment ago: bot/command/intents.py runs it
        return left_for_a_moment()
    return None


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


_FAMILIES: tuple[tuple[type[Failure], str], ...] = (
    (NotLinked, "not_linked"),
    (NotAllowed, "not_allowed"),
    (UserError, "misunderstood"),
    (PagerDutyUnavailable, "pagerduty_unavailable"),
    (PagerDutyFailure, "pagerduty_refused"),
    (SlackFailure, "slack_refused"),
    (StoreUnavailable, "store_unavailable"),
)


def _family(failure: Failure) -> str:
    """One word for metrics and audit."""
    return next((word for kind, word in _FAMILIES if isinstance(failure, kind)), "failed")
