"""`python -m tests.chaos.nursery`: a program that has imported the bot and forks `python -m bot run` off.

    asked      {"run": 1, "environment": {…}, "folder": "…", "log": "…"}, {"signal": 9, "pid": 4711}
    answers    {"ready": true}, {"run": 1, "pid": 4711}, {"pid": 4711, "status": -9}

A line each, by tests/chaos/forked.py. What is forked is a process as any other: killed and frozen by its own
id, with the environment and the folder it is given; it has only not had to import everything again. There
is one thread here and no event loop, so nothing is under way that a fork could cut in two. At the end of the
input, and when this program itself is killed, no child is left.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import select
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any, BinaryIO

import asyncpg
import sqlalchemy.dialects.postgresql.asyncpg
import sqlalchemy.dialects.sqlite.aiosqlite

import bot.cli.main
import commands

IMPORTED = (bot.cli.main, commands, asyncpg, sqlalchemy.dialects)  # before the first fork
PR_SET_PDEATHSIG = 1  # Linux: the signal a child gets when its parent is gone
FAILED = 1


class Nursery:
    """Answers `lines` until they end."""

    def __init__(self, lines: BinaryIO, answers: BinaryIO) -> None:
        self._lines = lines
        self._answers = answers
        self._children: set[int] = set()
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(self._woken, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Returns when the input ends; every child has ended by then."""
        lines = self._lines.fileno()
        os.set_blocking(lines, False)
        rest = b""
        self._say({"ready": True})
        try:
            while True:
                readable, _, _ = select.select([lines, self._woken], [], [])
                if self._woken in readable:
                    with suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                    self._reap()
                if lines in readable:
                    more = os.read(lines, 65536)
                    if not more:
                        return
                    *whole, rest = (rest + more).split(b"\n")
                    for line in whole:
                        self._do(json.loads(line))
        finally:
            for pid in self._children:
                os.kill(pid, signal.SIGKILL)
            for pid in self._children:
                os.waitpid(pid, 0)

    def _do(self, asked: dict[str, Any]) -> None:
        if "run" in asked:
            pid = os.fork()
            if pid == 0:
                self._be_the_bot(asked)
            self._children.add(pid)
            self._say({"run": asked["run"], "pid": pid})
        elif asked["pid"] in self._children:  # not reaped yet, so the id is still its own
            os.kill(asked["pid"], asked["signal"])

    def _reap(self) -> None:
        for pid in list(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._children.discard(pid)
                self._say({"pid": pid, "status": os.waitstatus_to_exitcode(status)})

    def _say(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer).encode() + b"\n")
        self._answers.flush()

    def _be_the_bot(self, asked: dict[str, Any]) -> None:
        """In the child: never returns."""
        status = FAILED
        try:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._woken)
            os.close(self._wakes)
            nothing = os.open(os.devnull, os.O_RDONLY)
            log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            for place, file in enumerate((nothing, log, log)):
                os.dup2(file, place)
            os.environ.clear()
            os.environ.update(asked["environment"])
            os.chdir(asked["folder"])
            sys.argv = ["bot", "run"]
            runpy.run_module("bot", run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else FAILED
        except BaseException:  # noqa: BLE001 - whatever it was, the child ends here
            traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends the input
    gc.freeze()  # what is imported stays shared with the children
    Nursery(sys.stdin.buffer, sys.stdout.buffer).serve()
