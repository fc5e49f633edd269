"""One request to PagerDuty and its answer, once: what may be repeated is bot/pagerduty/http.py's to decide.
Whether anything can have happened must be known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp

from bot.errors import PagerDutyUnavailable
from bot.pagerduty.answers import Reply
from bot.pagerduty.wire import HARMLESS

CONNECT_SECONDS = 5.0


class _Dropped(Exception):
    """The connection was lost after the request had gone out."""


async def _only_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keeps aiohttp from repeating a PUT by itself when its connection drops, whatever session it is: it does
    so for its own exceptions only. What may have happened is looked at before it is repeated.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Dropped from error


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    seconds: float,
    clock: Callable[[], datetime],
) -> Reply:
    """Whatever status comes within so many `seconds`; `clock` gives UTC. Raises PagerDutyUnavailable, with
    `maybe_done` where a write may have reached PagerDuty. Redirects are not followed: they would get our key.
    """
    # Connecting fails before the whole call does, so that "nothing was sent" is known and not guessed.
    connect = min(CONNECT_SECONDS, seconds * 0.8)
    timeout = aiohttp.ClientTimeout(total=seconds, connect=connect, sock_connect=connect)
    sent_at, is_write = clock(), method not in HARMLESS
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            data=body,
            timeout=timeout,
            allow_redirects=False,
            middlewares=(_only_once,),
        ) as answer:
            return Reply(answer.status, answer.headers, await answer.text("utf-8", "replace"), sent_at)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise PagerDutyUnavailable(f"PagerDuty cannot be reached ({type(error).__name__})") from None
    except TimeoutError:
        raise PagerDutyUnavailable("PagerDuty did not answer in time", maybe_done=is_write) from None
    except (aiohttp.ClientError, OSError, _Dropped):
        raise PagerDutyUnavailable("The connection to PagerDuty broke", maybe_done=is_write) from None
