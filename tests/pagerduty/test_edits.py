"""An edit of an incident: its body, what of it is so already, what would do harm; one write over the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import PagerDutyUnavailable, UserError
from bot.model import Incident, Level, Priority, Reference, Status, Urgency
from bot.pagerduty.edits import Edit
from tests.contract.pagerduty_openapi import available, check_exchange
from tests.pagerduty.test_acts import Desk, desk

__all__ = ["desk"]

P1 = Priority("PPRIO01", "P1", 0)


def incident(status: Status = Status.TRIGGERED, **more: Any) -> Incident:
    return Incident(
        id="Q1",
        title="Disk full",
        status=status,
        urgency=more.pop("urgency", Urgency.HIGH),
        service=Reference("PSVCCHK", "Checkout"),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        **more,
    )


def test_the_body_holds_what_is_new_and_nothing_else() -> None:
    edit = Edit(
        status=Status.ACKNOWLEDGED, title="Disk nearly full", level=2, urgency=Urgency.HIGH, priority=P1
    )
    assert edit.body() == {
        "incident": {
            "type": "incident_reference",
            "status": "acknowledged",
            "title": "Disk nearly full",
            "escalation_level": 2,
            "urgency": "high",
            "priority": {"id": "PPRIO01", "type": "priority_reference"},
        }
    }
    assert (
        Edit(status=Status.RESOLVED, resolution="Cleaned up").body()["incident"]["resolution"] == "Cleaned up"
    )


def test_what_is_so_already_falls_away() -> None:
    now = incident(Status.RESOLVED, level=Level(2, 3), priority=P1)
    edit = Edit(
        status=Status.RESOLVED, resolution="again", title="Disk full", urgency=Urgency.HIGH, priority=P1
    )
    assert edit.beyond(now) == Edit()
    assert edit.is_done(now) is True
    assert Edit(level=2).beyond(now).names == ()
    assert Edit(level=2).is_done(incident()) is None
    assert Edit(level=3, title="x").is_done(incident()) is False
    assert Edit(priority=P1).beyond(incident()).pairs == (("priority", "P1"),)


@pytest.mark.parametrize(
    ("edit", "now", "why"),
    [
        (Edit(status=Status.ACKNOWLEDGED), incident(Status.RESOLVED), "would reopen it"),
        (Edit(level=2), incident(Status.RESOLVED), "It is resolved"),
        (Edit(level=2), incident(urgency=Urgency.LOW), "low-urgency"),
        (Edit(level=2, urgency=Urgency.LOW), incident(), "low-urgency"),
        (Edit(level=2, urgency=Urgency.HIGH), incident(urgency=Urgency.LOW), ""),
        (Edit(status=Status.TRIGGERED, level=2), incident(Status.RESOLVED), ""),
        (Edit(title="x"), incident(Status.RESOLVED), ""),
    ],
)
def test_what_would_do_harm_is_not_asked_for(edit: Edit, now: Incident, why: str) -> None:
    said = edit.why_not(now)
    assert (why in said) if why else said == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"title": " "},
        {"title": "x" * 1025},
        {"resolution": "Done"},
        {"level": 2, "status": Status.RESOLVED},
    ],
)
def test_what_pagerduty_would_not_take_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        Edit(**fields)


async def test_it_is_one_write_as_documented(desk: Desk) -> None:
    made = desk.fake.trigger("Checkout", "Disk full")
    edit = Edit(
        status=Status.ACKNOWLEDGED, title="Disk nearly full", level=2, urgency=Urgency.HIGH, priority=P1
    )
    reading = await desk.alice.edit_incident(made.id, edit)
    assert (reading.incident.title, reading.incident.status) == ("Disk nearly full", Status.ACKNOWLEDGED)
    assert desk.calls() == [f"PUT /incidents/{made.id}"]
    if available():
        assert [problem for one in desk.fake.journal for problem in check_exchange(one)] == []


async def test_a_lost_answer_is_looked_for_and_what_is_harmless_is_repeated(desk: Desk) -> None:
    made = desk.fake.trigger("Checkout", "Disk full")
    desk.fake.outage("drop_after", methods=("PUT",), count=1)
    await desk.alice.edit_incident(made.id, Edit(status=Status.RESOLVED))
    assert [one.split()[0] for one in desk.calls()] == ["PUT", "GET"]
    other = desk.fake.trigger("Checkout", "Queue stuck")
    begin = len(desk.fake.journal)
    desk.fake.outage("drop_before", methods=("PUT",), count=1)
    reading = await desk.alice.edit_incident(other.id, Edit(title="Queue slow"))
    assert reading.incident.title == "Queue slow"
    assert [one.split()[0] for one in desk.calls(begin)][-1] == "PUT"


@pytest.mark.parametrize("edit", [Edit(level=2), Edit(status=Status.ACKNOWLEDGED)])
async def test_what_may_page_or_reopen_is_never_repeated(desk: Desk, edit: Edit) -> None:
    made = desk.fake.trigger("Checkout", "Disk full")
    desk.blind()
    with pytest.raises(PagerDutyUnavailable) as away:
        await desk.alice.edit_incident(made.id, edit)
    assert away.value.maybe_done
    assert [one.split()[0] for one in desk.calls()].count("PUT") == 1
