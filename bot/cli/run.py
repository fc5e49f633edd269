"""`python -m bot run`: the bot, until it is told to stop; a stop finishes accepted work first."""

from __future__ import annotations

import argparse
import gc
import socket

import structlog
from aiohttp import web

from bot.app import build_app
from bot.cli.settings import require, settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.errors import UserError
from bot.settings import needed_to_run

log = structlog.get_logger("pagerline.run")


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    settings = settings_for(arguments)
    require(settings, needed_to_run(settings), arguments)
    app = build_app(settings, catalog)
    app.on_startup.append(_spare_the_collector)
    address = f"{settings.bind_host}:{settings.port}"
    try:
        web.run_app(
            app,
            host=settings.bind_host,
            port=settings.port,
            access_log=None,
            print=lambda _: log.info(
                "running", at=address, slack="socket" if settings.socket_mode else "http"
            ),
            shutdown_timeout=settings.shutdown_seconds,
        )
    except OSError as error:
        if not isinstance(error, socket.gaierror) and "attempting to bind" not in str(error):
            raise
        raise UserError(
            f"Cannot listen on {address}: {error.strerror or error}. Set BIND_HOST and PORT to a free one."
        ) from None
    return 0


async def _spare_the_collector(_: web.Application) -> None:
    """What stands after the start stays: looking through all of it again and again stops the loop for a
    seventh of a second each time.
    """
    gc.collect()
    gc.freeze()


VERB = Verb("run", "run the bot", _run, reads_settings=True)
