"""`python -m bot event-keys`: the integrations that `event` and `change` in Slack may send by, named.

    python -m bot event-keys add deploys < key.txt
    python -m bot event-keys list
    python -m bot event-keys remove deploys

A key is read from a file or standard input, sealed, and never shown again. Needs what opens the database.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from pathlib import Path

from pydantic import SecretStr

from bot.cli.settings import settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.errors import UserError
from bot.pagerduty.event_fields import plain_key
from bot.settings import Settings
from bot.store.database import Database
from bot.store.event_keys import EventKeys
from bot.store.keyfile import key_beside
from bot.store.schema import require_current
from bot.store.sealing import Sealer

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    does = parser.add_subparsers(dest="does", metavar="ADD|LIST|REMOVE", required=True)
    add = does.add_parser("add", help="keep a routing key under a name, in place of an older one")
    add.add_argument("name", type=_name, help="what people type in Slack, such as deploys")
    add.add_argument(
        "--file", type=Path, help="file with the routing key (default: it is read from standard input)"
    )
    does.add_parser("list", help="the names, and since when")
    remove = does.add_parser("remove", help="forget a key")
    remove.add_argument("name", type=_name)


def _name(text: str) -> str:
    if not NAME.fullmatch(text.casefold()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name: up to 40 letters, digits, dots, dashes and underscores"
        )
    return text.casefold()


async def _done(settings: Settings, arguments: argparse.Namespace, key: SecretStr | None) -> list[str]:
    """What to say."""
    database = await Database.open(settings.database_url.get_secret_value())
    try:
        await require_current(database)
        keys = [one.get_secret_value() for one in settings.encryption_keys]
        if not keys and database.path is not None:
            keys = [key_beside(database.path)]
        if not keys:
            raise UserError("ENCRYPTION_KEYS is missing: give the ones the bot has.")
        store = EventKeys(database, Sealer(keys))
        if key is not None:
            await store.put(arguments.name, key)
            return [f"Kept. In Slack: `event trigger {arguments.name} …` and `change {arguments.name} …`."]
        if arguments.does == "remove":
            if not await store.remove(arguments.name):
                raise UserError(f"There is no {arguments.name}; `event-keys list` names them.")
            return [f"Forgotten. To make the key of {arguments.name} useless, delete it in PagerDuty too."]
        names = await store.names()
        return [f"{name}  since {at:%Y-%m-%d %H:%M} UTC" for name, at in names.items()] or [
            "There are none. `event-keys add NAME` keeps one."
        ]
    finally:
        await database.close()


def _key(arguments: argparse.Namespace) -> SecretStr:
    """What was handed in. Raises UserError unless it can be a routing key."""
    try:
        text = arguments.file.read_text(encoding="utf-8") if arguments.file else sys.stdin.read()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"--file: {arguments.file or 'standard input'} cannot be read.") from None
    key = SecretStr(text.strip())
    plain_key(key)
    return key


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    settings = settings_for(arguments)
    key = _key(arguments) if arguments.does == "add" else None
    for line in asyncio.run(_done(settings, arguments, key)):
        print(line)
    return 0


VERB = Verb(
    "event-keys", "name the integrations that people in Slack may send events by", _run, _add_arguments, True
)
