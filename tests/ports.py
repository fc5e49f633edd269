"""Ports for servers that start later: whoever asks the system for any port meanwhile is given another."""

from __future__ import annotations

import socket
from typing import Self

HOST = "127.0.0.1"


class Ports:
    """Held until closed, by sockets that do not listen: a server that reuses addresses, as asyncio's do,
    may listen there, stop, and listen again.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def take(self) -> int:
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        self._held.append(holder)
        return int(holder.getsockname()[1])

    def close(self) -> None:
        for holder in self._held:
            holder.close()
        self._held.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
