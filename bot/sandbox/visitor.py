"""A person's browser without a screen: opens addresses, keeps cookies, follows redirects, presses buttons.

It knows nothing of whose pages it walks through, only HTML: what a form holds, and what its buttons say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import aiohttp

from bot.sandbox.sign_in_page import PRESENT_PERSON

MOST_PAGES = 10
_SILENT = frozenset({"style", "script", "title"})


class DeadEnd(Exception):
    """The page has no such button, or the walk leads on for ever."""


@dataclass
class Button:
    label: str = ""
    name: str = ""
    value: str = ""


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)


class _Reader(HTMLParser):
    """The words of a page, its links and its forms."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._leads_to = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _SILENT or tag == "button":
            self._open.append(tag)
        if tag == "a":
            self._leads_to = given.get("href", "")
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and self.forms:
            self.forms[-1].fields[given.get("name", "")] = given.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append(Button("", given.get("name", ""), given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._leads_to = ""
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside in _SILENT or not data.strip():
            return
        self.words.append(data.strip())
        if self._leads_to:
            self.links[data.strip()] = self._leads_to
        if inside == "button" and self.forms and self.forms[-1].buttons:
            button = self.forms[-1].buttons[-1]
            button.label = f"{button.label} {data.strip()}".strip()


class Visitor:
    """One browser. `person` is the Slack id of whoever sits there; an `async with` closes it.

    After each step `status`, `address` and `words` say what is on the screen.
    """

    def __init__(self, person: str = "") -> None:
        self._person = person
        self._session: aiohttp.ClientSession | None = None
        self._page = _Reader()
        self.status = 0
        self.address = ""
        self.visited: list[str] = []

    async def __aenter__(self) -> Self:
        # Addresses of this machine are plain IP addresses, whose cookies aiohttp would not keep otherwise.
        jar = aiohttp.CookieJar(unsafe=True)
        if self._person:
            jar.update_cookies({PRESENT_PERSON: self._person})
        self._session = aiohttp.ClientSession(cookie_jar=jar)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def words(self) -> str:
        """Everything the page says."""
        return " ".join(self._page.words)

    @property
    def buttons(self) -> list[str]:
        """What can be pressed, in reading order."""
        return [button.label for form in self._page.forms for button in form.buttons]

    async def opens(self, url: str) -> Self:
        """Go to an address, as after pressing a link."""
        await self._load("GET", url, None)
        return self

    async def follows(self, label: str) -> Self:
        """Press a link. Raises DeadEnd when there is none of this name."""
        if label not in self._page.links:
            raise DeadEnd(f"There is no {label!r} on {self.address}, only {list(self._page.links)}")
        return await self.opens(urljoin(self.address, self._page.links[label]))

    async def presses(self, label: str) -> Self:
        """Press a button and see where it leads. Raises DeadEnd when there is none of this name."""
        for form in self._page.forms:
            for button in form.buttons:
                if button.label == label:
                    sent = dict(form.fields)
                    if button.name:
                        sent[button.name] = button.value
                    await self._load("POST", urljoin(self.address, form.action), sent)
                    return self
        raise DeadEnd(f"There is no {label!r} on {self.address}, only {self.buttons}: {self.words}")

    async def agrees(self) -> Self:
        """Press the first button of every page until one has none. Raises DeadEnd after too many."""
        for _ in range(MOST_PAGES):
            if not self.buttons:
                return self
            await self.presses(self.buttons[0])
        raise DeadEnd(f"It never ends: {self.address}")

    async def _load(self, method: str, url: str, form: dict[str, str] | None) -> None:
        assert self._session is not None, "open the browser with `async with`"
        async with self._session.request(method, url, data=form) as answer:
            self._page = _Reader()
            self._page.feed(await answer.text())
            self.status, self.address = answer.status, str(answer.url)
            self.visited += [*(str(one.headers.get("Location")) for one in answer.history), self.address]
