"""Settings from outside: the environment, `NAME_FILE`, a secrets directory, `.env`; read when `load` is
called, never before.

A value that is missing or malformed becomes one line that names the setting and says what to put there.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.settings import Settings

PREFIXES = ("SLACK_", "PAGERDUTY_", "PACE_", "SWEEP_", "LOG_", "ADMIN_", "ALLOW_")


class SettingsError(Exception):
    """One or more settings are missing or malformed; `lines` says which, and what to put there."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


class _NamedFiles(PydanticBaseSettingsSource):
    """`NAME_FILE=/path`: the value is what the file holds, as Docker and Kubernetes hand over secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's text, stripped; raises SettingsError when it cannot be read."""
        del field
        name = f"{field_name.upper()}_FILE"
        path = os.environ.get(name)
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            reason = (
                f"{name}: {path} cannot be read ({error.strerror}); put the path of a readable file there."
            )
            raise SettingsError([reason]) from None

    def __call__(self) -> dict[str, Any]:
        """What the files say, for the settings that have one."""
        fields = self.settings_cls.model_fields.items()
        read = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in read.items() if value is not None}


class _FromOutside(BaseSettings, Settings):
    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = _NamedFiles(settings_cls)
        return init_settings, env_settings, files, file_secret_settings, dotenv_settings


def load(*, env_file: Path | None = None, secrets_dir: Path | None = None) -> Settings:
    """Settings from, in this order: the environment, `NAME_FILE` in it, the secrets directory, `env_file`.

    Raises `SettingsError`. `Settings(...)` itself reads nothing from outside: the sandbox is built from
    explicit values.
    """
    try:
        return _FromOutside(_env_file=env_file, _secrets_dir=secrets_dir)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise SettingsError(_in_words(dict(problem)) for problem in problems) from None


def unknown_names(names: Iterable[str]) -> list[str]:
    """One line for each name under our prefixes that is no setting of ours, with the nearest one that is."""
    known = {field.upper() for field in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known}
    lines = []
    for name in sorted(names):
        if name.startswith(PREFIXES) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            if near:
                lines.append(f"{name} is not a setting of Pagerline. Did you mean {near[0]}?")
    return lines


def _in_words(problem: Mapping[str, Any]) -> str:
    place, message = problem["loc"], str(problem["msg"]).removeprefix("Value error, ")
    return f"{str(place[0]).upper()}: {message}." if place else f"{message}."
