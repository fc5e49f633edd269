"""A load generator that costs little: prepared bytes over kept connections; of answers, only their status.

Closed loop: every connection sends its next request when its answer is there. Open loop: requests leave at a
rate whatever the server does, and latency counts from when each was due, so that a stall is not left out.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

ANSWER_SECONDS = 60.0
LENGTH = re.compile(rb"(?i)\r\ncontent-length:\s*(\d+)")


@dataclass
class Load:
    """What came of it. `latencies` are seconds, in the order of the answers."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The latency that this share of the requests stayed below, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def expect(self, *statuses: int) -> Load:
        """Itself. Raises RuntimeError when the server answered anything else: such a figure means nothing."""
        if set(self.statuses) - set(statuses):
            raise RuntimeError(f"the server answered {dict(self.statuses)}, expected {statuses}")
        return self


class Connection(asyncio.Protocol):
    """One kept HTTP/1.1 connection, one request at a time; answers need a Content-Length."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connected."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._answer is None or self._answer.done():
            return
        length = LENGTH.search(self._buffer, 0, end + 2)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) >= whole:
            status = int(self._buffer[9:12])
            self._buffer = self._buffer[whole:]
            self._answer.set_result(status)

    async def ask(self, request: bytes) -> int:
        """The status of the answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def closed_loop(
    host: str, port: int, requests: Sequence[bytes], *, connections: int, seconds: float
) -> Load:
    """Each connection sends its next request when its answer is there, until time or requests are used up."""
    load = Load()
    left: Iterator[bytes] = iter(requests)
    opened = [await Connection.open(host, port) for _ in range(connections)]
    began = time.perf_counter()

    async def go(connection: Connection) -> None:
        for request in left:
            sent = time.perf_counter()
            load.statuses[await connection.ask(request)] += 1
            now = time.perf_counter()
            load.latencies.append(now - sent)
            if now - began > seconds:
                return

    try:
        async with asyncio.timeout(seconds + ANSWER_SECONDS):
            await asyncio.gather(*map(go, opened))
    finally:
        for connection in opened:
            connection.close()
    load.seconds = time.perf_counter() - began
    return load


async def open_loop(
    host: str,
    port: int,
    requests: Iterable[bytes],
    *,
    rate: float,
    connections: int,
    load: Load | None = None,
    patience: float = ANSWER_SECONDS,
) -> Load:
    """All requests, `rate` per second; one that finds no free connection waits, and its clock runs. A `load`
    that is given can be looked at meanwhile. `patience`: seconds for answers after the last one was sent.
    """
    load = load or Load()
    free = deque([await Connection.open(host, port) for _ in range(connections)])
    every = list(free)
    room = asyncio.Semaphore(connections)
    began = time.perf_counter()

    async def send(request: bytes, due: float) -> None:
        async with room:
            connection = free.popleft()
            load.statuses[await connection.ask(request)] += 1
            free.append(connection)
        load.latencies.append(time.perf_counter() - due)

    try:
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as tasks:
            for number, request in enumerate(requests):
                due = began + number / rate
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                tasks.create_task(send(request, due))
            limit.reschedule(asyncio.get_running_loop().time() + patience)
    finally:
        for connection in every:
            connection.close()
    load.seconds = time.perf_counter() - began
    return load
