"""The walk: one incident from trigger to resolve, an answer, two forms, the page at work, and a storm."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Locator, Page

from tests.pictures.camera import Camera

PICTURES = (
    "page",
    "message-triggered",
    "message-escalated",
    "message-acknowledged",
    "message-resolved",
    "oncall",
    "form-note",
    "form-trigger",
    "storm",
)
ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
CHECKOUT = "C0CHECK"
ALICE, BOB = "U0ALICE", "PBOB002"
TITLE = "Checkout API p99 latency above 2 s"
START_SECONDS = 60.0


@asynccontextmanager
async def running_sandbox() -> AsyncIterator[str]:
    """`python -m bot sandbox --quiet`, as people start it; its page's URL. Ended by its own process."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "sandbox", "--port", str(port), "--quiet"),
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stdout:
                if line.startswith(b"Open "):
                    break
            else:
                raise RuntimeError("The sandbox ended before it was open: run `make sandbox` to see why.")
        yield line.decode().removeprefix("Open ").strip()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


class Hands:
    """Does in Slack and PagerDuty what the page's own controls do."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def _do(self, path: str, **body: Any) -> Any:
        async with self._session.post(f"{self._url}/do/{path}", json=body) as answer:
            said = await answer.json()
            if answer.status != 200:
                raise RuntimeError(f"The sandbox refused {path} {body}: {said}")
            return said

    async def types(self, text: str, user: str = ALICE) -> None:
        """A slash command in #checkout."""
        await self._do("slack/command", user=user, channel=CHECKOUT, text=text)

    async def says(self, text: str, user: str = ALICE) -> None:
        """Ordinary words in #checkout."""
        await self._do("slack/message", user=user, channel=CHECKOUT, text=text)

    async def trigger(self, title: str, service: str = "PSVCCHK", **more: Any) -> str:
        """An incident; its id."""
        return str((await self._do("pagerduty/trigger", service=service, title=title, **more))["id"])

    async def storm(self, count: int) -> None:
        """So many incidents at once, over all services."""
        await self._do("trouble/storm", count=count)

    async def act(self, incident: str, verb: str, by: str = BOB, **more: Any) -> None:
        """Somebody acts in PagerDuty itself."""
        await self._do("pagerduty/act", incident=incident, verb=verb, by=by, **more)


def message(words: str) -> Callable[[Page], Locator]:
    """The first message in the channel that says this; its thread's loud news come after it."""
    return lambda page: page.locator("#messages > li", has_text=words).first


def form(page: Page) -> Locator:
    return page.locator("dialog#modal[open]")


async def walk(browser: Browser, folder: Path) -> list[str]:
    """Take every picture into `folder`; the names of those taken."""
    async with running_sandbox() as url, aiohttp.ClientSession() as session:
        camera = Camera(browser, url, folder)
        hands = Hands(session, url)
        await camera.open(width=1280, height=800, reader="Alice Anderson")
        await camera.everywhere(lambda page: page.get_by_role("button", name="Skip the tour").click())
        # The day's line stands over its first message: let that be somebody's own.
        await hands.says("Deploying the new basket to everybody now.")
        try:
            await _one_incident(camera, hands)
            await _answer_and_forms(camera, hands)
            await _whole_page(camera, hands)
            await _storm(camera, hands)
        finally:
            await camera.close()
        return camera.taken


async def _one_incident(camera: Camera, hands: Hands) -> None:
    shown = message(TITLE)
    incident = await hands.trigger(TITLE, urgency="high", priority="P1")
    await camera.wait_for(shown, "Triggered", "level 1 of 3", "Acknowledge")
    await camera.take("message-triggered", shown)

    await camera.page.get_by_label("I am").select_option(label="Alice Anderson")
    await shown(camera.page).get_by_role("button", name="Escalate").click()
    await camera.wait_for(shown, "level 2 of 3", "1 reply")
    await camera.take("message-escalated", shown)

    await hands.act(incident, "acknowledge")
    await camera.wait_for(shown, "Acknowledged", "Bob Brown", "triggers again at")
    await camera.take("message-acknowledged", shown)

    await hands.act(
        incident, "note", text="A deploy doubled the connection pool. Rolled back, p99 is falling."
    )
    await hands.act(incident, "resolve")
    await camera.wait_for(shown, "Resolved", "Bob Brown", "2 replies")
    await camera.take("message-resolved", shown)


async def _answer_and_forms(camera: Camera, hands: Hands) -> None:
    await hands.types("oncall checkout")
    answer = message("On call")
    await camera.wait_for(answer, "Alice Anderson", "Bob Brown")
    await camera.take("oncall", answer)

    incident = await hands.trigger("Card payments time out", urgency="high", priority="P2")
    shown = message("Card payments time out")
    await camera.wait_for(shown, "level 1 of 3", "Acknowledge")
    await hands.types(f"note {incident}")
    await camera.wait_for(form, "Note")

    async def write(page: Page) -> None:
        await form(page).locator("textarea").first.fill("The processor confirms an outage. Failing over.")

    await camera.everywhere(write)
    await camera.take("form-note", form)
    await form(camera.page).get_by_role("button", name="Cancel").click()

    await hands.types("trigger")
    await camera.wait_for(form, "Service")

    async def choose(page: Page) -> None:
        await form(page).get_by_role("combobox", name="Service").fill("check")
        await form(page).get_by_role("option", name="Checkout").click()
        await form(page).get_by_label("Title").fill("Basket is empty after login")

    await camera.everywhere(choose)
    await camera.take("form-trigger", form)
    await form(camera.page).get_by_role("button", name="Cancel").click()


async def _whole_page(camera: Camera, hands: Hands) -> None:
    answer = message("On call")
    await camera.everywhere(lambda page: answer(page).get_by_role("button", name="Dismiss").click())
    shown = message("Card payments time out")
    await shown(camera.page).get_by_role("button", name="Acknowledge").click()
    await camera.wait_for(shown, "Acknowledged", "Alice Anderson")
    await hands.trigger("Search index is 20 minutes behind", service="PSVCSEA", urgency="low", priority="P3")
    await hands.trigger("Basket service answers 502", urgency="high", priority="P1")
    newest = message("Basket service answers 502")
    await camera.wait_for(shown, "triggers again at")
    await camera.wait_for(newest, "level 1 of 3", "Acknowledge")
    await camera.take("page")


async def _storm(camera: Camera, hands: Hands) -> None:
    await hands.storm(80)
    page = message("incidents of a storm")
    await camera.wait_for(page, "16 triggered", "Acknowledge mine")
    await camera.take("storm", page)
