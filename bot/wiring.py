"""Every part of the bot built and handed to the parts that need it, in one place, in order.

Reads like the picture in bot/__init__.py: the store, the two sides, what people may do, what is delivered,
and the loops that run beside the requests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog
from aiohttp import web

from bot.accounts.by_email import AccountsByEmail
from bot.accounts.members import Allowed, Members
from bot.background import Background
from bot.command.catalog import Catalog
from bot.command.channels import Channels
from bot.command.coming_and_going import ComingAndGoing
from bot.command.desk import Desks
from bot.command.intents import Recovery
from bot.command.names import DirectoryNames
from bot.command.people import PeopleSync
from bot.command.pressed import Pressed
from bot.command.run import Runner
from bot.command.services import Services
from bot.command.tasks import TrackedTasks
from bot.delivery.admins import Admins
from bot.delivery.loop import Delivery
from bot.delivery.periods import Periods
from bot.delivery.rereader import Rereader
from bot.delivery.sweep import Sweep
from bot.events import Event
from bot.inbound.health import Health
from bot.inbound.install import InstallDoors, InstallStore
from bot.inbound.pagerduty import SignatureAlarm, WebhookDoor
from bot.inbound.slack import SlackFront
from bot.inbound.slack_http import slack_endpoint
from bot.inbound.slack_socket import SocketFront
from bot.metrics import Metrics
from bot.opening import PagerDutySide, SlackSide, Store, open_pagerduty, open_slack, open_store
from bot.settings import Settings
from bot.store.audit import Audit
from bot.store.audit_reading import AuditReading
from bot.store.cursors import Cursors
from bot.store.database import Database
from bot.store.installs import InstallStates
from bot.store.intents import Intents
from bot.store.pace import Pace, PaceLimits
from bot.store.schema import SchemaState, needed_schema, schema_state

log = structlog.get_logger("pagerline.app")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Bot:
    """The open bot: its doors, and how to end it well."""

    settings: Settings
    metrics: Metrics
    health: Health
    webhooks: Handler
    slack: Handler
    install: Handler
    install_return: Handler
    tasks: TrackedTasks
    doors: Background
    background: Background

    async def finish(self) -> None:
        """Take nothing more, finish what was accepted, stop the loops.

        What is left is still an intent, or still due.
        """
        await self.doors.stop(self.settings.shutdown_seconds)
        late = await self.tasks.finish(self.settings.shutdown_seconds)
        if late:
            log.warning("commands_left_for_later", count=late)
        await self.background.stop(self.settings.shutdown_seconds)


@dataclass(frozen=True, slots=True)
class Parts:
    """What everything else is built from."""

    settings: Settings
    catalog: Catalog
    metrics: Metrics
    store: Store
    slack: SlackSide
    pagerduty: PagerDutySide

    def hint_delivery(self) -> None:
        """There may be something to deliver."""
        self.store.wake.notify("delivery")


async def open_bot(settings: Settings, catalog: Catalog, stack: AsyncExitStack) -> Bot:
    """Open everything. Raises UserError or StoreUnavailable, in a sentence, when it cannot be."""
    metrics = Metrics()
    store = await open_store(settings, metrics, stack)
    slack = await open_slack(settings, metrics, store, stack)
    pagerduty = await open_pagerduty(settings, metrics, stack)
    parts = Parts(settings, catalog, metrics, store, slack, pagerduty)

    delivery = _delivery(parts)
    tasks = TrackedTasks()
    runner = Runner(_services(parts), tasks)
    people = PeopleSync(pagerduty.directory, slack.workspaces, store.people)
    comings = _comings(parts, delivery, people)
    front = _slack_front(parts, runner, delivery, comings)
    socket = SocketFront(front.app, settings.slack_app_token) if settings.slack_app_token else None
    doors, background = Background(), Background()
    # Whatever fails from here on, no loop outlives the database it uses.
    stack.push_async_callback(background.stop, settings.shutdown_seconds)
    stack.push_async_callback(doors.stop, settings.shutdown_seconds)
    _start_loops(parts, background, delivery, runner, people)
    if comings is not None:
        background.start("workspaces", comings.run)
    if socket is not None:
        doors.start("socket to Slack", socket.run)

    installing = _install_doors(parts, comings)

    def complaints() -> list[str]:
        return [
            *delivery.health(),
            *(socket.problems() if socket else ()),
            *doors.complaints(),
            *background.complaints(),
        ]

    return Bot(
        settings=settings,
        metrics=metrics,
        health=Health(
            store_problem=partial(_store_problem, store.database, needed_schema()), complaints=complaints
        ),
        webhooks=_webhook_door(parts),
        slack=_slack_door(settings, front),
        install=installing.install if installing else _absent,
        install_return=installing.returned if installing else _absent,
        tasks=tasks,
        doors=doors,
        background=background,
    )


def _start_loops(
    parts: Parts, background: Background, delivery: Delivery, runner: Runner, people: PeopleSync
) -> None:
    store, reader, levels = parts.store, parts.pagerduty.reader, parts.pagerduty.levels
    seconds = parts.settings.sweep_seconds
    background.start("delivery", delivery.run)
    background.start("reading stale incidents", Rereader(store.incidents, reader, levels, store.wake).run)
    sweep = Sweep(
        store.incidents, reader, store.leases, Cursors(store.database), seconds=seconds, levels=levels
    )
    background.start("sweep", sweep.run)
    background.start("matching people", people.run)
    alone = store.database.dialect == "sqlite"
    background.start(
        "interrupted commands", Recovery(runner, alone=alone, period=parts.settings.lease_seconds / 3).run
    )
    background.start("directory", parts.pagerduty.directory.keep_warm)


def _delivery(parts: Parts) -> Delivery:
    settings, store = parts.settings, parts.store
    limits = PaceLimits(
        channel_per_second=settings.pace_channel_per_second,
        channel_burst=settings.pace_channel_burst,
        posts_per_minute=settings.pace_posts_per_minute,
        updates_per_minute=settings.pace_updates_per_minute,
    )
    periods = Periods(
        call=settings.slack_call_seconds,
        lease=settings.lease_seconds,
        look_up_after=settings.look_up_seconds,
        poll=settings.poll_seconds,
        tokens=15 * settings.poll_seconds,  # a bad one is asked about far more rarely
    )
    return Delivery(
        database=store.database,
        leases=store.leases,
        pace=Pace(store.database, limits),
        wake=store.wake,
        messages=store.messages,
        subscriptions=store.subscriptions,
        people=store.people,
        workspaces=parts.slack.workspaces,
        buttons=parts.catalog.buttons(),
        periods=periods,
        metrics=parts.metrics,
    )


def _services(parts: Parts) -> Services:
    settings, store, pagerduty = parts.settings, parts.store, parts.pagerduty
    workspaces = parts.slack.workspaces
    allowed = Allowed(
        guests=settings.allow_guests,
        strangers=settings.allow_strangers,
        bots=settings.allow_bots,
        deactivated=settings.allow_deactivated,
    )
    accounts = AccountsByEmail(Members(workspaces, allowed=allowed), pagerduty.directory, pagerduty.reader)
    return Services(
        catalog=parts.catalog,
        accounts=accounts,
        workspaces=workspaces,
        intents=Intents(
            store.database, store.batcher, store.sealer, holder=store.holder, lease=settings.lease_seconds
        ),
        subscriptions=store.subscriptions,
        people=store.people,
        directory=pagerduty.directory,
        names=DirectoryNames(pagerduty.directory, store.incidents),
        incidents=store.incidents,
        desks=Desks(pagerduty.reader, store.incidents, Audit(store.database), store.leases, pagerduty.levels),
        pressed=Pressed(store.messages, workspaces, parts.hint_delivery),
        audit=AuditReading(store.database),
        metrics=parts.metrics,
        clock=lambda: datetime.now(UTC),
        slash=settings.slash_command,
    )


def _comings(parts: Parts, delivery: Delivery, people: PeopleSync) -> ComingAndGoing | None:
    """None: only the settings' token counts."""
    store, slack = parts.store, parts.slack
    if slack.installs is None:
        return None

    def changed() -> None:
        delivery.look_at_everything()
        people.hurry()

    return ComingAndGoing(
        slack.workspaces,
        slack.installs,
        store.subscriptions,
        connect=slack.connect,
        closed_channels=store.messages.closed_channels,
        hint=lambda: store.wake.notify("workspaces"),
        wait=lambda seconds: store.wake.wait(seconds, "workspaces"),
        changed=changed,
    )


