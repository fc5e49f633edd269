"""A fresh database for each test, on SQLite and on PostgreSQL.

Ask for `database_url` to run a test once on each, with the tables there already; for `empty_database_url`
where making them is the matter; for `sqlite_url` or `postgresql_url` (both empty) where it is about one of
them. The bench uses the cluster itself: `with PostgresCluster(durable=True) as cluster:`.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import asyncpg
import pytest

from bot.store.database import Database
from bot.store.schema import migrate

START_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02
HOST = "127.0.0.1"

# A cluster that is thrown away needs no promise to the disk.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


EMPTY = """
    DO $$ DECLARE names text; BEGIN
        SELECT string_agg(tablename, ',') INTO names FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version';
        EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY CASCADE';
    END $$
"""
SCHEMA = """
    SELECT (SELECT string_agg(version_num, ',') FROM alembic_version) || ' ' || (
        SELECT md5(string_agg(named, ',' ORDER BY named))
        FROM (
            SELECT concat_ws(' ', table_name, column_name, data_type) AS named
            FROM information_schema.columns WHERE table_schema = 'public'
        ) AS columns
    )
"""
DISCONNECT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class PostgresMissing(Exception):
    """PostgreSQL's server programs are not on this machine."""


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres`: where the PATH points, else the newest in Debian's own place."""
    on_path = shutil.which("initdb")
    if on_path and (Path(on_path).resolve().parent / "postgres").exists():
        return Path(on_path).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    versions = {folder.parent.parent.name: folder.parent for folder in debian}
    numbered = [name for name in versions if name.isdigit()]
    if not numbered:
        raise PostgresMissing("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    return versions[max(numbered, key=int)]


class PostgresCluster:
    """A PostgreSQL of our own on a free loopback port, with its files in a temporary folder.

    `durable=True` keeps fsync on, for figures that mean something. PostgreSQL refuses to be root, so root
    hands it to the user `postgres`, or to `nobody`.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._binaries = find_binaries()
        self._folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once the server takes connections; else raises RuntimeError with the server's own words."""
        self._folder = Path(tempfile.mkdtemp(prefix="pagerline-postgres-", dir=_folder_open_to_all()))
        self._folder.chmod(0o700)
        account = _unprivileged_account()
        if account is not None:
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        try:
            self._initialise(self._folder)
            self._serve(self._folder)
        except BaseException:
            self.stop()
            raise

    def halt(self, *, politely: bool = False) -> None:
        """Ends the server as a crash would, or `politely` as a restart does; its files stay. Safe to call
        twice.
        """
        server, self._server = self._server, None
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGINT if politely else signal.SIGQUIT)
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def resume(self) -> None:
        """Serves the same files on the same port again, after `halt`."""
        self._serve(self.folder)

    def stop(self) -> None:
        """Stops the server without waiting for its clients, and removes its files. Safe to call twice."""
        self.halt()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where the running cluster keeps its files."""
        assert self._folder is not None, "the cluster is not running"
        return self._folder

    def create_database(self) -> str:
        """Creates an empty database and returns its `postgresql://` URL."""
        name = f"pagerline_{next(self._numbers)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE template0")
        return f"postgresql://postgres@{HOST}:{self._port}/{name}"

    def drop_database(self, url: str) -> None:
        """Drops a database that `create_database` made, whoever is still connected to it."""
        self._administer(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def query(self, url: str, *statements: str) -> str:
        """Runs these in a database; returns the last one's first value, as text."""

        async def execute() -> str:
            name = url.rpartition("/")[2]
            connection = await asyncpg.connect(host=HOST, port=self._port, user="postgres", database=name)
            try:
                return str([await connection.fetchval(statement) for statement in statements][-1])
            finally:
                await connection.close()

        # A thread has no event loop yet, whatever the test around us does with its own.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, execute()).result()

    def _administer(self, statement: str) -> None:
        self.query("postgres", statement)

    def _initialise(self, folder: Path) -> None:
        log = folder / "initdb.log"
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        initdb = self._spawn(["initdb", f"--pgdata={folder / 'data'}", *options], folder, log)
        if initdb.wait(START_SECONDS):
            raise RuntimeError(f"initdb failed:\n{log.read_text(errors='replace')}")

    def _serve(self, folder: Path) -> None:
        options = [f"listen_addresses={HOST}", "unix_socket_directories=", "max_connections=200"]
        options += ["shared_buffers=64MB", "timezone=UTC", *(() if self._durable else FORGETFUL)]
        self._port = self._port or _free_port()
        words = ["postgres", "-D", str(folder / "data"), "-p", str(self._port)]
        words += itertools.chain.from_iterable(("-c", option) for option in options)
        log = folder / "server.log"
        self._server = self._spawn(words, folder, log)
        deadline = time.monotonic() + START_SECONDS
        while not _says_ready(folder / "data" / "postmaster.pid", self._server.pid):
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
            time.sleep(POLL_SECONDS)

    def _spawn(self, words: list[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
        account = _unprivileged_account()
        with log.open("wb") as output:
            return subprocess.Popen(
                [self._binaries / words[0], *words[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                user=account and account.pw_uid,
                group=account and account.pw_gid,
                extra_groups=[] if account else None,
            )


def _says_ready(pid_file: Path, pid: int) -> bool:
    """Line 8 of postmaster.pid is the server's state (PostgreSQL's own pg_ctl waits for it too); line 1 tells
    whose, for a server that was killed leaves its file behind.
    """
    try:
        lines = pid_file.read_text().splitlines()
        return lines[0] == str(pid) and lines[7].strip() == "ready"
    except (OSError, IndexError):
        return False


def _unprivileged_account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


def _folder_open_to_all() -> Path | None:
    """A temporary folder that another account may walk into: TMPDIR is often one's own."""
    for name in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        folder = Path(name).resolve()
        if folder.is_dir() and all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents)):
            return folder
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    try:
        cluster = PostgresCluster()
    except PostgresMissing as missing:
        pytest.skip(str(missing))
    with cluster:
        yield cluster


@pytest.fixture
def postgresql_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    url = postgres_cluster.create_database()
    yield url
    postgres_cluster.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'pagerline.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The URL as a person writes it in DATABASE_URL; nothing is in it."""
    return str(request.getfixturevalue(f"{request.param}_url"))


async def _migrated(url: str) -> None:
    database = await Database.open(url)
    await migrate(database)
    await database.close()


def _migrate(url: str) -> str:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _migrated(url)).result()
    return url


class MigratedDatabases:
    """Databases with the tables there, emptied and lent again: making one takes many times as long.

    One whose schema a test has changed is dropped.
    """

    def __init__(self, cluster: PostgresCluster) -> None:
        self._cluster = cluster
        self._free: list[str] = []
        self._schema = ""

    def lend(self) -> str:
        if self._free:
            return self._free.pop()
        url = _migrate(self._cluster.create_database())
        self._schema = self._schema or self._cluster.query(url, SCHEMA)
        return url

    def take_back(self, url: str) -> None:
        if self._cluster.query(url, DISCONNECT, SCHEMA) == self._schema:
            self._cluster.query(url, EMPTY)
            self._free.append(url)
        else:
            self._cluster.drop_database(url)


@pytest.fixture(scope="session")
def migrated_databases(postgres_cluster: PostgresCluster) -> MigratedDatabases:
    return MigratedDatabases(postgres_cluster)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "pagerline.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def migrated_postgresql_url(migrated_databases: MigratedDatabases) -> Iterator[str]:
    url = migrated_databases.lend()
    yield url
    migrated_databases.take_back(url)


@pytest.fixture
def migrated_sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    path = shutil.copy(migrated_file, tmp_path / "pagerline.db")
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL as a person writes it in DATABASE_URL; the tables are there."""
    return str(request.getfixturevalue(f"migrated_{request.param}_url"))
