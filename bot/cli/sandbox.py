"""`python -m bot sandbox`: the real bot against a fake Slack and a fake PagerDuty, with a page to try it on.

Its settings are explicit values: no environment, no `.env`, no proxy, a database of its own in a temporary
folder (or in
`--data`), so that real tokens never meet a demo.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import tempfile
from functools import partial
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from bot import logs
from bot.app import build_app
from bot.cli.settings import secrets_of
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.errors import UserError
from bot.sandbox.linking import NotLinked, link, unlink
from bot.sandbox.server import Sandbox
from bot.settings import Settings
from bot.store.database import Database
from bot.store.inspection import message_rows

HOST = "127.0.0.1"
PAGE_PORT = 8000
FIRST = ("Checkout", "Checkout API p99 latency above 2 s")
"""The incident that is there when the page opens: service and title."""
FOLLOWS = (("C0CHECK", "subscribe Checkout"), ("C0SEARCH", "subscribe Search"), ("C0INCID", "subscribe all"))
"""What each channel follows when the sandbox is new: said by Carol, who administers it."""
CAROL = "U0CAROL"
LINKED = ("U0ALICE", "U0BOB", CAROL, "U0OLIVE")
"""Who has linked their PagerDuty account when the page opens; Uma Ueda has one and has not."""


def sandbox_settings(
    sandbox: Sandbox, folder: Path, port: int, *, socket_mode: bool = False, people: str = "oauth"
) -> Settings:
    """Settings for a bot that knows nothing but the fakes; `people` link (`oauth`) or are matched by
    `email`.
    """
    links = people == "oauth"
    alerted = next(one for one in sandbox.world.services if one.name == FIRST[0])
    return Settings(
        slack_bot_token=SecretStr(sandbox.slack.bot_token),
        slack_signing_secret=SecretStr(sandbox.slack.signing_secret),
        slack_app_token=SecretStr(sandbox.slack.app_token) if socket_mode else None,
        slack_api_url=sandbox.slack_api_url,
        pagerduty_api_key=SecretStr(sandbox.pagerduty.api_key),
        pagerduty_api_url=sandbox.pagerduty_url,
        pagerduty_events_url=sandbox.pagerduty_url,
        pagerduty_identity_url=sandbox.pagerduty_url,
        pagerduty_routing_key=SecretStr(alerted.routing_key),
        safelist_url=sandbox.pagerduty_url,
        pagerduty_client_id=sandbox.oauth_client_id if links else None,
        pagerduty_client_secret=SecretStr(sandbox.oauth_client_secret) if links else None,
        pagerduty_webhook_secrets=(SecretStr(sandbox.webhook_secret),),
        public_url=f"http://{HOST}:{port}",
        bind_host=HOST,
        port=port,
        database_url=SecretStr(f"sqlite:///{folder / 'pagerline.db'}"),
        admins=(CAROL,),
        gameday_service="Search",
        # Whoever loses webhooks on the page wants to see it heal, not wait for minutes.
        sweep_seconds=10.0,
    )


def variables(settings: Settings) -> dict[str, str]:
    """The settings as the environment, or a `.env`, holds them."""
    found: dict[str, str] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value in (None, ()):
            continue
        items = value if isinstance(value, tuple) else (value,)
        plain = [one.get_secret_value() if isinstance(one, SecretStr) else str(one) for one in items]
        found[name.upper()] = ",".join(plain)
    return found


def write_down(settings: Settings, folder: Path) -> Path:
    """A file by which other verbs (`--env-file`) reach the sandbox; its tokens open nothing else."""
    place = folder / "sandbox.env"
    place.write_text("".join(f"{name}={value}\n" for name, value in variables(settings).items()))
    return place


def completions(catalog: Catalog) -> list[dict[str, str]]:
    """What the page's composer completes: every verb with its usage and a line about it."""
    return [{"verb": one.verb, "usage": one.usage, "summary": one.summary} for one in catalog.shown()]


def free_port() -> int:
    """A port of this machine nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def link_people(sandbox: Sandbox, *, is_new: bool) -> None:
    """Let those who work here link their PagerDuty account, by the bot's own pages. Raises UserError.

    A kept database has tokens of a PagerDuty that is gone.
    """
    try:
        for user in LINKED:
            if not is_new:
                await unlink(sandbox.slack, user)
            await link(sandbox.slack, user)
    except NotLinked as failure:
        raise UserError(f"The sandbox could not link its people: {failure}") from failure


async def seed(sandbox: Sandbox, *, quiet: bool) -> None:
    """Let the channels follow their services, and open the first incident."""
    for channel, words in FOLLOWS:
        await sandbox.slack.command(CAROL, channel, words)
    if not quiet:
        service, title = FIRST
        found = next(one for one in sandbox.world.services if one.name == service)
        sandbox.pagerduty.trigger(found.id, title, urgency="high", priority="P1")


async def _serve(arguments: argparse.Namespace, catalog: Catalog, folder: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wanted, stop.set)
    sandbox = Sandbox(host=HOST, page_port=arguments.port, speed=arguments.speed, verbs=completions(catalog))
    try:
        await sandbox.start()
    except OSError as error:
        raise UserError(
            f"Port {arguments.port} is taken ({error.strerror}). Try another: make sandbox ARGS='--port 8001'"
        ) from None
    port = free_port()
    is_new = not (folder / "pagerline.db").exists()
    settings = sandbox_settings(
        sandbox, folder, port, socket_mode=arguments.socket_mode, people=arguments.people
    )
    logs.configure(level=arguments.log_level, style="console", secrets=secrets_of(settings))
    runner = web.AppRunner(build_app(settings, catalog), access_log=None, shutdown_timeout=1)
    inspector = await Database.open(settings.database_url.get_secret_value())
    try:
        # Before the bot starts, which looks whether PagerDuty's webhooks lead to it.
        sandbox.connect(f"http://{HOST}:{port}")
        await runner.setup()
        sandbox.page.inspect = partial(message_rows, inspector)
        await web.TCPSite(runner, HOST, port).start()
        if settings.links_people:
            await link_people(sandbox, is_new=is_new)
        if is_new:
            await seed(sandbox, quiet=arguments.quiet)
        place = write_down(settings, folder)
        print(f"\nOpen {sandbox.page_url}\nStop with Ctrl-C.", flush=True)
        print(f"Other verbs reach it by --env-file {place}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
        await inspector.close()
        await sandbox.stop()


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    with contextlib.ExitStack() as stack:
        kept: Path | None = arguments.data
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
        folder = kept or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pagerline-sandbox-")))
        asyncio.run(_serve(arguments, catalog, folder))
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=PAGE_PORT, help=f"port of the page (default: {PAGE_PORT})"
    )
    parser.add_argument(
        "--data", type=Path, help="keep the bot's database in this folder (default: a temporary one)"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, help="shorten the fakes' durations by this factor"
    )
    parser.add_argument(
        "--socket-mode", action="store_true", help="let Slack reach the bot through a websocket"
    )
    parser.add_argument(
        "--people",
        choices=["oauth", "email"],
        default="oauth",
        help="how the bot knows people at PagerDuty: each links their account (oauth, the default), or by "
        "e-mail",
    )
    parser.add_argument("--quiet", action="store_true", help="do not open a first incident")
    parser.add_argument("--log-level", default="WARNING", choices=["DEBUG", "INFO", "WARNING", "ERROR"])


VERB = Verb(
    "sandbox", "try the real bot on a page, against a fake Slack and a fake PagerDuty", _run, _add_arguments
)
