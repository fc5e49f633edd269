"""What connects, opened: the store, Slack's session and workspace, PagerDuty's session and directory.

bot/wiring puts the rest on top. Everything opened is closed by the exit stack, in reverse.
"""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import structlog
from pydantic import SecretStr

from bot.command.changed_lists import ChangedLists
from bot.delivery.reach import Reach
from bot.delivery.rehearsed import Rehearsed
from bot.errors import SlackFailure, UserError
from bot.metrics import Metrics
from bot.pagerduty import http as pagerduty_http
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.directory import Directory
from bot.pagerduty.levels import Levels
from bot.pagerduty.tally import Tally
from bot.settings import Settings, is_outside
from bot.slack import connection as slack_connection
from bot.slack.client import Slack
from bot.slack.workspaces import Connect, Workspaces
from bot.store.batcher import Batcher
from bot.store.database import Database
from bot.store.incidents import Incidents
from bot.store.installs import Installs
from bot.store.key_uses import KeyUses, dated_keys
from bot.store.keyfile import key_beside
from bot.store.leases import Leases
from bot.store.list_changes import ListChanges
from bot.store.messages import Messages
from bot.store.notices import Notices
from bot.store.people import People
from bot.store.schema import migrate, require_current
from bot.store.sealing import Sealer
from bot.store.single import FileLock
from bot.store.subscriptions import Subscriptions
from bot.store.wake import Wake
from bot.store.workspaces import KnownWorkspaces, Workspace

log = structlog.get_logger("pagerline.app")

BUSY_SECONDS = 0.5  # for SQLite's file: a command may wait for two batches, and Slack waits 3 s


@dataclass(frozen=True, slots=True)
class Store:
    """The database and what is kept in it."""

    database: Database
    batcher: Batcher
    wake: Wake
    leases: Leases
    sealer: Sealer
    incidents: Incidents
    subscriptions: Subscriptions
    messages: Messages
    people: People
    notices: Notices
    holder: str


@dataclass(frozen=True, slots=True)
class SlackSide:
    """The workspaces; with SLACK_CLIENT_ID, where installed ones are kept. `connect` makes a client of a
    token.
    """

    session: aiohttp.ClientSession
    workspaces: Workspaces
    connect: Connect
    installs: Installs | None


@dataclass(frozen=True, slots=True)
class PagerDutySide:
    """The account key's client, for reads; names and levels; the session that all of it shares; whether
    PagerDuty answers; who calls it how often; which lists changed there; with GAMEDAY_SERVICE, about what it
    is taken for away.
    """

    session: aiohttp.ClientSession
    reader: PagerDuty
    directory: Directory
    levels: Levels
    reach: Reach
    tally: Tally
    changed: ChangedLists
    rehearsed: Rehearsed | None


async def open_store(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Store:
    database = await Database.open(settings.database_url.get_secret_value(), busy_timeout=BUSY_SECONDS)
    stack.push_async_callback(database.close)
    if database.path is not None:
        stack.enter_context(FileLock(database.path))
        await migrate(database)
    else:
        await require_current(database)
    batcher = Batcher(database, observe=metrics.batch)
    stack.push_async_callback(batcher.close)
    wake = Wake(database)
    wake.start()
    stack.push_async_callback(wake.close)
    keys = [key.get_secret_value() for key in settings.encryption_keys]
    if not keys and database.path is not None:
        keys = [key_beside(database.path)]
    await KeyUses(database).note(dated_keys(settings, SecretStr(keys[0]) if keys else None))
    holder = secrets.token_hex(8)
    leases = Leases(database, holder, changed=metrics.lease_changed)
    if database.path is not None:
        # We hold the file's lock: whoever held these is dead.
        await leases.expire_all()
    return Store(
        database=database,
        batcher=batcher,
        wake=wake,
        leases=leases,
        sealer=Sealer(keys),
        incidents=Incidents(database, batcher, wake),
        subscriptions=Subscriptions(database, wake),
        messages=Messages(database),
        people=People(database),
        notices=Notices(database),
        holder=holder,
    )


async def open_slack(settings: Settings, metrics: Metrics, store: Store, stack: AsyncExitStack) -> SlackSide:
    """The workspace of the settings' token, and with SLACK_CLIENT_ID those that installed the bot."""
    session = slack_connection.open_session(
        settings.slack_call_seconds, trust_env=is_outside(settings.slack_api_url)
    )
    stack.push_async_callback(session.close)

    def connect(team_id: str, token: SecretStr, *, by_organisation: bool = False) -> Slack:
        return Slack(
            session,
            token,
            base_url=settings.slack_api_url,
            team_id=team_id,
            by_organisation=by_organisation,
            on_call=metrics.slack_call,
        )

    own = []
    if settings.slack_bot_token is not None:
        own.append(await _own_workspace(connect("", settings.slack_bot_token), store))
    if not settings.installs:
        if not own:
            raise UserError("SLACK_BOT_TOKEN is missing.")
        return SlackSide(session, Workspaces(own), connect, None)
    welcome = {*settings.slack_workspaces, *(slack.team_id for slack in own)}
    installs = Installs(store.database, store.sealer, welcome=welcome)
    workspaces = Workspaces(own, installed=installs, connect=connect)
    await workspaces.refresh()
    if not workspaces.all():
        log.warning("no_workspace_yet", install_at=f"{(settings.public_url or '').rstrip('/')}/slack/install")
    return SlackSide(session, workspaces, connect, installs)


async def _own_workspace(slack: Slack, store: Store) -> Slack:
    """The client once its workspace is known; as last known while Slack is away."""
    known = KnownWorkspaces(store.database)
    try:
        told = await slack.identity()
    except SlackFailure as failure:
        last = await known.own()
        if last is None:
            raise UserError(
                f"Slack does not let me in: {failure}. Check SLACK_BOT_TOKEN with `python -m bot check`."
            ) from failure
        log.warning("slack_not_reached", reason=str(failure), workspace=last.team_id)
        slack.team_id = last.team_id
    else:
        await known.remember(
            Workspace(told.team_id, told.team_name, told.bot_user_id, told.bot_id, told.enterprise_id)
        )
    return slack


async def open_pagerduty(
    settings: Settings, metrics: Metrics, store: Store, stack: AsyncExitStack
) -> PagerDutySide:
    if settings.pagerduty_api_key is None:
        raise UserError("PAGERDUTY_API_KEY is missing.")
    session = pagerduty_http.open_session(trust_env=is_outside(settings.api_url))
    stack.push_async_callback(session.close)
    reach, tally = Reach(settings.as_of_seconds), Tally()

    def called(method: str, path_template: str, status: int, seconds: float) -> None:
        metrics.pagerduty_call(method, path_template, status, seconds)
        reach.called(method, path_template, status, seconds)
        changed.called(method, path_template, status)

    rehearsed = Rehearsed(settings.as_of_seconds) if settings.gameday_service else None
    wire = pagerduty_http.PagerDutyHttp(
        session,
        settings.api_url,
        on_call=called,
        on_end=metrics.pagerduty_request,
        tally=tally,
        is_silent=rehearsed.is_silent if rehearsed else None,
    )
    metrics.watch_budgets(wire.budgets)
    key = AccountKey(settings.pagerduty_api_key)
    directory = Directory(PagerDuty(wire, key), figures=metrics)
    changed = ChangedLists(directory, ListChanges(store.database), store.wake)
    stack.push_async_callback(directory.close)
    reader = PagerDuty(wire, key, ranks=directory.ranks)
    return PagerDutySide(
        session, reader, directory, Levels(directory, reader), reach, tally, changed, rehearsed
    )
