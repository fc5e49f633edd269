"""One session carries everybody's calls: what a server sets for one must not come back with another."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import web

from bot.pagerduty import http as pagerduty
from bot.slack import connection as slack
from tests.inbound.doors import serving


@pytest.mark.parametrize("open_session", [pagerduty.open_session, slack.open_session])
async def test_a_cookie_set_for_one_is_not_sent_for_the_next(
    open_session: Callable[[], aiohttp.ClientSession],
) -> None:
    brought: list[dict[str, str]] = []

    async def sets_a_cookie(request: web.Request) -> web.Response:
        brought.append(dict(request.cookies))
        answer = web.Response()
        answer.set_cookie("session", request.headers["Authorization"])
        return answer

    async with serving(("GET", "/", sets_a_cookie)) as origin, open_session() as session:
        by_name = origin.replace("127.0.0.1", "localhost")  # of an address, no jar would keep one
        for token in ("alices", "bobs"):
            async with session.get(by_name, headers={"Authorization": token}):
                pass
    assert brought == [{}, {}]
