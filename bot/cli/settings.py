"""How a verb gets its settings: loaded from outside, what it needs is there, the log as they say."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import SecretStr

from bot import logs
from bot.environment import ENV_FILE, SettingsError, load, misspelt
from bot.settings import Settings

log = structlog.get_logger("pagerline.settings")


def add_places(parser: argparse.ArgumentParser) -> None:
    """The options that say where settings are, for a verb that reads them."""
    parser.add_argument(
        "--env-file", type=Path, default=ENV_FILE, help=f"settings file (default: {ENV_FILE})"
    )
    parser.add_argument(
        "--secrets-dir", type=Path, help="a directory with one file per setting, named in lower case"
    )


def settings_for(arguments: argparse.Namespace) -> Settings:
    """The settings; raises SettingsError with one line for each that is malformed. Begins the log."""
    settings = load(env_file=arguments.env_file, secrets_dir=arguments.secrets_dir)
    logs.configure(level=settings.log_level, style=settings.log_format, secrets=secrets_of(settings))
    return settings


def require(settings: Settings, needs: Iterable[str], arguments: argparse.Namespace) -> None:
    """Raises SettingsError naming what is missing, and any near miss; a near miss alone is only logged."""
    near = misspelt(env_file=arguments.env_file)
    lines = settings.missing(needs)
    if lines:
        raise SettingsError([*lines, *near])
    for line in near:
        log.warning("setting_unknown", problem=line)


def secrets_of(settings: Settings) -> list[str]:
    """Every secret value, for the log's redactor and for nothing else."""
    found: list[str] = []
    for name in Settings.model_fields:
        value = getattr(settings, name)
        values = value if isinstance(value, tuple) else (value,)
        found += [one.get_secret_value() for one in values if isinstance(one, SecretStr)]
    # An address without a password is no secret: `sqlite:///pagerline.db` may stand in a log.
    address = settings.database_url.get_secret_value()
    password = urlsplit(address).password
    if password:
        return [*found, password, unquote(password)]
    return [secret for secret in found if secret != address]
