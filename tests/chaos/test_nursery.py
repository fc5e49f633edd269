"""The program that forks bots: its children are processes like any other, and none outlives it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.chaos.forked import ForkedProcess, Nursery
from tests.stories.office import Office
from tests.stories.waiting import until


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _state(pid: int) -> str:
    """One letter, Linux's own: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_a_fork_has_its_own_environment_folder_and_log(tmp_path: Path) -> None:
    log = tmp_path / "bot.log"
    async with Nursery() as nursery:
        bot = await nursery.fork({"DATABASE_URL": "sqlite:///here.db"}, tmp_path, log)
        assert await bot.wait() == 2  # as `python -m bot run` ends without its settings
    assert "SLACK_BOT_TOKEN" in log.read_text()


async def test_it_is_killed_and_frozen_by_its_own_id_and_starts_again(
    migrated_sqlite_url: str, tmp_path: Path
) -> None:
    office = Office(migrated_sqlite_url)
    await office.sandbox.start()
    try:
        async with Nursery() as nursery:
            bot = ForkedProcess(nursery, office, tmp_path)
            await bot.start(within=60)
            first = bot.process
            assert first is not None
            bot.signal(signal.SIGSTOP)
            await until(lambda: _state(first.pid) == "T", "it was not frozen")
            await bot.kill()
            assert first.returncode == -signal.SIGKILL
            await bot.start(within=60)
            assert bot.process is not None
            assert bot.process.pid != first.pid
            assert await bot.stop() == 0
    finally:
        office.ports.close()
        await office.sandbox.stop()


@pytest.mark.parametrize("how", ["it ends", "it is killed"])
async def test_no_child_outlives_it(how: str, migrated_sqlite_url: str, tmp_path: Path) -> None:
    office = Office(migrated_sqlite_url)
    await office.sandbox.start()
    try:
        async with Nursery() as nursery:
            bot = ForkedProcess(nursery, office, tmp_path)
            await bot.start(within=60)
            assert bot.process is not None
            pid = bot.process.pid
            if how == "it is killed":
                nursery.kill()
                await until(lambda: not _is_there(pid), "the child has outlived it")
        assert not _is_there(pid)
    finally:
        office.ports.close()
        await office.sandbox.stop()
