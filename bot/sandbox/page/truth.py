"""Whether what stands in Slack is what PagerDuty knows, as far as an onlooker can tell."""

from __future__ import annotations

from bot.sandbox.pagerduty import FakePagerDuty, Incident
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.state import Message

_FOLLOWS_ALL = 3  # services; a channel with so many of them is taken to follow every one
_NEW_ENOUGH = 0.5  # seconds in which nobody expects anything to have happened yet


class Truth:
    """Reads both fakes. A message tells by its metadata which incident it is about."""

    def __init__(self, slack: FakeSlack, pagerduty: FakePagerDuty) -> None:
        self._slack = slack
        self._pagerduty = pagerduty

    def messages(self) -> dict[str, dict[str, Message]]:
        """The living messages by channel and then by incident, without what stands in threads."""
        found: dict[str, dict[str, Message]] = {}
        for message in self._slack.workspace.posted:
            incident = about(message)
            stands = self._slack.workspace.channels[message.channel].messages
            if incident and not message.is_reply and message.ts in stands:
                found.setdefault(message.channel, {})[incident] = message
        return found

    def behind(self, *, since: float) -> int:
        """How many messages are missing or say another state than the incident's, of incidents that changed
        after `since` (UNIX seconds).
        """
        now = self._slack.workspace.clock()
        changed = [
            incident
            for incident in self._pagerduty.state.incidents.values()
            if since <= incident.updated_at.timestamp() <= now - _NEW_ENOUGH
        ]
        count = 0
        for channel, standing in self.messages().items():
            followed = self._followed(standing)
            rows = self._page_rows(channel)
            for incident in changed:
                message = standing.get(incident.id)
                if message is None:
                    missing = incident.is_open and incident.service in followed
                    count += missing and not any(_tells(row, incident) for row in rows)
                else:
                    count += not says(message, incident)
        return count

    def _page_rows(self, channel: str) -> list[str]:
        """The lines of the channel's pages: a storm's incidents have one instead of a message."""
        return [
            row
            for message in self._slack.workspace.channels[channel].messages.values()
            if _payload(message).get("kind") == "page"
            for block in message.blocks
            if isinstance(block.get("text"), dict)
            for row in str(block["text"].get("text", "")).split("\n")
        ]

    def _followed(self, standing: dict[str, Message]) -> set[str]:
        """The services a channel follows, judged by what has appeared in it: many kinds mean all."""
        state = self._pagerduty.state
        seen = {state.incidents[id_].service for id_ in standing if id_ in state.incidents}
        return set(state.services) if len(seen) >= _FOLLOWS_ALL else seen


def about(message: Message) -> str | None:
    """The incident that a message's metadata names."""
    incident = _payload(message).get("incident")
    return incident if isinstance(incident, str) else None


def _payload(message: Message) -> Json:
    payload = (message.metadata or {}).get("event_payload")
    return payload if isinstance(payload, dict) else {}


def _tells(row: str, incident: Incident) -> bool:
    """Whether a page's line names the incident and its state."""
    return f"|#{incident.number}>" in row and incident.status in row.casefold()


def says(message: Message, incident: Incident) -> bool:
    """Whether the message's plain text names the incident's state; a merged one names none."""
    return bool(incident.merged_into) or incident.status in message.text.casefold()
