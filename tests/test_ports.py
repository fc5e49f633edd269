"""A port that was taken is free for the server it was taken for, again and again, and for nobody else."""

from __future__ import annotations

import asyncio

from tests.ports import HOST, Ports


async def test_a_server_may_listen_there_and_listen_again() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    with Ports() as ports:
        port = ports.take()
        for _ in range(2):
            server = await asyncio.start_server(hang_up, HOST, port)
            reader, writer = await asyncio.open_connection(HOST, port)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            server.close()
            await server.wait_closed()


def test_nobody_else_is_given_it() -> None:
    with Ports() as ours, Ports() as theirs:
        port = ours.take()
        assert port not in [theirs.take() for _ in range(200)]
