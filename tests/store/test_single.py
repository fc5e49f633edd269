"""One run at a time on SQLite's file, however the last one ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import StoreUnavailable
from bot.store.single import FileLock

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from bot.store.single import FileLock
with FileLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_clearly(tmp_path: Path) -> None:
    file = tmp_path / "pagerline.db"
    with FileLock(file), pytest.raises(StoreUnavailable, match=r"Another Pagerline runs on .*stop it first"):
        FileLock(file).take()
    with FileLock(file):
        pass


def test_a_killed_run_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pagerline.db"
    words = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreUnavailable):
            FileLock(file).take()
        holder.send_signal(signal.SIGKILL)
    with FileLock(file):
        pass


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        FileLock(tmp_path / "no" / "pagerline.db").take()
