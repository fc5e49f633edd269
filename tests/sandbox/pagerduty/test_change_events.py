"""What was changed before an incident, as far as the sandbox relates it."""

from __future__ import annotations

from bot.sandbox.pagerduty.server import FakePagerDuty
from tests.sandbox.pagerduty.conftest import Api


async def test_changes_of_its_service_stand_beside_it(api: Api, pagerduty: FakePagerDuty) -> None:
    keys = {one.id: one.routing_key for one in pagerduty.world.services}
    for service, summary in (("PSVCCHK", "Deployed 1"), ("PSVCPAY", "Elsewhere"), ("PSVCCHK", "Deployed 2")):
        body = {"routing_key": keys[service], "payload": {"summary": summary, "source": "ci"}}
        await api.call("POST", "/v2/change/enqueue", body, by=None)
    incident = pagerduty.trigger("PSVCCHK", "Disk full")
    status, answer = await api.call("GET", f"/incidents/{incident.id}/related_change_events?limit=5")
    assert status == 200
    told = [(one["summary"], one["correlation_reason"]["reason"]) for one in answer["change_events"]]
    assert told == [("Deployed 2", "most_recent"), ("Deployed 1", "related_service")]
