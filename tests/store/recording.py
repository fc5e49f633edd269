"""Records every statement the store sends, so that a later schema can be asked whether it still takes them.

    python -m tests.store.recording                    writes tests/samples/statements-NNNN.json
    python -m tests.store.recording tests/commands …   of other tests than the usual ones

Run by hand at a release (CONTRIBUTING.md, "Change the schema"): what a release sends is what its replicas
send while the next one migrates. NNNN is the newest migration. It runs tests that use the store, on both
databases; only what code of bot/ sends is kept, each statement once, with one example of its parameters.
tests/store/test_rolling_upgrade.py replays them.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import greenlet  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection, Engine, event

from bot.store.people_tables import people_metadata
from bot.store.schema import needed_schema
from bot.store.tables import metadata

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"
USUAL = ("tests/store", "tests/delivery", "tests/accounts")
TABLES = frozenset(metadata.tables) | frozenset(people_metadata.tables)
WORD = re.compile(r"[a-z_]+")
# The same statement with more rows, or more values, is the same statement.
PLACE = re.compile(r"\$\d+|\b(?:p|sen_counter)\d*\b|\b\d+\b")
SEVERAL = re.compile(r"(\(.+?\))(?:, \1)+")
LISTED = re.compile(r"(\?(?:::[A-Z ]+)?)(?:, \1)+")


@dataclass(frozen=True)
class Sent:
    """A statement as the driver got it. `by`: the module of bot/ that asked."""

    dialect: str
    sql: str
    parameters: tuple[Any, ...]
    by: str

    @property
    def shape(self) -> tuple[str, str]:
        """Equal for statements that differ in how much they carry only."""
        alike = SEVERAL.sub(r"\1", LISTED.sub(r"\1", PLACE.sub("?", self.sql)))
        return self.dialect, alike


@dataclass
class Recorder:
    """Listens to every engine while it is `on`."""

    seen: dict[tuple[str, str], Sent] = field(default_factory=dict)

    def on(self) -> None:
        event.listen(Engine, "before_cursor_execute", self._hear)

    def off(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._hear)

    def _hear(self, connection: Connection, _: Any, sql: str, parameters: Any, *__: Any) -> None:
        by = _asked_by(sys._getframe())
        if by is None or TABLES.isdisjoint(WORD.findall(sql)):
            return
        example = parameters[0] if isinstance(parameters, list) else parameters  # one row of several
        sent = Sent(connection.dialect.name, sql, tuple(example), by)
        known = self.seen.get(sent.shape)
        if known is None or len(sent.sql) < len(known.sql):
            self.seen[sent.shape] = sent

    def statements(self, dialect: str) -> list[Sent]:
        """By who asks."""
        mine = (one for one in self.seen.values() if one.dialect == dialect)
        return sorted(mine, key=lambda one: (one.by, one.sql))


def _asked_by(frame: FrameType) -> str | None:
    """The module of bot/ that asked, but for the one that only hands on; None: a test asked."""
    for one in _callers(frame):
        path = Path(one.f_code.co_filename)
        if path.is_relative_to(ROOT / "tests") and path != Path(__file__):
            return None
        if path.is_relative_to(ROOT / "bot"):
            found = path.relative_to(ROOT).as_posix()
            if found not in {"bot/store/database.py", "bot/store/engines.py"}:
                return None if found.startswith("bot/store/migrations") else found
    return None


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Outwards. The drivers' side of SQLAlchemy is a greenlet of its own, whose caller waits in another."""
    lane: greenlet.greenlet | None = greenlet.getcurrent()
    while lane is not None:
        while frame is not None:
            yield frame
            frame = frame.f_back
        lane = lane.parent
        frame = lane.gr_frame if lane is not None else None


# ------------------------------------------------------------------------------------------------ the file


def to_json(value: Any) -> Any:
    """A parameter as JSON can hold it."""
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    return value


def from_json(value: Any) -> Any:
    """The parameter that `to_json` was given."""
    if isinstance(value, Mapping):
        return base64.b64decode(value["bytes"])
    if isinstance(value, list):
        return [from_json(one) for one in value]
    return value


def write(path: Path, recorder: Recorder) -> None:
    """One line per statement, so that a change of one is a change of one line."""
    lines = []
    for dialect in ("sqlite", "postgresql"):
        rows = [
            json.dumps(
                {"by": one.by, "sql": " ".join(one.sql.split()), "parameters": to_json(one.parameters)},
                ensure_ascii=False,
            )
            for one in recorder.statements(dialect)
        ]
        lines.append(f'"{dialect}": [\n' + ",\n".join(rows) + "\n]")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def read(path: Path, dialect: str) -> list[Sent]:
    """What was recorded on this database."""
    rows: Sequence[Mapping[str, Any]] = json.loads(path.read_text())[dialect]
    return [Sent(dialect, row["sql"], tuple(from_json(row["parameters"])), row["by"]) for row in rows]


def main() -> int:
    recorder = Recorder()
    recorder.on()
    # Not the test that replays: the first time there is nothing to replay.
    options = ["-q", "-p", "no:cacheprovider", "--ignore=tests/store/test_rolling_upgrade.py"]
    failed = pytest.main([*options, *(sys.argv[1:] or USUAL)])
    recorder.off()
    path = SAMPLES / f"statements-{needed_schema().head}.json"
    write(path, recorder)
    sys.stdout.write(f"{len(recorder.seen)} statements in {path.relative_to(ROOT)}\n")
    if failed:
        sys.stderr.write("Something failed, and may not have sent everything: record again.\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
