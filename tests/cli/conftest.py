"""A Slack and a PagerDuty to look at, settings that fit them, and the command line as a process."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from bot.cli.main import main
from bot.inbound.pagerduty import PATH
from bot.sandbox.pagerduty.server import FakePagerDuty
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.world import acme
from bot.settings import Settings
from bot.slack.scopes import OPTIONAL_SCOPES, SCOPES
from commands import CATALOG

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_URL = "https://pager.example.com"
SECRET = "5ecret" * 8
OURS = {name.upper() for name in Settings.model_fields}


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    slack = FakeSlack(acme())
    slack.tokens.scopes = {*SCOPES, *OPTIONAL_SCOPES}
    await slack.start()
    yield slack
    await slack.stop()


@pytest.fixture
async def pagerduty() -> AsyncIterator[FakePagerDuty]:
    pagerduty = FakePagerDuty(acme())
    await pagerduty.start()
    yield pagerduty
    await pagerduty.stop()


@dataclass
class Setup:
    """Settings that are right, as a person would write them down."""

    slack: FakeSlack
    pagerduty: FakePagerDuty
    database_url: str
    subscription_id: str

    def written(self, **changed: str) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": f"{self.slack.acting.origin}/api/",
            "PAGERDUTY_API_KEY": self.pagerduty.api_key,
            "PAGERDUTY_API_URL": self.pagerduty.origin,
            "PAGERDUTY_EVENTS_URL": self.pagerduty.origin,
            "PAGERDUTY_WEBHOOK_SECRETS": SECRET,
            "PUBLIC_URL": PUBLIC_URL,
            "DATABASE_URL": self.database_url,
        } | changed

    def settings(self, **changed: str) -> Settings:
        return Settings.model_validate(
            {name.lower(): value for name, value in self.written(**changed).items()}
        )

    def secrets(self) -> list[str]:
        tokens = self.slack.tokens
        return [tokens.bot_token, tokens.signing_secret, tokens.app_token, self.pagerduty.api_key, SECRET]


@pytest.fixture
def setup(slack: FakeSlack, pagerduty: FakePagerDuty, sqlite_url: str) -> Setup:
    ident, _ = pagerduty.subscribe_webhook(PUBLIC_URL + PATH, secret=SECRET)
    return Setup(slack, pagerduty, sqlite_url, ident)


@dataclass(frozen=True)
class Outcome:
    """How a verb ended."""

    status: int
    out: str
    err: str


Cli = Callable[..., Awaitable[Outcome]]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This machine's environment without settings of ours, plus these."""
    bare = {
        name: value for name, value in os.environ.items() if name.upper().removesuffix("_FILE") not in OURS
    }
    return {**bare, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **settings}


async def start(folder: Path, *words: str, settings: Mapping[str, str]) -> asyncio.subprocess.Process:
    """`python -m bot …`, in a folder of its own, where no `.env` lies."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *words,
        cwd=folder,
        env=environment(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process, *, within: float = 60.0) -> Outcome:
    """What came of it, within so many seconds; one that takes longer is killed, and its test fails."""
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), err.decode())


@pytest.fixture
def process(tmp_path: Path) -> Cli:
    """A verb as a process of its own."""
    folder = tmp_path / "checkout"
    folder.mkdir()

    async def run(*words: str, settings: Mapping[str, str] | None = None) -> Outcome:
        return await ended(await start(folder, *words, settings=settings or {}))

    return run


Call = Callable[..., Outcome]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """A verb in this process: for tests that are not async themselves."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(*words: str, settings: Mapping[str, str] | None = None) -> Outcome:
        with monkeypatch.context() as variables:
            for name in os.environ.keys() - environment({}).keys():
                variables.delenv(name)
            for name, value in (settings or {}).items():
                variables.setenv(name, value)
            try:
                status = main(words, CATALOG)
            except SystemExit as leaves:
                status = int(leaves.code or 0)
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    yield run
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
