"""The channel as the people in it see it: our messages in its history, and what they say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.errors import UserError
from bot.model import Incident, Status
from bot.render.text import line
from bot.slack.client import Found, Slack
from bot.slack.failures import ChannelClosed, ScopeMissing
from bot.slack.marks import AS_OF, Mark

SCRATCH = "gameday"
"""The kind of mark of what a game day posts itself."""
_STATES = {
    Status.TRIGGERED: "Triggered",
    Status.ACKNOWLEDGED: "Acknowledged",
    Status.RESOLVED: "Resolved",
}
_EACH_STATE = re.compile(rf"(?=\b(?:{'|'.join(_STATES.values())})\b)")


class View:
    """`since`: UTC epoch seconds before anything happened."""

    def __init__(self, slack: Slack, channel_id: str, *, since: float) -> None:
        self._slack = slack
        self._since = since
        self._before: frozenset[str] = frozenset()
        self.channel_id = channel_id

    async def refuse_unless_readable(self) -> str:
        """The channel's name. Raises UserError when what stands there cannot be read."""
        try:
            channel = await self._slack.channel(self.channel_id)
            if channel.is_archived or not channel.is_member:
                raise UserError(f"The bot is not in {self.channel_id}: invite it there, then try again.")
            await self._slack.history(self.channel_id, oldest=self._since)
        except ChannelClosed:
            raise UserError(
                f"The bot cannot see {self.channel_id}: invite it there, then try again."
            ) from None
        except ScopeMissing as missing:
            raise UserError(
                f"The bot may not read the channel: add the scope {missing.needed or 'channels:history'} to "
                "the Slack app and install it again."
            ) from None
        return channel.name

    async def begin(self) -> None:
        """What stands there by now is not looked at: it may be of an earlier run."""
        self._before = frozenset(one.ts for one in await self._history())

    async def everything(self) -> list[Found]:
        """Our messages in the channel itself since we began, the newest first."""
        return [one for one in await self._history() if one.ts not in self._before]

    async def messages_of(self, incident: Incident) -> list[Found]:
        """Its own messages: there should be exactly one."""
        return [one for one in await self.everything() if _is(one, "incident", incident)]

    async def loud_lines(self, incident: Incident) -> list[Found]:
        """Its thread lines that were shown in the channel too."""
        return [one for one in await self.everything() if _is(one, "line", incident)]

    async def lines(self, incident: Incident) -> list[Found]:
        """Everything in the thread of its message."""
        found: list[Found] = []
        for message in await self.messages_of(incident):
            found += await self._slack.replies(self.channel_id, message.ts, oldest=self._since)
        return found

    async def notes_about_pagerduty(self) -> list[Found]:
        """As of when the channel is true: they are about no incident."""
        return [one for one in await self.everything() if one.mark is not None and one.mark.kind == AS_OF]

    async def wrong(self, incident: Incident) -> str:
        """How the channel differs from this state of the incident; empty: one message, and it is true."""
        found = await self.messages_of(incident)
        if not found:
            return "no message"
        if len(found) > 1:
            return f"{len(found)} messages of {incident.label}"
        return differs(found[0].text, incident)

    # --------------------------------------------------------------------------------- messages of our own

    async def scratch(self, text: str) -> str:
        """Post a message to be edited and deleted; its ts."""
        return (await self._slack.post(self.channel_id, text, mark=Mark(SCRATCH, 0))).ts

    async def edit(self, ts: str, text: str) -> None:
        """Edit it. Raises Limited when Slack has had enough."""
        await self._slack.update(self.channel_id, ts, text)

    async def remove_scratches(self) -> None:
        """Every one, also of a run that died."""
        for one in await self._history():
            if one.mark is not None and one.mark.kind == SCRATCH:
                await self._slack.delete(self.channel_id, one.ts)

    async def _history(self) -> list[Found]:
        return await self._slack.history(self.channel_id, oldest=self._since)


def differs(text: str, incident: Incident) -> str:
    """What a message's text does not say of the incident; empty: it says state, number and who has it."""
    state = _STATES[incident.status]
    if not text.startswith(state):
        return f"it says {text.partition(':')[0][:40]!r}, not {state!r}"
    if not _named(incident).search(text):
        return f"it does not name {incident.label}"
    first = next(iter(incident.assignees), None)
    if incident.is_open and first is not None and line(first.name, 80) not in text:
        return f"it does not say that {first.name} has it"
    return ""


def told_last(found: Sequence[Found], incident: Incident) -> str:
    """The state that the newest message naming the incident gives it: its own, a page or news; else ''.

    `found` is newest first. A page names many, each after the word for its state.
    """
    label = _named(incident)
    newest = next((one for one in found if label.search(one.text)), None)
    if newest is None:
        return ""
    parts = _EACH_STATE.split(newest.text)
    return next((part.split()[0].strip(":,.") for part in parts if part.strip() and label.search(part)), "")


def state_word(status: Status) -> str:
    """As messages say it."""
    return _STATES[status]


def _named(incident: Incident) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(incident.label)}\b")


def _is(found: Found, kind: str, incident: Incident) -> bool:
    return found.mark is not None and (found.mark.kind, found.mark.incident) == (kind, incident.id)
