"""One `run` on one SQLite file: an OS lock beside it, held for the process's lifetime.

The lock is the kernel's (flock), so a process that is killed leaves nothing behind. On PostgreSQL
several replicas are welcome and nothing is locked.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.errors import StoreUnavailable


class FileLock:
    """`with FileLock(database_file): …`; entering raises StoreUnavailable when another process holds it."""

    def __init__(self, database_file: Path) -> None:
        self._database_file = database_file
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def take(self) -> None:
        """Hold it from now on. Raises StoreUnavailable, with what to do, when that cannot be."""
        path = Path(f"{self._database_file}.lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"The lock file {path} cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StoreUnavailable(
                f"Another Pagerline runs on {self._database_file}: stop it first, or give this one another"
                " DATABASE_URL (with PostgreSQL several may run)."
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let it go. The file stays: removing it could hand the same name to two holders."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
