"""Bots that are forked from a program which has imported them already (tests/chaos/nursery.py)."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Self

from tests.stories.office import ROOT, Office, OwnProcess

START_SECONDS = 120.0  # far beyond what importing takes
END_SECONDS = 20.0


class Forked:
    """A process, as asyncio's own ones are: its parent is the nursery, which signals it and sees it end."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self._ended = asyncio.Event()
        self.pid = pid
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        self._nursery.ask({"signal": int(number), "pid": self.pid})

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def ended(self, status: int) -> None:
        self.returncode = status
        self._ended.set()


class Nursery:
    """Starts the program, asks it for bots; at the end none of them is left."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Forked]] = {}
        self._children: dict[int, Forked] = {}

    async def __aenter__(self) -> Self:
        """Returns once everything is imported."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.nursery"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._listening = asyncio.create_task(self._listen(), name="nursery")
        try:
            await asyncio.wait_for(self._ready.wait(), START_SECONDS)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._listening is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        finally:
            if self._process.returncode is None:
                self._process.kill()  # its children go with it
                await self._process.wait()
        await self._listening

    def kill(self) -> None:
        """The program itself, without a farewell."""
        assert self._process is not None
        self._process.kill()

    def ask(self, line: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")

    async def fork(self, environment: dict[str, str], folder: Path, log: Path) -> Forked:
        """`python -m bot run` in this folder; what it writes goes to the log."""
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self.ask({"run": number, "environment": environment, "folder": str(folder), "log": str(log)})
        return await self._asked[number]

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "ready" in told:
                self._ready.set()
            elif "run" in told:
                # Here, not by whoever asked: it may have ended before they look.
                child = self._children[told["pid"]] = Forked(self, told["pid"])
                self._asked.pop(told["run"]).set_result(child)
            else:
                self._children.pop(told["pid"]).ended(told["status"])


class ForkedProcess(OwnProcess):
    """The bot of tests/stories, begun the quick way."""

    def __init__(
        self, nursery: Nursery, office: Office, folder: Path, *, port: int | None = None, **settings: Any
    ) -> None:
        super().__init__(office, folder, port=port, **settings)
        self._nursery = nursery

    async def _launch(self) -> Forked:
        # Nothing here speaks TLS, and reading every authority anew is an eighth of a start's time.
        environment = self._environment() | {"SSL_CERT_FILE": os.devnull}
        return await self._nursery.fork(environment, self._folder, self.log)
