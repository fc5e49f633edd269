"""`python -m bot manifest`: the Slack app manifest to paste into Slack."""

from __future__ import annotations

import argparse

from bot.cli.settings import settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.manifest import as_yaml, build_manifest


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="where Slack reaches the bot (default: PUBLIC_URL)")
    parser.add_argument("--socket-mode", action="store_true", help="the variant without any inbound URL")


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    settings = settings_for(arguments)
    manifest = build_manifest(
        catalog,
        slash_command=settings.slash_command,
        public_url=arguments.url or settings.public_url,
        socket_mode=arguments.socket_mode or settings.socket_mode,
        installs=settings.installs,
        user_groups=settings.names_user_groups,
        organisation=any(one.startswith("E") for one in settings.slack_workspaces),
    )
    print(as_yaml(manifest), end="")
    return 0


VERB = Verb("manifest", "print the Slack app manifest", _run, _add_arguments, reads_settings=True)
