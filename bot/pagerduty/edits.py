"""What is changed of one incident, in one write: `PUT /incidents/{id}` ("Update an incident" in its docs).

Pure. bot/pagerduty/client.py sends it; commands/update.py and `python -m bot incident update` make it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bot.errors import UserError
from bot.model import Incident, Priority, Status, Urgency

LONGEST_TITLE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """None: left as it is. `level` is 1-based; `resolution` goes with the status resolved alone.

    Raises UserError for what PagerDuty would not take, whatever the incident.
    """

    status: Status | None = None
    title: str | None = None
    level: int | None = None
    urgency: Urgency | None = None
    priority: Priority | None = None
    resolution: str = ""

    def __post_init__(self) -> None:
        if self.title is not None and not self.title.strip():
            raise UserError("A title cannot be empty. Say what is wrong in a few words.")
        if self.title is not None and len(self.title) > LONGEST_TITLE:
            raise UserError(f"The title has {len(self.title):,} characters; {LONGEST_TITLE:,} fit.")
        if self.resolution and self.status is not Status.RESOLVED:
            raise UserError("A resolution goes with the status resolved. Set that too, or leave it out.")
        if self.level is not None and self.status is Status.RESOLVED:
            raise UserError("Resolve it or move it to a level, not both.")

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The fields it changes, each with its new value in words."""
        told = {
            "status": self.status,
            "title": self.title,
            "level": self.level,
            "urgency": self.urgency,
            "priority": self.priority.name if self.priority else None,
        }
        return tuple((name, str(value)) for name, value in told.items() if value is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields it changes."""
        return tuple(name for name, _ in self.pairs)

    def beyond(self, incident: Incident) -> Edit:
        """The rest of it, where some is so already."""
        same_level = incident.level is not None and incident.level.number == self.level
        same_priority = _id(incident.priority) == _id(self.priority)
        left = replace(
            self,
            title=None if self.title == incident.title else self.title,
            level=None if same_level else self.level,
            urgency=None if self.urgency is incident.urgency else self.urgency,
            priority=None if same_priority else self.priority,
        )
        if self.status is incident.status:
            left = replace(left, status=None, resolution="")
        return left

    def why_not(self, incident: Incident) -> str:
        """Why PagerDuty would refuse it, or do what nobody wants, with what to do instead; else empty."""
        if not incident.is_open and self.status is Status.ACKNOWLEDGED:
            return (
                "It is resolved; acknowledging would reopen it. If you want that, set the status triggered."
            )
        if not incident.is_open and self.status is None and self.level is not None:
            return "It is resolved. To reopen it, set the status triggered as well."
        if self.level is not None and (self.urgency or incident.urgency) is Urgency.LOW:
            return "PagerDuty moves no low-urgency incident to a level. Set the urgency high as well."
        return ""

    def is_done(self, incident: Incident) -> bool | None:
        """Whether the incident is so; None where its level cannot be told."""
        left = self.beyond(incident)
        if not left.names:
            return True
        return None if left.names == ("level",) and incident.level is None else False

    def body(self) -> dict[str, Any]:
        """As PagerDuty takes it."""
        told: dict[str, Any] = {"type": "incident_reference"}
        if self.status is not None:
            told["status"] = str(self.status)
        if self.resolution:
            told["resolution"] = self.resolution
        if self.title is not None:
            told["title"] = self.title
        if self.level is not None:
            told["escalation_level"] = self.level
        if self.urgency is not None:
            told["urgency"] = str(self.urgency)
        if self.priority is not None:
            told["priority"] = {"id": self.priority.id, "type": "priority_reference"}
        return {"incident": told}


def _id(priority: Priority | None) -> str | None:
    return priority.id if priority else None
