"""The key beside a SQLite file: made on first use, for its owner alone, used when none are configured."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from bot.store.sealing import new_key


def path_beside(database_file: Path) -> Path:
    """Where the key of a SQLite file lies."""
    return database_file.with_name(database_file.name + ".key")


def key_beside(database_file: Path) -> str:
    """The key in `<file>.key`, made when it is not there yet; two processes at once end with one key."""
    path = path_beside(database_file)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        key = new_key()
        file.write(key + "\n")
        return key


def key_there(configured: Sequence[SecretStr], database_file: Path | None) -> SecretStr | None:
    """The key that seals, without making one: the first that is configured, else the one beside the file."""
    if configured:
        return configured[0]
    if database_file is None or not path_beside(database_file).exists():
        return None
    return SecretStr(path_beside(database_file).read_text(encoding="ascii").strip())
