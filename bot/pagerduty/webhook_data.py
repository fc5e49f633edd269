"""What a webhook's `data` tells about an incident without showing it, by its `type`: notes, responders,
roles, tasks, actions, workflows, fields, the bridge; and what it tells about a service.

Called by webhooks.py for every data type but `incident`. The shapes are those of PagerDuty's webhook
documentation ("Event data types"); whatever of them is missing or strange is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.model import Bridge, Reference
from bot.pagerduty import fields

Json = Mapping[str, Any]
# Their text is that of the request, or of the task when it was made: told once already.
_REPEATS_ITS_TEXT = frozenset({"incident.responder.replied", "incident.task.completed"})


def told_about(kind: str, event_type: str, data: Json) -> dict[str, Any]:
    """Fields of an Event, by name; of a data type unknown to us, only which incident it is about."""
    told: dict[str, Any] = {"incident_id": _incident_id(data)}
    if read := _READERS.get(kind):
        told |= read(data, event_type)
    return told


def _note(data: Json, _type: str) -> dict[str, Any]:
    return {"text": fields.text(data.get("content")), "trimmed": data.get("trimmed") is True}


def _status_update(data: Json, _type: str) -> dict[str, Any]:
    return {"text": fields.text(data.get("message")), "trimmed": data.get("trimmed") is True}


def _responder(data: Json, event_type: str) -> dict[str, Any]:
    user = fields.reference(data.get("user"))
    return {
        "names": _names(user or fields.reference(data.get("escalation_policy"))),
        "calls": (user,) if user and event_type == "incident.responder.added" else (),
        "text": None if event_type in _REPEATS_ITS_TEXT else fields.text(data.get("message")),
        "state": fields.text(data.get("state")),
    }


def _bridge(data: Json, _type: str) -> dict[str, Any]:
    numbers = (fields.text(one.get("number")) for one in fields.objects(data.get("conference_numbers")))
    number, url = next(filter(None, numbers), None), fields.text(data.get("conference_url"))
    return {"bridge": Bridge(number, url) if number or url else None}


def _roles(data: Json, _type: str) -> dict[str, Any]:
    assignments = tuple(fields.objects(data.get("incident_role_assignments")))
    return {
        "incident_id": _incident_id(data) or next(filter(None, map(_incident_id, assignments)), None),
        "names": _names(*(fields.reference(one.get("role")) for one in assignments)),
        "old": _joined(_names(*(fields.reference(one.get("old_assignee")) for one in assignments))),
        "new": _joined(_names(*(fields.reference(one.get("assignee")) for one in assignments))),
    }


def _task(data: Json, event_type: str) -> dict[str, Any]:
    name = fields.text(data.get("name")) or fields.text(data.get("summary"))
    return {
        "names": (name,) if name else (),
        "text": None if event_type in _REPEATS_ITS_TEXT else fields.text(data.get("description")),
        "state": fields.text(data.get("status")),
    }


def _action(data: Json, _type: str) -> dict[str, Any]:
    return {"names": _names(fields.reference(data.get("action"))), "state": fields.text(data.get("state"))}


def _workflow(data: Json, _type: str) -> dict[str, Any]:
    return {"names": _names(fields.reference(data.get("incident_workflow")) or fields.reference(data))}


def _fields(data: Json, _type: str) -> dict[str, Any]:
    """`changed_custom_fields` holds what was before; old → new fits in a line when it was only one."""
    before = list(fields.objects(data.get("changed_custom_fields")))
    names = filter(None, (fields.text(one.get("name")) for one in before))
    told: dict[str, Any] = {"names": tuple(dict.fromkeys(names))}
    if len(before) == 1:
        now = {str(one.get("id")): one.get("value") for one in fields.objects(data.get("custom_fields"))}
        told |= {"old": _value(before[0].get("value")), "new": _value(now.get(str(before[0].get("id"))))}
    return told


def _service(data: Json, _type: str) -> dict[str, Any]:
    return {"incident_id": None, "about": fields.reference(data)}


def _service_fields(data: Json, event_type: str) -> dict[str, Any]:
    return {**_fields(data, event_type), "incident_id": None, "about": fields.reference(data.get("service"))}


_READERS: Mapping[str, Callable[[Json, str], dict[str, Any]]] = {
    "incident_note": _note,
    "incident_status_update": _status_update,
    "incident_responder": _responder,
    "incident_conference_bridge": _bridge,
    "incident_role_assignment": _roles,
    "incident_task": _task,
    "incident_action_invocation": _action,
    "incident_workflow_instance": _workflow,
    "incident_field_values": _fields,
    "service": _service,
    "service_field_values": _service_fields,
}


def _incident_id(data: Json) -> str | None:
    return fields.text(fields.mapping(data.get("incident")).get("id"))


def _names(*of: Reference | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.name for one in of if one))


def _joined(names: Iterable[str | None]) -> str | None:
    return ", ".join(filter(None, names)) or None


def _value(value: Any) -> str | None:
    """A custom field's value in words; fields of several values are flat lists."""
    return _joined(map(_word, value)) if isinstance(value, list) else _word(value)


def _word(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int | float) else fields.text(value)
