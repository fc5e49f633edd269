"""Settings from outside: the environment, `NAME_FILE`, a secrets directory, `.env`; read when `load` is
called, never before.

A value that is missing or malformed becomes one line that names the setting and says what to put there. Blank
means unset, everywhere.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.settings import Settings

ENV_FILE = Path(".env")
PREFIXES = ("SLACK_", "PAGERDUTY_", "PACE_", "SWEEP_", "LOG_", "ADMIN_", "ALLOW_")
# How alike a name must be to one of ours before it counts as a slip of the finger: much, where the name may
# well belong to another program.
NEAR, NEARER = 0.8, 0.9


class SettingsError(Exception):
    """One or more settings are missing or malformed; `lines` says which, and what to put there."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


class _NamedFiles(PydanticBaseSettingsSource):
    """`NAME_FILE=/path`: the value is what the file holds, as Docker and Kubernetes hand over secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's text, None when there is no such file or it is blank; raises SettingsError when it
        cannot be read.
        """
        name = f"{field_name.upper()}_FILE"
        path = os.environ.get(name, "").strip()
        text = _text_of(Path(path), name).strip() if path else ""
        return text or None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """What the files say, for the settings that have one."""
        fields = self.settings_cls.model_fields.items()
        read = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in read.items() if value is not None}


class _FromOutside(BaseSettings, Settings):
    model_config = SettingsConfigDict(
        extra="ignore", hide_input_in_errors=True, frozen=True, env_ignore_empty=True
    )

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
    _look_at_places(env_file, secrets_dir)
    try:
        return _FromOutside(_env_file=env_file, _secrets_dir=secrets_dir)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise SettingsError(_in_words(dict(problem)) for problem in problems) from None


def misspelt(*, env_file: Path | None = None) -> list[str]:
    """One line for each name in the environment or `env_file` that is nearly a setting of ours, but none."""
    written = _names_in(env_file)
    return [*unknown_names(os.environ), *unknown_names(written - os.environ.keys(), all_ours=True)]


def unknown_names(names: Iterable[str], *, all_ours: bool = False) -> list[str]:
    """One line for each name that looks like a mistyped setting, with the one that was meant.

    `all_ours`: whatever is among these names is meant for us, so each that is no setting is told.
    """
    known = {field.upper() for field in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known}
    lines = []
    for name in sorted(names):
        if name.upper() in known:
            continue
        is_near = NEAR if all_ours or name.startswith(PREFIXES) else NEARER
        near = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=is_near)
        if near:
            lines.append(f"{name} is not a setting of Pagerline. Did you mean {near[0]}?")
        elif all_ours:
            lines.append(f"{name} is not a setting of Pagerline.")
    return lines


def _look_at_places(env_file: Path | None, secrets_dir: Path | None) -> None:
    """Raises SettingsError for a place that cannot be read, before a library trips over it."""
    if env_file is not None and env_file != ENV_FILE and not env_file.is_file():
        raise SettingsError([f"--env-file: there is no file {env_file}; name one that is there."])
    if env_file is not None and env_file.is_file():
        _text_of(env_file, "The settings file")
    if secrets_dir is None:
        return
    if not secrets_dir.is_dir():
        reason = f"--secrets-dir: {secrets_dir} is not a directory; name one that holds a file per setting."
        raise SettingsError([reason])
    for path in secrets_dir.iterdir():
        if path.name.lower() in Settings.model_fields and path.is_file():
            _text_of(path, "--secrets-dir")


def _text_of(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); put the path of a readable file there."
    except UnicodeDecodeError:
        reason = "is not text in UTF-8; write it again."
    raise SettingsError([f"{what}: {path} {reason}"])


def _names_in(env_file: Path | None) -> set[str]:
    if env_file is None or not env_file.is_file():
        return set()
    return {name.upper() for name in DotEnvSettingsSource(_FromOutside, env_file=env_file).env_vars}


def _in_words(problem: Mapping[str, Any]) -> str:
    place, message = problem["loc"], str(problem["msg"]).removeprefix("Value error, ")
    if not place:
        return f"{message}."
    name = str(place[0])
    nth = f" (number {place[1] + 1})" if len(place) > 1 and isinstance(place[1], int) else ""
    message = message.replace("Input should be", "must be", 1)
    return f"{name.upper()}{nth} {message}. {Settings.model_fields[name].description}"
