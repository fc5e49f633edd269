"""What the bot is compared with: bare aiohttp handlers that do the least that could be called the same.

    webhook        verify the signature, parse the JSON, answer 202
    webhook-commit the same, and one committed row before the answer
    slack          verify Slack's signature, parse the form, answer 200
    slack-commit   the same, and one committed row before the answer

`python -m tests.bench.floors KIND PORT SECRET [DATABASE_URL]` serves one until it is told to stop.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qsl

import aiosqlite
import asyncpg
from aiohttp import web

from tests.bench.requests import SLACK_PATH, WEBHOOK_PATH

TABLE = "CREATE TABLE IF NOT EXISTS floor (id TEXT PRIMARY KEY, at DOUBLE PRECISION, body TEXT)"
POOL = 10  # connections to PostgreSQL

Save = Callable[[str, str], Awaitable[None]]


class SqliteRows:
    """One connection, a transaction a row, as safe as the bot's own (`synchronous=FULL`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: aiosqlite.Connection | None = None
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        self._connection = await aiosqlite.connect(self._path, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", TABLE):
            await self._connection.execute(statement)

    async def save(self, ident: str, body: str) -> None:
        """Returns after the commit."""
        assert self._connection is not None
        async with self._turn:
            await self._connection.execute("BEGIN IMMEDIATE")
            await self._connection.execute("INSERT INTO floor VALUES (?, ?, ?)", (ident, time.time(), body))
            await self._connection.execute("COMMIT")

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


class PostgresqlRows:
    """A small pool, a statement a row."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(self._url, min_size=POOL, max_size=POOL)
        await self._pool.execute(TABLE)

    async def save(self, ident: str, body: str) -> None:
        """Returns after the commit."""
        assert self._pool is not None
        await self._pool.execute("INSERT INTO floor VALUES ($1, $2, $3)", ident, time.time(), body)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()


Rows = SqliteRows | PostgresqlRows


def rows_in(url: str) -> Rows:
    """Rows in the bot's own kind of database, in a file or table beside its own."""
    if url.startswith("sqlite:///"):
        return SqliteRows(Path(url.removeprefix("sqlite:///") + ".floor"))
    return PostgresqlRows(url)


def webhook_floor(secret: str, save: Save | None) -> Callable[[web.Request], Awaitable[web.Response]]:
    key = secret.encode()

    async def handle(request: web.Request) -> web.Response:
        raw = await request.read()
        given = request.headers["X-PagerDuty-Signature"].removeprefix("v1=")
        if not hmac.compare_digest(hmac.new(key, raw, hashlib.sha256).hexdigest(), given):
            return web.Response(status=401)
        event = json.loads(raw)["event"]
        if save is not None:
            await save(event["id"], raw.decode())
        return web.Response(status=202, text=event["event_type"])

    return handle


def slack_floor(secret: str, save: Save | None) -> Callable[[web.Request], Awaitable[web.Response]]:
    key = secret.encode()

    async def handle(request: web.Request) -> web.Response:
        raw = await request.read()
        stamp = request.headers["X-Slack-Request-Timestamp"]
        told = hmac.new(key, b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"v0={told}", request.headers["X-Slack-Signature"]):
            return web.Response(status=401)
        form = dict(parse_qsl(raw.decode()))
        if save is not None:
            await save(form["trigger_id"], form["text"])
        return web.Response(status=200)

    return handle


def application(kind: str, secret: str, url: str | None) -> web.Application:
    """The floor of this kind."""
    rows = rows_in(url) if url is not None and kind.endswith("-commit") else None
    save = rows.save if rows is not None else None
    app = web.Application()
    if kind.startswith("webhook"):
        app.router.add_post(WEBHOOK_PATH, webhook_floor(secret, save))
    else:
        app.router.add_post(SLACK_PATH, slack_floor(secret, save))

    async def live(request: web.Request) -> web.Response:
        del request
        return web.Response()

    app.router.add_get("/health/ready", live)
    if rows is not None:

        async def begin(_: web.Application) -> None:
            await rows.open()

        async def end(_: web.Application) -> None:
            await rows.close()

        app.on_startup.append(begin)
        app.on_cleanup.append(end)
    return app


if __name__ == "__main__":
    chosen, where, signs, *database = sys.argv[1:]
    web.run_app(
        application(chosen, signs, database[0] if database else None),
        host="127.0.0.1",
        port=int(where),
        access_log=None,
        print=None,
    )
