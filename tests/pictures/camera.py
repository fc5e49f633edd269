"""Two browsers on the same sandbox, one light and one dark: every picture is taken in both."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.pictures.png import indexed_png

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SHARPNESS = 2  # device pixels per CSS pixel
PALETTE = (Path(__file__).parent / "palette.js").read_text("utf-8")
MOST_BYTES = 150_000
COLOURS = (256, 160, 96, 48)  # the first that makes the file small enough
# Nothing of what stands around a part shows at its rim.
RIM = """
dialog::backdrop { background: Canvas !important; opacity: 1 }
nav { border-color: transparent !important }
"""
# Looked up at once: a message that changes is drawn anew, and its node is another one then.
PLACE = """
part => {
  part.scrollIntoView({ block: "nearest", behavior: "instant" });
  const { x, y, width, height } = part.getBoundingClientRect();
  return { x, y, width, height };
}
"""
PATIENCE = 60_000  # milliseconds until what a picture shows must be there


def file_name(name: str, scheme: Scheme) -> str:
    """What a picture is called."""
    return f"{name}-{scheme}.png"


class Camera:
    """Opens the page twice; acts happen in the light one, and the dark one follows as any reader's does."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self._browser = browser
        self._url = url
        self._folder = folder
        self._contexts: list[BrowserContext] = []
        self.pages: dict[Scheme, Page] = {}
        self.taken: list[str] = []

    @property
    def page(self) -> Page:
        """The page one acts on."""
        return self.pages["light"]

    async def open(self, *, width: int, height: int, reader: str) -> None:
        """Both pages, read by the person of this name."""
        for scheme in SCHEMES:
            context = await self._browser.new_context(
                viewport={"width": width, "height": height},
                device_scale_factor=SHARPNESS,
                color_scheme=scheme,
                reduced_motion="reduce",
                timezone_id="Europe/Berlin",
                locale="en-GB",
                bypass_csp=True,  # for RIM
            )
            context.set_default_timeout(PATIENCE)
            self._contexts.append(context)
            self.pages[scheme] = page = await context.new_page()
            await page.goto(self._url)
            await page.get_by_label("I am").select_option(label=reader)

    async def everywhere(self, act: Callable[[Page], Awaitable[object]]) -> None:
        """Do the same on both pages."""
        for page in self.pages.values():
            await act(page)

    async def wait_for(self, find: Callable[[Page], Locator], *words: str) -> None:
        """Until both pages say all of this there."""
        for page in self.pages.values():
            for word in words:
                await expect(find(page)).to_contain_text(word, timeout=PATIENCE)

    async def take(self, name: str, find: Callable[[Page], Locator] | None = None) -> None:
        """Write the picture of this part, or of the whole page, in both schemes."""
        for scheme, page in self.pages.items():
            await page.mouse.move(0, 0)
            clip: Any = None if find is None else await find(page).evaluate(PLACE)
            shot = await page.screenshot(clip=clip, style=RIM if clip else None)
            (self._folder / file_name(name, scheme)).write_bytes(await self._reduced(shot))
        self.taken.append(name)

    async def _reduced(self, shot: bytes) -> bytes:
        """The same picture in as many colours as its size allows; a blank page counts them."""
        studio = await self._contexts[0].new_page()
        png = shot
        for most in COLOURS:
            found = await studio.evaluate(PALETTE, [base64.b64encode(shot).decode(), most])
            pixels = base64.b64decode(found["pixels"])
            png = indexed_png(found["width"], found["height"], found["palette"], pixels)
            if len(png) <= MOST_BYTES:
                break
        await studio.close()
        return png

    async def close(self) -> None:
        for page in self.pages.values():
            # Left before the sandbox stops: a lost connection would show.
            await page.goto("about:blank")
        for context in self._contexts:
            await context.close()
