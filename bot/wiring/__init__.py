"""Every part of the bot built and handed to the parts that need it, in one place, in order.

Reads like the picture in bot/__init__.py: the store and the two sides (bot/opening.py), people.py,
delivering.py, doors.py, and the loops that run beside the requests.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import structlog

from bot.accounts.permissions import Permissions
from bot.background import Background
from bot.command.catalog import Catalog
from bot.command.intents import Recovery
from bot.command.parked import Parked
from bot.command.people import PeopleSync
from bot.command.run import Runner
from bot.command.tasks import TrackedTasks
from bot.delivery.admins import Admins
from bot.delivery.loop import Delivery
from bot.inbound.health import Health
from bot.inbound.linking import LinkDoors
from bot.inbound.slack_socket import SocketFront
from bot.metrics import Metrics
from bot.model import Person, SlackUser
from bot.opening import open_pagerduty, open_slack, open_store
from bot.settings import Settings
from bot.store.database import Database
from bot.store.people import Match
from bot.store.schema import SchemaState, needed_schema, schema_state
from bot.wiring.delivering import build_delivery, start_healing
from bot.wiring.doors import (
    Handler,
    absent,
    build_comings,
    build_install_doors,
    build_link_doors,
    build_slack_front,
    build_source_check,
    build_webhook_door,
    slack_door,
)
from bot.wiring.identity import open_identity
from bot.wiring.keeping import start_keeping
from bot.wiring.parts import Parts
from bot.wiring.people import build_reminders, build_services, start_reminding

log = structlog.get_logger("pagerline.app")


@dataclass(frozen=True, slots=True)
class Bot:
    """The open bot: its doors, and how to end it well."""

    settings: Settings
    metrics: Metrics
    health: Health
    webhooks: Handler
    slack: Handler
    linking: LinkDoors | None  # None: people are matched by e-mail
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


async def open_bot(settings: Settings, catalog: Catalog, stack: AsyncExitStack) -> Bot:
    """Open everything. Raises UserError or StoreUnavailable, in a sentence, when it cannot be."""
    metrics = Metrics()
    store = await open_store(settings, metrics, stack)
    slack = await open_slack(settings, metrics, store, stack)
    pagerduty = await open_pagerduty(settings, metrics, store, stack)
    permissions = Permissions(slack.workspaces, admins=settings.admins, subscribers=settings.subscribers)
    admins = Admins(
        slack.workspaces, store.notices, people=permissions.admins, channel_id=settings.admin_channel
    )
    parts = Parts(settings, catalog, metrics, store, slack, pagerduty, permissions, admins)

    delivery = build_delivery(parts)
    tasks = TrackedTasks()

    async def on_linked(user: SlackUser, person: Person) -> None:
        await store.people.remember(Match(user, person.id, person.name, person.email))
        await parked.on_linked(user, person)

    identity = open_identity(parts, tasks, on_linked, stack)
    reminders = build_reminders(parts, identity)
    runner = Runner(build_services(parts, identity, reminders), tasks)
    parked = Parked(runner)
    people = PeopleSync(pagerduty.directory, slack.workspaces, store.people, identity.accounts.linked_in)
    comings = build_comings(parts, delivery, people)
    links = identity.linked.side if identity.linked else None
    front = build_slack_front(parts, runner, delivery, comings, links)
    socket = SocketFront(front.app, settings.slack_app_token) if settings.slack_app_token else None
    doors, background = Background(), Background()
    # Whatever fails from here on, no loop outlives the database it uses.
    stack.push_async_callback(background.stop, settings.shutdown_seconds)
    stack.push_async_callback(doors.stop, settings.shutdown_seconds)
    _start_loops(parts, background, delivery, runner, people)
    if identity.linked is not None:
        background.start("keeping tokens fresh", identity.linked.fresh.run)
        background.start("links that wait for an admin", identity.linked.side.approvals.run)
    start_reminding(parts, identity, reminders, background)
    if comings is not None:
        background.start("workspaces", comings.run)
    if socket is not None:
        doors.start("socket to Slack", socket.run)

    installing = build_install_doors(parts, comings)

    def complaints() -> list[str]:
        return [
            *delivery.health(),
            *(comings.problems() if comings else ()),
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
        webhooks=build_webhook_door(parts, build_source_check(parts, background)),
        slack=slack_door(settings, front),
        linking=build_link_doors(settings, links),
        install=installing.install if installing else absent,
        install_return=installing.returned if installing else absent,
        tasks=tasks,
        doors=doors,
        background=background,
    )


def _start_loops(
    parts: Parts, background: Background, delivery: Delivery, runner: Runner, people: PeopleSync
) -> None:
    background.start("delivery", delivery.run)
    start_healing(parts, background)
    background.start("matching people", people.run)
    alone = parts.store.database.dialect == "sqlite"
    background.start(
        "interrupted commands", Recovery(runner, alone=alone, period=parts.settings.lease_seconds / 3).run
    )
    background.start("directory", parts.pagerduty.directory.keep_warm)
    background.start("changed lists", parts.pagerduty.changed.run)
    start_keeping(parts, background)


async def _store_problem(database: Database, needed: SchemaState) -> str | None:
    await database.ping()
    state = await schema_state(database, needed)
    return f"The schema is at {state.current}, this code needs {state.head}." if state.is_older else None
