"""Whether what stands in Slack is what PagerDuty knows, as far as an onlooker can tell."""

from __future__ import annotations

from bot.sandbox.pagerduty import FakePagerDuty, Incident
from bot.sandbox.slack import FakeSlack
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
        for standing in self.messages().values():
            followed = self._followed(standing)
            for incident in changed:
                message = standing.get(incident.id)
                if message is None:
                    count += incident.is_open and incident.service in followed
                else:
                    count += not says(message, incident)
        return count

    def _followed(self, standing: dict[str, Message]) -> set[str]:
        """The services a channel follows, judged by what has appeared in it: many kinds mean all."""
        state = self._pagerduty.state
        seen = {state.incidents[id_].service for id_ in standing if id_ in state.incidents}
        return set(state.services) if len(seen) >= _FOLLOWS_ALL else seen


def about(message: Message) -> str | None:
    """The incident that a message's metadata names."""
    payload = (message.metadata or {}).get("event_payload")
    incident = payload.get("incident") if isinstance(payload, dict) else None
    return incident if isinstance(incident, str) else None


def says(message: Message, incident: Incident) -> bool:
    """Whether the message's plain text names the incident's state; a merged one names none."""
    return bool(incident.merged_into) or incident.status in message.text.casefold()
