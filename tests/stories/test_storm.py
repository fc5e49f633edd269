"""150 incidents in one channel within seconds, at Slack's real limits: readable, true, folded afterwards."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.pagerduty.state import Incident
from tests.stories.office import InProcess, Office
from tests.stories.slack_eyes import Seen
from tests.stories.waiting import until

MANY = 150
PATIENT = 60.0  # seconds; one post each would take 147
STORM: dict[str, Any] = {"pace_channel_burst": 3, "storm_calm_seconds": 3.0}


@pytest.fixture
async def stormy(empty_office: Office) -> AsyncIterator[Office]:
    """A bot that knows Slack's real pace, and a Slack that insists on it."""
    async with InProcess(empty_office, **STORM):
        await empty_office.carol.asks("subscribe Checkout", empty_office.checkout, "Checkout")
        empty_office.slack.limits.enabled = True
        yield empty_office


def messages(office: Office) -> list[Seen]:
    """What stands in the channel, oldest first."""
    place = office.slack.workspace.channel(office.checkout.id)
    return [Seen(office.slack, office.checkout.id, ts) for ts in sorted(place.messages, key=float)]


def pages(office: Office) -> list[Seen]:
    return [one for one in messages(office) if "Acknowledge mine" in one.buttons or "of a storm" in one.words]


def told(office: Office, incident: Incident, state: str) -> bool:
    """The newest message that names it says so."""
    label = re.compile(rf"#{incident.number}\b")
    named = [one for one in messages(office) if label.search(one.text)]
    parts = re.split(r"(?=\b(?:Triggered|Acknowledged|Resolved)\b)", named[-1].text) if named else []
    return any(part.startswith(state) and label.search(part) for part in parts)


async def test_a_storm_is_readable_true_and_folded(stormy: Office) -> None:
    office = stormy
    made = office.pagerduty.storm(MANY, ["PSVCCHK"])
    await until(
        lambda: all(office.checkout.names(one.number) for one in made), "not all are readable", within=PATIENT
    )
    assert 1 <= len(pages(office)) <= 12
    assert len(messages(office)) < 40

    # A press on a page names what it would acknowledge, to whoever pressed; its button does it.
    asked = await pages(office)[-1].answers(
        "Acknowledge Checkout", by="U0ALICE", words="Acknowledge 150 triggered"
    )
    await asked.press("Acknowledge 150", by="U0ALICE")

    def taken() -> list[Incident]:
        return [one for one in made if office.truth(one).status == "acknowledged"]

    await until(lambda: len(taken()) == MANY, "they were not acknowledged", within=PATIENT)
    await until(
        lambda: all(told(office, one, "Acknowledged") for one in taken()), "pages lag behind", within=PATIENT
    )

    for one in made[5:]:
        office.pagerduty.act(one.id, "resolve", by="PBOB002")
    await until(
        lambda: all(told(office, one, "Resolved") for one in made[5:]), "not all is true", within=PATIENT
    )
    summary = await until(
        lambda: next((one for one in messages(office) if "Storm over" in one.text), None),
        "it was never folded",
        within=2 * PATIENT,
    )
    assert f"{MANY} incidents" in summary.words
    assert "5 still open" in summary.words
    await until(lambda: not pages(office), "pages were left behind", within=PATIENT)
    for one in made[:5]:
        own = [
            seen for seen in messages(office) if one.title in seen.words and f"#{one.number}" in seen.words
        ]
        assert len([seen for seen in own if "Resolve" in seen.buttons]) == 1
    refused = [one for one in office.slack.journal if one.direction == "api" and one.status == 429]
    assert len(refused) <= 2
