"""Slack as a person sees and uses it: channels, messages, buttons, menus, forms, private replies."""

from __future__ import annotations

import json
import re
from collections.abc import Container
from typing import Any

from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.slack.state import Message
from bot.sandbox.visitor import Visitor
from tests.stories.reading import Control, controls_of, words_of
from tests.stories.waiting import PATIENCE, until


class Seen:
    """One message, looked at anew each time."""

    def __init__(self, slack: FakeSlack, channel: str, ts: str) -> None:
        self._slack = slack
        self.channel = channel
        self.ts = ts

    @property
    def _message(self) -> Message:
        place = self._slack.workspace.channel(self.channel)
        return place.messages.get(self.ts) or place.ephemerals[self.ts]

    @property
    def text(self) -> str:
        """The plain text: what a notification or a screen reader says."""
        return self._message.text

    @property
    def words(self) -> str:
        """What stands in its blocks."""
        return words_of(self._message.blocks) or self.text

    @property
    def edits(self) -> int:
        """How often it was edited."""
        return self._message.edits

    @property
    def controls(self) -> list[Control]:
        """Whatever can be pressed."""
        return controls_of(self._message.blocks)

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons, without menu entries."""
        return [one.label for one in self.controls if one.option is None]

    @property
    def menu(self) -> list[str]:
        """The labels of its menu entries."""
        return [one.label for one in self.controls if one.option is not None]

    def thread(self) -> list[Seen]:
        """The replies under it, oldest first."""
        place = self._slack.workspace.channel(self.channel)
        replies = [m for m in place.messages.values() if m.is_reply and m.thread_ts == self.ts]
        return [Seen(self._slack, self.channel, m.ts) for m in replies]

    async def press(self, label: str, by: str) -> None:
        """Press a button or choose a menu entry; the bot must answer Slack at once and well."""
        control = next((one for one in self.controls if one.label == label), None)
        assert control is not None, f"there is no {label!r} here, only {[one.label for one in self.controls]}"
        chosen: dict[str, Any] = {} if control.option is None else {"option": control.value}
        if control.option is None:
            chosen["value"] = control.value
        answer = await self._slack.action(
            by, control.action_id, channel=self.channel, message=self.ts, **chosen
        )
        assert answer.status == 200, f"Slack showed {answer.failure} to {by}: {answer.status} {answer.body}"

    async def follow(self, label: str, by: str) -> str:
        """Press a button that leads out of Slack; where it leads."""
        url = next((one.url for one in self.controls if one.label == label), "")
        await self.press(label, by)
        assert url, f"{label!r} leads nowhere"
        return url

    async def answers(self, label: str, by: str, words: str) -> Seen:
        """Press something, and wait for the new private reply that says `words`."""
        place = Place(self._slack, self.channel)
        before = {one.ts for one in place.private(by)}
        await self.press(label, by)
        return await place.expect_private(by, words, but=before)

    async def expect(self, *wanted: str, buttons: list[str] | None = None, within: float = PATIENCE) -> None:
        """Wait until it says all of these, and has just these buttons."""

        def true() -> bool:
            said = f"{self.words} {self.text}"
            return all(one in said for one in wanted) and (buttons is None or self.buttons == buttons)

        await until(
            lambda: true() or None,
            lambda: f"wanted {wanted} {buttons}, but it says {self.text!r} / {self.words!r} {self.buttons}",
            within=within,
        )


class Place:
    """A channel through one person's eyes."""

    def __init__(self, slack: FakeSlack, channel: str) -> None:
        self._slack = slack
        self.id = channel

    def messages(self) -> list[Seen]:
        """What stands in the channel itself, oldest first, without replies and private ones."""
        place = self._slack.workspace.channel(self.id)
        return [Seen(self._slack, self.id, m.ts) for m in place.messages.values() if not m.is_reply]

    def about(self, words: str) -> list[Seen]:
        """The channel's messages that say this."""
        return [one for one in self.messages() if words in one.words or words in one.text]

    def names(self, number: int) -> bool:
        """A message of the channel names this incident, its own or a storm's page, in blocks and in plain
        text.
        """
        label = re.compile(rf"#{number}\b")
        return any(label.search(one.words) and label.search(one.text) for one in self.messages())

    def private(self, user: str) -> list[Seen]:
        """What only this person sees here, oldest first."""
        place = self._slack.workspace.channel(self.id)
        mine = [m for m in place.ephemerals.values() if m.seen_by == user]
        return [Seen(self._slack, self.id, m.ts) for m in sorted(mine, key=lambda m: m.ts)]

    def answers(self, user: str) -> list[Seen]:
        """The same without what tells to wait for an answer, which comes only where the answer takes long."""
        return [one for one in self.private(user) if "Working on it" not in one.text]

    async def expect_message(self, words: str, *, within: float = PATIENCE) -> Seen:
        """Wait for one message that says this; two are a fault."""
        found = await until(
            lambda: self.about(words) or None,
            lambda: f"nobody said {words!r} in {self.id}; there is {[one.text for one in self.messages()]}",
            within=within,
        )
        assert len(found) == 1, (
            f"{words!r} stands {len(found)} times: {json.dumps([one.text for one in found])}"
        )
        return found[0]

    async def expect_private(
        self, user: str, words: str, *, within: float = PATIENCE, but: Container[str] = ()
    ) -> Seen:
        """Wait for a private reply that says this; the newest one, and none of those `but`."""

        def look() -> Seen | None:
            found = [one for one in reversed(self.private(user)) if one.ts not in but]
            return next((one for one in found if words in one.words or words in one.text), None)

        return await until(
            look,
            lambda: f"{user} was not told {words!r}; was told {[one.words for one in self.private(user)]}",
            within=within,
        )


