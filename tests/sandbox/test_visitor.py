"""A browser without a screen walks pages as a person would."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.sandbox.sign_in_page import PRESENT_PERSON
from bot.sandbox.visitor import DeadEnd, Visitor

PAGE = """<!doctype html><title>no words</title><style>p { no: words }</style><p>Hello <b>you</b></p>
<form method="post" action="/told?x=1"><input type="hidden" name="who" value="a &amp; b">
<button name="said" value="yes">Yes,
<i>please</i></button><button name="said" value="no">No</button></form>"""


class Pages:
    """A site that remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.cookies: list[dict[str, str]] = []

    async def ask(self, request: web.Request) -> web.Response:
        self.cookies.append(dict(request.cookies))
        answer = web.Response(text=PAGE, content_type="text/html")
        answer.set_cookie("mine", "kept")
        return answer

    async def told(self, request: web.Request) -> web.Response:
        self.sent.append({k: str(v) for k, v in (await request.post()).items()})
        self.cookies.append(dict(request.cookies))
        raise web.HTTPSeeOther("/end")

    async def end(self, _request: web.Request) -> web.Response:
        return web.Response(text="<p>Done</p>", content_type="text/html")


@pytest.fixture
async def site() -> AsyncIterator[tuple[Pages, str]]:
    pages = Pages()
    application = web.Application()
    application.router.add_get("/", pages.ask)
    application.router.add_post("/told", pages.told)
    application.router.add_get("/end", pages.end)
    application.router.add_post("/", pages.ask)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield pages, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_it_presses_what_a_form_holds_and_keeps_cookies(site: tuple[Pages, str]) -> None:
    pages, origin = site
    async with Visitor("U0UMA") as browser:
        await browser.opens(origin)
        assert (browser.words, browser.buttons) == ("Hello you Yes, please No", ["Yes, please", "No"])
        await browser.presses("No")
        assert (browser.words, browser.address) == ("Done", f"{origin}/end")
    assert pages.sent == [{"who": "a & b", "said": "no"}]
    assert pages.cookies == [{PRESENT_PERSON: "U0UMA"}, {PRESENT_PERSON: "U0UMA", "mine": "kept"}]


async def test_it_agrees_until_nothing_is_asked(site: tuple[Pages, str]) -> None:
    pages, origin = site
    async with Visitor() as browser:
        await (await browser.opens(origin)).agrees()
        assert browser.words == "Done"
        with pytest.raises(DeadEnd, match="no 'Yes'"):
            await browser.presses("Yes")
    assert pages.sent[0]["said"] == "yes"
