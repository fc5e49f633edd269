"""`run` as a process: it begins, serves, refuses clearly, and ends well."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.fernet import Fernet

from bot.sandbox.slack.fake import FakeSlack
from tests.cli.conftest import Cli, Setup, ended, start

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def get(port: int, path: str, **headers: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{HOST}:{port}{path}", headers=headers) as answer,
    ):
        as_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if as_json else await answer.text()


@asynccontextmanager
async def running(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bot, once it is ready; killed if the test has not ended it."""
    process = await start(folder, "run", settings=settings)
    try:
        async with asyncio.timeout(30):
            while True:
                if process.returncode is not None:
                    pytest.fail(f"the bot ended: {await ended(process)}")
                try:
                    status, _ = await get(int(settings["PORT"]), "/health/ready")
                    if status == 200:
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def written(setup: Setup) -> dict[str, str]:
    return setup.written(PORT=str(free_port()))


async def test_it_serves_and_a_stop_is_status_0(
    written: dict[str, str], setup: Setup, tmp_path: Path
) -> None:
    port = int(written["PORT"])
    async with running(tmp_path, {**written, "LOG_FORMAT": "json"}) as bot:
        assert await get(port, "/health/live") == (200, {"status": "live"})
        assert (await get(port, "/metrics"))[0] == 200
        assert (await get(port, "/metrics", Forwarded="for=203.0.113.9"))[0] == 403
        assert (await get(port, "/"))[0] == 404
        bot.terminate()
        outcome = await ended(bot)
    assert outcome.status == 0, outcome
    assert "Traceback" not in outcome.err
    assert '"event": "running"' in outcome.err
    assert "will be unused" not in outcome.err
    assert [secret for secret in setup.secrets() if secret in outcome.err + outcome.out] == []


async def test_metrics_on_a_port_of_their_own(written: dict[str, str], tmp_path: Path) -> None:
    own = free_port()
    async with running(tmp_path, {**written, "METRICS_PORT": str(own)}):
        status, text = await get(own, "/metrics", Forwarded="for=203.0.113.9")
        assert (status, "pagerline_backlog" in text) == (200, True)
        assert (await get(int(written["PORT"]), "/metrics"))[0] == 404


async def test_a_second_one_on_the_same_file_is_refused(
    written: dict[str, str], tmp_path: Path, process: Cli
) -> None:
    async with running(tmp_path, written):
        outcome = await process("run", settings={**written, "PORT": str(free_port())})
    assert outcome.status == 1
    assert "Another Pagerline runs on" in outcome.err
    assert "Traceback" not in outcome.err


async def test_a_port_that_is_taken_is_a_line(written: dict[str, str], process: Cli) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        outcome = await process("run", settings={**written, "PORT": str(taken.getsockname()[1])})
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1].startswith("Cannot listen on 127.0.0.1:")
    assert "Traceback" not in outcome.err


async def test_an_address_that_is_not_this_machines_is_a_line(written: dict[str, str], process: Cli) -> None:
    outcome = await process("run", settings={**written, "BIND_HOST": "192.0.2.1"})
    assert outcome.status == 1
    assert "BIND_HOST" in outcome.err
    assert "Traceback" not in outcome.err


async def test_a_token_that_slack_refuses_is_a_line(
    written: dict[str, str], slack: FakeSlack, process: Cli
) -> None:
    slack.token("token_revoked")
    outcome = await process("run", settings=written)
    assert outcome.status == 1
    assert "token_revoked" in outcome.err
    assert "python -m bot check" in outcome.err
    assert "Traceback" not in outcome.err


async def test_on_postgresql_an_older_schema_is_refused(
    written: dict[str, str], postgresql_url: str, process: Cli
) -> None:
    keys = Fernet.generate_key().decode()
    settings = {**written, "DATABASE_URL": postgresql_url, "ENCRYPTION_KEYS": keys}
    outcome = await process("run", settings=settings)
    assert outcome.status == 1
    assert "python -m bot migrate" in outcome.err
    assert "Traceback" not in outcome.err


async def test_the_database_is_its_owners_alone(written: dict[str, str], tmp_path: Path) -> None:
    async with running(tmp_path, written):
        files = list(Path(written["DATABASE_URL"].removeprefix("sqlite:///")).parent.glob("pagerline.db*"))
    assert {file.name for file in files} >= {"pagerline.db", "pagerline.db.key", "pagerline.db.lock"}
    assert {file.name: file.stat().st_mode & 0o077 for file in files} == {file.name: 0 for file in files}
