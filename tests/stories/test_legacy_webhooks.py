"""An account that still has a generic V2 webhook: its incidents become messages all the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import aiohttp

from bot.sandbox.pagerduty.state import Incident
from tests.pagerduty.legacy_samples import BOB, body, message
from tests.stories.office import InProcess, Office

SECRET = "0123456789abcdef0123456789abcdef"


async def test_an_incident_told_by_v2_alone_is_followed_to_its_end(empty_office: Office) -> None:
    office = empty_office
    async with InProcess(office, pagerduty_v2_secrets=(SECRET,)):
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        office.pagerduty.webhooks.set_mode("drop")  # V3 is silent
        incident = await office.trigger("Cart is slow")
        assert await deliver(office, "incident.trigger", incident) == [202, 202]
        shown = await office.checkout.expect_message("Cart is slow")
        office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
        await deliver(office, "incident.acknowledge", office.truth(incident))
        await shown.expect("Acknowledged", "Bob Brown")
        office.pagerduty.act(incident.id, "resolve", by="PBOB002")
        await deliver(office, "incident.resolve", office.truth(incident))
        await shown.expect("Resolved", "Bob Brown")
        assert len(office.checkout.about("Cart is slow")) == 1


async def deliver(office: Office, kind: str, incident: Incident) -> list[int]:
    """As PagerDuty's old kind would: twice, to be sure. The statuses."""
    told: dict[str, Any] = message(kind)
    told["incident"] |= {
        "id": incident.id,
        "incident_number": incident.number,
        "created_at": incident.created_at.isoformat(),
    }
    told["created_on"] = datetime.now(UTC).isoformat()
    assert told["log_entries"][0]["agent"] == BOB
    url = f"{office.bot_url}/pagerduty/webhook?secret={SECRET}"
    statuses = []
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.post(url, data=body(told)) as answer:
                statuses.append(answer.status)
    return statuses
