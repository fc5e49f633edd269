"""Reading request bodies as PagerDuty does: wrapped objects, references by id, and a refusal that names the
field.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Literal

from bot.sandbox.pagerduty.failures import bad_request, invalid_input
from bot.sandbox.pagerduty.state import Json, State


def wrapped(body: Any, name: str) -> Json:
    """The object under its name (`{"incident": {…}}`); raises 2003 when it is missing."""
    inner = body.get(name) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        raise bad_request(2003, f"{name.replace('_', ' ').capitalize()} is required")
    return inner


def text(body: Json, name: str, *, longest: int | None = None) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid_input(f"{name.capitalize()} cannot be empty")
    if longest is not None and len(value) > longest:
        raise invalid_input(f"{name.capitalize()} is too long (maximum is {longest} characters)")
    return value


def optional_text(body: Json, name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_input(f"{name.capitalize()} must be a string")
    return value


def reference_id(value: Any, known: Container[str]) -> str | None:
    """The id in a reference when it is one we know, otherwise None."""
    id_ = value.get("id") if isinstance(value, dict) else None
    return id_ if isinstance(id_, str) and id_ in known else None


def urgency_of(body: Json) -> Literal["high", "low"] | None:
    match body.get("urgency"):
        case None:
            return None
        case "high":
            return "high"
        case "low":
            return "low"
        case _:
            raise invalid_input("Urgency must be one of: high, low")


def assignees_of(body: Json, state: State) -> tuple[str, ...]:
    """User ids of `assignments`; raises 1007 for an unknown one."""
    assignments = body.get("assignments") or []
    if not isinstance(assignments, list):
        raise invalid_input("Assignments must be an array")
    users = []
    for assignment in assignments:
        target = assignment.get("assignee") if isinstance(assignment, dict) else None
        user = reference_id(target, state.people)
        if user is None:
            raise bad_request(1007)
        users.append(user)
    return tuple(users)


def policy_of(body: Json, state: State) -> str | None:
    value = body.get("escalation_policy")
    if value is None:
        return None
    policy = reference_id(value, state.policies)
    if policy is None:
        raise bad_request(1014)
    return policy


def priority_of(value: Any, state: State) -> str:
    """A priority by reference or by name; of several with one name the most severe wins."""
    if isinstance(value, str):
        named = next((p.id for p in state.priorities.values() if p.name.lower() == value.lower()), None)
        if named is None:
            raise bad_request(1020)
        return named
    if not isinstance(value, dict) or not value.get("id"):
        raise invalid_input("Priority id cannot be empty")
    priority = reference_id(value, state.priorities)
    if priority is None:
        raise bad_request(1020)
    return priority


def bridge_of(body: Json) -> Json | None:
    """A conference bridge with both keys, or None when both are empty."""
    value = body.get("conference_bridge")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid_input("Conference bridge must be an object")
    bridge = {key: value.get(key) or None for key in ("conference_number", "conference_url")}
    url = bridge["conference_url"]
    if url is not None and not str(url).startswith(("http://", "https://")):
        raise invalid_input("Conference url must be a valid URL")
    return bridge if any(bridge.values()) else None
