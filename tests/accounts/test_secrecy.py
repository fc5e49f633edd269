"""Tokens are planted, renewed, refused and lost; then everything that could show one is searched."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import secrets
import traceback
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from sqlalchemy import MetaData, select

from bot.accounts.keeping_fresh import KeepFresh
from bot.errors import NotLinked, PagerDutyFailure
from bot.metrics import Metrics
from bot.store.database import Database
from tests.accounts.replicas import ALICE, BOB, CLIENT_SECRET, DAY, KEY, Replica, Site

SIGN_IN = ("/oauth/token",)


class Overheard:
    """Every secret there was, and every text in which none may stand."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.secrets: set[str] = {KEY, CLIENT_SECRET}
        self.texts: list[str] = []

    def note(self) -> None:
        """The tokens there are now: those that were replaced are gone from PagerDuty."""
        self.secrets |= {*self.site.fake.oauth.tokens(), *self.site.fake.access.tokens()}

    async def fails(self, asked: Awaitable[object]) -> None:
        """What a failure says, with its traceback, as a log would write it down."""
        with pytest.raises((NotLinked, PagerDutyFailure)) as failed:
            await asked
        self.texts += [repr(failed.value), *traceback.format_exception(failed.value)]
        self.note()

    def shown(self) -> list[str]:
        """Which secrets stand somewhere: as beginnings, so that a failing test does not print one."""
        everything = "\n".join(self.texts)
        return [secret[:12] for secret in self.secrets if secret in everything]


@contextmanager
def every_log_line() -> Iterator[io.StringIO]:
    """Both kinds of logging at their chattiest, before anything is blotted out."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root, before = logging.getLogger(), structlog.get_config()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.PrintLoggerFactory(written),
    )
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        structlog.configure(**before)


def our_objects() -> Iterator[str]:
    """How every living object of the bot's shows itself; the sandbox is PagerDuty, and may know."""
    for one in gc.get_objects():
        home = str(type(one).__module__)
        if home.startswith("bot.") and not home.startswith("bot.sandbox"):
            yield repr(one)


async def dump(database: Database) -> str:
    """Every row of every table."""
    metadata, told = MetaData(), []
    async with database.write() as connection:
        await connection.run_sync(metadata.reflect)
        for table in metadata.sorted_tables:
            told += [str(row) for row in await connection.execute(select(table))]
    return "\n".join(told)


async def test_no_secret_stands_anywhere(site: Site, tmp_path: Path) -> None:
    heard, metrics = Overheard(site), Metrics()
    with every_log_line() as log:
        one, two = await site.replica(), await site.replica()
        for replica in (one, two):
            replica.tokens = replica.new_tokens(count=metrics.token_refresh)
        app, verifier = site.app(on_call=metrics.pagerduty_call), secrets.token_urlsafe(48)
        code = site.consent(app, "PALICE1", verifier)
        heard.secrets |= {code, verifier}
        granted = await app.exchange(code, verifier)
        heard.note()
        await one.accounts.link(ALICE, await site.me(one, granted), granted)
        await site.link(one, BOB)
        heard.note()

        held = [await one.tokens.held(ALICE), await two.tokens.held(BOB)]
        clients = [await one.as_(ALICE), await two.as_(ALICE)]
        site.fake.access.expire("PALICE1")
        await asyncio.gather(*(client.me() for client in clients))
        heard.note()
        site.let_pass(DAY * 0.8)
        await KeepFresh(one.tokens, one.accounts, one.leases, apart=0.0).once(asyncio.Event())
        heard.note()

        site.let_pass(DAY)
        site.fake.outage("error", paths=SIGN_IN, status=500)
        await heard.fails(one.tokens.credentials(ALICE))
        site.fake.outage("off")
        await heard.fails((await wrongly_set_up(site)).tokens.credentials(ALICE))
        site.fake.outage("drop_after", paths=SIGN_IN, count=1)
        await heard.fails(one.tokens.credentials(ALICE))
        await heard.fails(one.tokens.credentials(ALICE))  # used up: the link ends
        site.fake.oauth.revoke_all_of("PBOB002")
        await heard.fails(two.tokens.credentials(BOB))
        await site.link(one, ALICE)
        heard.note()
        await one.tokens.close()

        heard.texts += [*our_objects(), repr(held), repr(clients), metrics.exposition().decode()]
    rows = await dump(one.database)
    files = [file.read_bytes().decode("latin-1") for file in tmp_path.glob("pagerline.db*")]
    heard.texts += [log.getvalue(), rows, *files]

    assert len(heard.secrets) >= 10
    assert "token_renewed" in log.getvalue()
    assert all("U0ALICE" in text for text in (rows, "".join(files) or rows))  # it was looked at
    assert heard.shown() == []


async def wrongly_set_up(site: Site) -> Replica:
    """A bot whose client secret was mistyped."""
    return await site.replica(client_secret="mistyped-made-up")
