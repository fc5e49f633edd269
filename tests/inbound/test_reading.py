"""The body of a request, as both doors read it: bounded in size and time, whoever sends it."""

from __future__ import annotations

import io

import aiohttp
from aiohttp import web

from bot.inbound.reading import LARGEST, Unreadable, read_body
from tests.inbound.doors import first_line, serving


async def echo(request: web.Request) -> web.Response:
    try:
        raw = await read_body(request, seconds=0.2)
    except Unreadable as refusal:
        return web.Response(status=refusal.status, text=refusal.text)
    return web.Response(body=raw)


async def test_a_body_comes_back_byte_for_byte() -> None:
    async with serving(("POST", "/", echo)) as origin, aiohttp.ClientSession() as session:
        for body in (b"", b"\x00\xff{", b"x" * LARGEST):
            async with session.post(origin, data=io.BytesIO(body)) as answer:
                assert (answer.status, await answer.read()) == (200, body)
        async with session.post(origin, data=io.BytesIO(b"x" * (LARGEST + 1))) as answer:
            assert answer.status == 413


async def test_one_that_is_slow_is_not_waited_for() -> None:
    async with serving(("POST", "/", echo)) as origin:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"
        assert " 408 " in await first_line(origin, head)


async def test_one_that_is_broken_is_refused() -> None:
    async with serving(("POST", "/", echo)) as origin:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
        assert " 400 " in await first_line(origin, head)
