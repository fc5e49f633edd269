"""Whether what stands in Slack is what PagerDuty knows, as far as an onlooker can tell."""

from __future__ import annotations

from bot.sandbox.pagerduty import FakePagerDuty, Incident
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.state import Message

_NEW_ENOUGH = 0.5  # seconds in which nobody expects anything to have happened yet


class Truth:
    """Reads both fakes. A message tells by its metadata which incident it is about."""

    def __init__(self, slack: FakeSlack, pagerduty: FakePagerDuty) -> None:
        self._slack = slack
        self._pagerduty = pagerduty

    def messages(self) -> dict[str, list[Message]]:
        """The living messages of each incident, by its id, without what stands in threads."""
        found: dict[str, list[Message]] = {}
        for message in self._slack.workspace.posted:
            incident = about(message)
            stands = self._slack.workspace.channels[message.channel].messages
            if incident and not message.is_reply and message.ts in stands:
                found.setdefault(incident, []).append(message)
        return found

    def behind(self, *, since: float) -> int:
        """How many messages are missing or say another state than the incident's, of incidents that changed
        after `since` (UNIX seconds).
        """
        messages = self.messages()
        incidents = self._pagerduty.state.incidents
        # Nobody waits for messages about a service that no channel follows.
        followed = {incidents[id_].service for id_ in messages if id_ in incidents}
        now = self._slack.workspace.clock()
        count = 0
        for incident in incidents.values():
            changed = incident.updated_at.timestamp()
            if changed < since or now - changed < _NEW_ENOUGH:
                continue
            standing = messages.get(incident.id, [])
            if not standing:
                count += incident.is_open and incident.service in followed
            count += sum(not says(message, incident) for message in standing)
        return count


def about(message: Message) -> str | None:
    """The incident that a message's metadata names."""
    payload = (message.metadata or {}).get("event_payload")
    incident = payload.get("incident") if isinstance(payload, dict) else None
    return incident if isinstance(incident, str) else None


def says(message: Message, incident: Incident) -> bool:
    """Whether the message's plain text names the incident's state; a merged one names none."""
    return bool(incident.merged_into) or incident.status in message.text.casefold()
