"""How a verb gets its settings: loaded from outside, what it needs is there, the log as they say."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

import structlog
from pydantic import SecretStr

from bot import logs
from bot.environment import SettingsError, load, unknown_names
from bot.settings import Settings

log = structlog.get_logger(__name__)


def settings_for(arguments: argparse.Namespace, needs: Iterable[str] = ()) -> Settings:
    """The settings; raises SettingsError with one line for each that is missing or malformed."""
    settings = load(env_file=arguments.env_file, secrets_dir=arguments.secrets_dir)
    require(settings, needs)
    logs.configure(level=settings.log_level, style=settings.log_format, secrets=secrets_of(settings))
    return settings


def require(settings: Settings, needs: Iterable[str]) -> None:
    """Raises SettingsError naming what is missing, and any near miss found in the environment."""
    lines = settings.missing(needs)
    if lines:
        raise SettingsError([*lines, *unknown_names(os.environ)])


def secrets_of(settings: Settings) -> list[str]:
    """Every secret value, for the log's redactor and for nothing else."""
    found: list[str] = []
    for name in Settings.model_fields:
        value = getattr(settings, name)
        values = value if isinstance(value, tuple) else (value,)
        found += [one.get_secret_value() for one in values if isinstance(one, SecretStr)]
    return [
        secret
        for secret in found
        if secret != Settings.model_fields["database_url"].default.get_secret_value()
    ]
