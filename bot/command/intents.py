"""Acts that were accepted and not finished, by this process before it died or by another replica.

    never started, younger than 2 minutes    run now, as if it had just been asked
    never started, older                     not run; the person is told, with how the incident stands now
    started                                  looked up in PagerDuty, reported as done or not, never repeated
    waiting for its asker to link            run once they have (bot/command/parked.py); after 15 minutes told

A process at work renews its leases; whoever finds one lapsed takes it over (bot/store/intents.py). One that
was frozen and finds its own lapsed sends no write any more (bot/pagerduty/journal.py).
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from bot.background import rest
from bot.command.again import request_of, words_again, words_of
from bot.command.answering import PAUSES, Answering
from bot.command.arguments import Given
from bot.command.context import Context, Where, Who
from bot.command.filling import fill_in, incident_refs
from bot.command.on_record import subjects_meant
from bot.command.parked import Parked
from bot.command.request import Request
from bot.command.run import Runner
from bot.command.writing_down import kept
from bot.declaration import Command, Reply
from bot.errors import Failure
from bot.model import Incident
from bot.render.own_link import waited_too_long
from bot.render.problems import expired, interrupted
from bot.store.intent_steps import DONE, EXPIRED, FAILED, LINKING, STARTED, WAITING, Intent

log = structlog.get_logger("pagerline.command")

PERIOD = 5.0  # seconds; a third of a lease, so that one lost renewal is not the end


class Recovery:
    """One loop per process: renews our leases, takes over lapsed ones. `alone`: no other process shares the
    database, so whatever is unfinished when we start is ours at once.
    """

    def __init__(self, runner: Runner, *, alone: bool = False, period: float = PERIOD) -> None:
        self._runner = runner
        self._services = runner.services
        self._steps = runner.steps
        self._parked = Parked(runner)
        self._first_of_all = alone
        self._period = period

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a failing round is logged and tried again."""
        while not stop.is_set():
            try:
                await self.round()
            except Failure as failure:
                log.warning("intents_not_looked_at", error=str(failure))
            except Exception:
                log.exception("recovery_broke")
            await rest(stop, self._period)

    async def round(self) -> int:
        """Once; returns how many were taken over."""
        await self._services.intents.renew(sorted(self._runner.at_work))
        if self._runner.tasks.is_closing:
            return 0
        intents = self._services.intents
        taken = await intents.take_interrupted(all_of_them=self._first_of_all)
        self._first_of_all = False
        await self._parked.run_released()
        taken += await intents.take_expired()
        for intent in taken:
            log.info("intent_taken_over", intent=intent.id, verb=intent.new.verb, state=intent.state)
            self._runner.tasks.start(self._take_up(intent), name=f"recover {intent.new.verb} {intent.id}")
        return len(taken)

    async def _take_up(self, intent: Intent) -> None:
        request = request_of(intent)
        if intent.state == WAITING and intent.is_young:
            called = self._services.catalog.read(request.text)
            await self._runner.perform(request, called, intent)
            return
        self._runner.at_work.add(intent.id)
        try:
            if intent.state == STARTED:
                await self._look_up(intent, request)
            else:
                incident, given = await self._subject(request)
                incident = await self._to_show(request, incident)
                worded = waited_too_long if intent.state == LINKING else expired
                reply = worded(request.text, incident, again=self._again(request, given))
                await self._tell(intent, request, reply, given, state=EXPIRED, outcome="expired")
        finally:
            self._runner.at_work.discard(intent.id)

    async def _look_up(self, intent: Intent, request: Request) -> None:
        done: bool | None = None
        incident: Incident | None = None
        given: Given | None = None
        try:
            done, incident, given = await self._was_done(request)
        except Failure as failure:
            log.warning("interrupted_act_not_looked_up", intent=intent.id, error=str(failure))
        outcome = {True: "done", False: "not_done", None: "unknown"}[done]
        incident = await self._to_show(request, incident)
        reply = interrupted(request.text, incident, done=done, again=self._again(request, given))
        state = DONE if done else FAILED
        await self._tell(intent, request, reply, given, state=state, outcome=outcome)

    async def _to_show(self, request: Request, incident: Incident | None) -> Incident | None:
        """Intents are stored before anybody looked who asks: whoever may not look is told of no incident."""
        return incident if incident and await self._steps.may_look(request.user) else None

    def _again(self, request: Request, given: Given | None) -> str:
        command = self._services.catalog.read(request.text).command
        return words_again(command, request, given, request.text) if command else ""

    async def _was_done(self, request: Request) -> tuple[bool | None, Incident | None, Given | None]:
        called = self._services.catalog.read(request.text)
        command = called.command
        incident, given = await self._subject(request)
        if command is None or command.was_done is None or given is None or given.missing(command):
            return None, incident, given
        ctx = self._looking(request, await self._steps.place(request))
        done = await command.was_done(ctx, **given.values)
        incident, _ = await self._subject(request)
        return done, incident, given

    async def _subject(self, request: Request) -> tuple[Incident | None, Given | None]:
        """The incident an act was about, as it stands now, and its arguments; as far as they can be told."""
        called = self._services.catalog.read(request.text)
        command = called.command
        if command is None:
            return None, None
        try:
            given = await self._arguments(command, request)
            refs = incident_refs(given.values)
            if not refs:
                return None, given
            ctx = self._looking(request, await self._steps.place(request))
            return (await ctx.incidents.read(refs[:1]))[0].incident, given
        except Failure as failure:
            log.info("interrupted_act_unclear", verb=command.verb, error=str(failure))
            return None, None

    async def _arguments(self, command: Command, request: Request) -> Given:
        called = self._services.catalog.read(request.text)
        given = await self._steps.understood(called, request)
        where = await self._steps.place(request)
        filled = await fill_in(command, given, where, self._services.incidents)
        return filled if isinstance(filled, Given) else given

    def _looking(self, request: Request, where: Where) -> Context:
        """A context of nobody: for looking only."""
        return self._steps.context(request, where, Who(request.user))

    async def _tell(
        self, intent: Intent, request: Request, reply: Reply, given: Given | None, *, state: str, outcome: str
    ) -> None:
        """Tell the person, then put it on record."""
        slack = self._services.workspaces.for_team(request.user.team_id)
        if slack is not None:
            asked = partial(words_of, request, self._services.incidents)
            await Answering(slack, request, pauses=PAUSES, asked=asked).send(reply)
        command = self._services.catalog.read(request.text).command
        refs = incident_refs(given.values) if given else ()

        async def end() -> None:
            await self._services.intents.finish(
                intent,
                state,
                outcome,
                subjects=await subjects_meant(refs, self._services.incidents),
                detail=reply.text,
                identity=self._services.accounts.mode if command and command.acts else None,
            )

        await kept(end)