class Person:
    """Someone at Slack."""

    def __init__(self, slack: FakeSlack, user: str) -> None:
        self._slack = slack
        self.id = user

    async def types(self, line: str, channel: Place) -> None:
        """A slash command."""
        answer = await self._slack.command(self.id, channel.id, line)
        assert answer.status == 200, f"Slack showed {answer.failure}: {answer.status} {answer.body}"

    async def asks(self, line: str, channel: Place, words: str) -> Seen:
        """A slash command, and the new private reply that says `words`."""
        before = {one.ts for one in channel.private(self.id)}
        await self.types(line, channel)
        return await channel.expect_private(self.id, words, but=before)

    async def mentions(self, line: str, channel: Place, thread_ts: str | None = None) -> None:
        """`@pagerline …`, in the channel or in a thread."""
        answer = await self._slack.mention(self.id, channel.id, line, thread_ts)
        assert answer.status == 200, f"Slack showed {answer.failure}: {answer.status} {answer.body}"

    async def writes(self, line: str, channel: Place) -> None:
        """A plain message, as in the bot's own conversation."""
        answer = await self._slack.message(self.id, channel.id, line)
        assert answer.status == 200, f"Slack showed {answer.failure}: {answer.status} {answer.body}"

    def browser(self) -> Visitor:
        """A browser of their own: `async with` it."""
        return Visitor(self.id)

    async def form(self) -> dict[str, Any]:
        """The form on this person's screen, once it is there and no longer loading."""

        def look() -> dict[str, Any] | None:
            view = self._slack.views.top(self.id)
            ready = view is not None and any(b["type"] == "input" for b in view.payload["blocks"])
            return view.payload if view is not None and ready else None

        return await until(look, f"no form opened for {self.id}")

    async def fills(self, **values: Any) -> Any:
        """Fill in and submit the form; returns what the bot answered."""
        await self.form()
        return await self._slack.submit(self.id, values=values)

    async def is_offered(self, field: str, typed: str) -> list[str]:
        """What a picker of the open form offers for what was typed so far."""
        await self.form()
        view = self._slack.views.top(self.id)
        assert view is not None
        answer = await self._slack.options(self.id, field, typed, view=view.id)
        assert answer.failure is None, answer
        return [option["text"]["text"] for option in answer.body["options"]]

    async def view_labels(self) -> list[str]:
        """The buttons in the view on this person's screen, once there are any."""
        return [one.label for one in await self._view_controls()]

    async def presses_in_view(self, label: str) -> None:
        """Press a button of the view on this person's screen."""
        controls = await self._view_controls()
        control = next((one for one in controls if one.label == label), None)
        assert control is not None, f"there is no {label!r} here, only {[one.label for one in controls]}"
        view = self._slack.views.top(self.id)
        assert view is not None
        answer = await self._slack.action(self.id, control.action_id, view=view.id, value=control.value)
        assert answer.status == 200, f"Slack showed {answer.failure}: {answer.status} {answer.body}"

    async def closes_view(self) -> None:
        """Close whatever view is open."""
        if self._slack.views.top(self.id) is not None:
            await self._slack.close(self.id, every=True)

    async def sees(self, words: str) -> None:
        """Wait until the view on this person's screen says this."""

        def said() -> str:
            view = self._slack.views.top(self.id)
            return words_of(view.payload["blocks"]) if view is not None else ""

        await until(lambda: words in said(), lambda: f"{self.id} sees {said()!r}, not {words!r}")

    async def _view_controls(self) -> list[Control]:
        def look() -> list[Control] | None:
            view = self._slack.views.top(self.id)
            return controls_of(view.payload["blocks"]) or None if view is not None else None

        return await until(look, f"no buttons on the screen of {self.id}")