def _slack_front(
    parts: Parts, runner: Runner, delivery: Delivery, comings: ComingAndGoing | None
) -> SlackFront:
    store, workspaces = parts.store, parts.slack.workspaces
    channels = Channels(
        store.subscriptions,
        store.notices,
        workspaces,
        hint=delivery.look_at_everything,
        slash=parts.settings.slash_command,
    )
    return SlackFront(
        runner=runner,
        catalog=parts.catalog,
        names=runner.services.names,
        channels=channels,
        workspaces=workspaces,
        api_url=parts.settings.slack_api_url,
        uninstalled=comings.uninstalled if comings else None,
    )


def _install_doors(parts: Parts, comings: ComingAndGoing | None) -> InstallDoors | None:
    settings, slack = parts.settings, parts.slack
    client_id, secret, url = settings.slack_client_id, settings.slack_client_secret, settings.public_url
    if slack.installs is None or comings is None or client_id is None or secret is None or url is None:
        return None
    return InstallDoors(
        client_id=client_id,
        client_secret=secret,
        public_url=url,
        api_url=settings.slack_api_url,
        session=slack.session,
        store=InstallStore(slack.installs, slack.workspaces, slack.connect),
        states=InstallStates(parts.store.database),
        workspaces=slack.workspaces,
        came=comings.hurry,
        slash=settings.slash_command,
    )


def _webhook_door(parts: Parts) -> WebhookDoor:
    settings, store, directory = parts.settings, parts.store, parts.pagerduty.directory
    admins = Admins(
        parts.slack.workspaces, store.notices, user_ids=settings.admins, channel_id=settings.admin_channel
    )

    async def accept(event: Event) -> bool:
        return (await store.incidents.accept(event)).duplicate

    def after(event: Event) -> None:
        if event.type.startswith("service."):
            directory.forget("services", "policies")

    alarm = SignatureAlarm(
        heard_from=store.notices.heard_from, tell_admins=admins.tell_once, settle=admins.settle
    )
    return WebhookDoor(
        secrets=settings.pagerduty_webhook_secrets,
        accept=accept,
        ranks=directory.ranks,
        after=after,
        alarm=alarm,
        metrics=parts.metrics,
    )


async def _absent(request: web.Request) -> web.StreamResponse:
    """For a door that the settings leave half configured."""
    return web.Response(status=404, text=f"There is nothing at {request.path}.")


def _slack_door(settings: Settings, front: SlackFront) -> Handler:
    if settings.slack_signing_secret is None:

        async def closed(request: web.Request) -> web.StreamResponse:
            del request
            return web.Response(status=404, text="This bot listens to Slack through a websocket.")

        return closed
    return slack_endpoint(front.app, settings.slack_signing_secret)


async def _store_problem(database: Database, needed: SchemaState) -> str | None:
    await database.ping()
    state = await schema_state(database, needed)
    return f"The schema is at {state.current}, this code needs {state.head}." if state.is_older else None
