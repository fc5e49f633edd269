"""`gameday`: both platforms and the bot's database opened, and a bot found that runs on it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from bot import outbound
from bot.cli import probe_circle
from bot.cli.findings import Result
from bot.errors import SlackFailure, UserError
from bot.model import Channel, Urgency
from bot.pagerduty import http as pagerduty_http
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.events import EventsApi
from bot.pagerduty.http import AccountKey, PagerDutyHttp
from bot.rehearsal.ground import survey
from bot.rehearsal.report import Report
from bot.rehearsal.scene import Scene
from bot.rehearsal.stage import Stage
from bot.rehearsal.view import View
from bot.rehearsal.watching import Watching
from bot.settings import Settings, is_outside
from bot.slack import connection as slack_connection
from bot.slack.client import Slack
from bot.store.database import Database
from bot.store.installs import Installs
from bot.store.keyfile import key_beside
from bot.store.pings import Pings
from bot.store.rehearsals import Rehearsals
from bot.store.schema import require_current
from bot.store.sealing import Sealer
from bot.store.subscriptions import Subscriptions
from bot.store.wake import Wake

BEFORE = 900.0  # seconds: Slack's clock and ours may differ
HEALTH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything a run needs."""

    scene: Scene
    database: Database
    report: Report


async def open_scene(
    settings: Settings,
    arguments: argparse.Namespace,
    stack: AsyncExitStack,
    *,
    began: float,
    say: Callable[[str], None],
) -> Opened:
    """Raises UserError for what is refused, and the failures of the platforms and the database. `began`: UTC
    epoch seconds.
    """
    database = await _open_database(settings, stack)
    session = slack_connection.open_session(
        settings.slack_call_seconds, trust_env=is_outside(settings.slack_api_url)
    )
    stack.push_async_callback(session.close)
    slack, channel = await _open_slack(settings, database, session, arguments.channel)
    pagerduty_session = pagerduty_http.open_session(trust_env=is_outside(settings.api_url))
    stack.push_async_callback(pagerduty_session.close)
    assert settings.pagerduty_api_key is not None
    wire = PagerDutyHttp(pagerduty_session, settings.api_url)
    client = PagerDuty(wire, AccountKey(settings.pagerduty_api_key))
    await _refuse_without_bot(settings, database, client)
    view = View(slack, channel.id, since=began - BEFORE)
    rules = await Subscriptions(database, Wake(database)).of_channel(channel)
    email = arguments.person or await _first_admin(settings, slack)
    ground = await survey(
        settings, client, view, channel=channel, rules=rules, email=email, urgency=Urgency(arguments.urgency)
    )
    assert ground.person.email is not None
    report = Report(arguments.scenario, ground.service.name, f"#{ground.channel_name}")
    scene = Scene(
        settings=settings,
        ground=ground,
        stage=Stage(
            client.acting_as(ground.person.email, "game day"),
            EventsApi(pagerduty_session, settings.events_url),
            ground,
        ),
        view=view,
        watching=Watching(report, say, patience=arguments.patience),
        rehearsals=Rehearsals(database),
    )
    return Opened(scene, database, report)


async def _open_database(settings: Settings, stack: AsyncExitStack) -> Database:
    database = await Database.open(settings.database_url.get_secret_value())
    stack.push_async_callback(database.close)
    if database.is_missing:
        raise UserError("There is no database: run this with the settings of the bot, beside it.")
    await require_current(database)
    return database


async def _refuse_without_bot(settings: Settings, database: Database, client: PagerDuty) -> None:
    """Raises UserError when no bot runs, or when it says that something is wrong."""
    problems = await _problems(f"http://{settings.bind_host}:{settings.port}/health/ready")
    if problems:
        raise UserError(f"The bot is not well: {'; '.join(problems)}. `python -m bot check` says more.")
    if problems is not None:
        return
    # On another machine, or in another container: a test event must come to its database.
    if not await Pings(database).bot_runs():
        raise UserError("No bot runs on this database: start it, then try again.")
    found = await probe_circle.look(settings, client, await client.webhook_subscriptions())
    if found is not None and found.result is Result.FAILURE:
        raise UserError(f"No bot seems to run: {found.detail}. {found.todo}")


async def _problems(url: str) -> list[str] | None:
    """What the bot complains of; None: nobody answers there who could be it."""
    try:
        async with (
            outbound.open_session(timeout=aiohttp.ClientTimeout(total=HEALTH_SECONDS)) as session,
            session.get(url) as answer,
        ):
            told = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
    found = told.get("problems") if isinstance(told, dict) else None
    return [str(one) for one in found] if isinstance(found, list) else None


async def _open_slack(
    settings: Settings, database: Database, session: aiohttp.ClientSession, named: str
) -> tuple[Slack, Channel]:
    """The workspace's client, and the channel in it. Raises UserError."""
    team, _, ident = named.strip().rpartition(":")
    if ident[:1] not in ("C", "G"):
        raise UserError(
            f"{named!r} is no channel id: it stands at the end of the channel's details in Slack."
        )
    if settings.slack_bot_token is not None:
        own = Slack(session, settings.slack_bot_token, base_url=settings.slack_api_url)
        try:
            who = await own.identity()
        except SlackFailure as failure:
            raise UserError(
                f"Slack does not let me in: {failure}. `python -m bot check` says more."
            ) from None
        if team in ("", who.team_id):
            return own, Channel(who.team_id, ident)
    if not team:
        raise UserError("Write T…:C…: without SLACK_BOT_TOKEN the workspace must be named.")
    served = await Installs(database, _sealer(settings, database), welcome=settings.slack_workspaces).find(
        team
    )
    if served is None:
        raise UserError(f"The bot is not installed in the workspace {team}.")
    slack = Slack(
        session,
        served.token,
        base_url=settings.slack_api_url,
        team_id=team,
        by_organisation=served.by_organisation,
    )
    return slack, Channel(team, ident)


def _sealer(settings: Settings, database: Database) -> Sealer:
    keys = [key.get_secret_value() for key in settings.encryption_keys]
    if not keys and database.path is not None:
        keys = [key_beside(database.path)]
    if not keys:
        raise UserError("ENCRYPTION_KEYS is missing: give the ones the bot has.")
    return Sealer(keys)


async def _first_admin(settings: Settings, slack: Slack) -> str:
    """The e-mail address of the first of ADMINS that is a person. Raises UserError."""
    for one in settings.admins:
        team, _, ident = one.rpartition(":")
        if ident.startswith(("U", "W")) and team in ("", slack.team_id):
            profile = await slack.profile(ident)
            if profile.email:
                return profile.email
    raise UserError("Say by --as EMAIL in whose name PagerDuty is to see the acts: ADMINS names nobody here.")
