"""The body of a request as raw bytes, for both doors: signatures are made over the bytes as they came.

Whoever sends may be anybody, slow or broken: size and time are limited, and only `Unreadable` is raised.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

LARGEST = 1024 * 1024  # bytes; PagerDuty sends at most 256 KB, Slack stays below 300
BODY_SECONDS = 10.0  # PagerDuty gives up after 5, Slack after 3


class Unreadable(Exception):
    """Answer `status` with the text; `outcome` is one word for the metrics."""

    def __init__(self, status: int, outcome: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.outcome = outcome
        self.text = text


async def read_body(request: web.Request, *, seconds: float = BODY_SECONDS) -> bytes:
    """At most LARGEST bytes within `seconds`. Raises Unreadable: 413, 408, or 400 for a body cut off."""
    too_large = Unreadable(413, "too_large", f"A body is at most {LARGEST} bytes.")
    if (request.content_length or 0) > LARGEST:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    try:
        if request.content.is_eof():  # as nearly always: it came together with its headers
            whole = request.content.read_nowait()
            if len(whole) > LARGEST:
                raise too_large
            return whole
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > LARGEST:
                    raise too_large
                chunks.append(chunk)
    except TimeoutError:
        raise Unreadable(408, "too_slow", f"The body took longer than {seconds:g} s.") from None
    except (web.RequestPayloadError, ConnectionError):
        raise Unreadable(400, "broken_body", "The body is not what its headers say.") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
