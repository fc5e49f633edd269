"""Listing and reading incidents: filters, ranges, paging, sorting, includes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import aiohttp
import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from tests.sandbox.pagerduty.conftest import Api, running


async def numbers(api: Api, query: str) -> list[int]:
    return [i["incident_number"] for i in (await api.get(f"/incidents?{query}"))["incidents"]]


async def test_filters_narrow_the_list(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.trigger("Checkout", "one", priority="P1")
    pagerduty.trigger("Search", "two", urgency="low", incident_key="the-key")
    third = pagerduty.trigger("Login", "three")
    pagerduty.act(third.id, "resolve", "PBOB002")
    assert await numbers(api, "statuses[]=triggered&statuses[]=acknowledged") == [1234, 1235]
    assert await numbers(api, "statuses[]=resolved") == [1236]
    assert await numbers(api, "service_ids[]=PSVCCHK&service_ids[]=PSVCLOG") == [1234, 1236]
    assert await numbers(api, "team_ids[]=PTEAMPL") == [1235, 1236]
    assert await numbers(api, "urgencies[]=low") == [1235]
    assert await numbers(api, "incident_key=the-key") == [1235]
    assert await numbers(api, "priority_ids[]=PPRIO01") == [1234]
    assert await numbers(api, "sort_by=created_at:desc") == [1236, 1235, 1234]


async def test_asking_by_user_never_finds_resolved_incidents(api: Api, pagerduty: FakePagerDuty) -> None:
    first, second = pagerduty.storm(2, ["Checkout"])
    pagerduty.act(second.id, "resolve", "PALICE1")
    assert await numbers(api, "user_ids[]=PALICE1&date_range=all") == [first.number]


async def test_one_incident_by_id_or_number(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    assert (await api.incident("1234"))["id"] == incident.id
    assert (await api.incident(incident.id))["incident_number"] == 1234
    for unknown in ("9999", "QNOSUCH"):
        status, body = await api.call("GET", f"/incidents/{unknown}")
        assert (status, body["error"]["code"]) == (404, 2100)


async def test_pages_end_at_ten_thousand(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.storm(60)
    body = await api.get("/incidents?limit=25&offset=50&total=true")
    assert (len(body["incidents"]), body["more"], body["total"]) == (10, False, 60)
    body = await api.get("/incidents")
    assert (body["limit"], body["more"], body["total"]) == (25, True, None)
    assert (await api.get("/incidents?limit=500"))["limit"] == 100
    status, _ = await api.call("GET", "/incidents?limit=100&offset=9900")
    assert status == 200
    status, body = await api.call("GET", "/incidents?limit=100&offset=9901")
    assert (status, body["error"]["code"]) == (400, 2001)


@pytest.mark.parametrize(
    "query", ["statuses[]=open", "sort_by=title", "limit=x", "limit=0", "since=yesterday"]
)
async def test_nonsense_in_the_query_is_2001(api: Api, query: str) -> None:
    status, body = await api.call("GET", f"/incidents?{query}")
    assert (status, body["error"]["code"]) == (400, 2001)


async def test_only_a_month_is_listed_unless_asked_otherwise(session: aiohttp.ClientSession) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    async with running(FakePagerDuty(acme(), clock=lambda: clock[0])) as pagerduty:
        api = Api(session, pagerduty)
        pagerduty.trigger("Checkout", "old and still open")
        clock[0] += timedelta(days=45)
        pagerduty.trigger("Checkout", "new")
        assert await numbers(api, "statuses[]=triggered") == [1235]
        assert await numbers(api, "statuses[]=triggered&date_range=all") == [1234, 1235]
        since = quote("2025-12-31T23:00:00+00:00")
        assert await numbers(api, f"since={since}&until={quote('2026-01-02T00:00:00Z')}") == [1234]
        status, _ = await api.call("GET", f"/incidents?since={quote('2025-06-01T00:00:00Z')}")
        assert status == 400, "more than six months"


async def test_include_turns_references_into_objects(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.trigger("Checkout", "boom")
    plain = await api.incident("1234")
    assert plain["service"]["type"] == "service_reference"
    full = (await api.get("/incidents/1234?include[]=services&include[]=assignees"))["incident"]
    assert (full["service"]["type"], full["service"]["status"]) == ("service", "critical")
    assert full["assignments"][0]["assignee"]["email"] == "alice@acme.example"


async def test_log_entries_tell_the_story_newest_first(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom", details={"host": "node-1"})
    pagerduty.act(incident.id, "acknowledge", "PBOB002")
    entries = (await api.get(f"/incidents/{incident.id}/log_entries?include[]=channels"))["log_entries"]
    assert [e["type"] for e in entries] == ["acknowledge_log_entry", "assign_log_entry", "trigger_log_entry"]
    assert entries[0]["agent"]["summary"] == "Bob Brown"
    assert entries[2]["channel"]["details"] == {"host": "node-1"}
    assert len((await api.get("/log_entries"))["log_entries"]) == 3
    assert (await api.get("/log_entries?team_ids[]=PTEAMPL"))["log_entries"] == []
    assert (await api.get(f"/log_entries?since={quote('2100-01-01T00:00:00Z')}"))["log_entries"] == []


async def test_alerts_of_an_incident(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.trigger("Checkout", "boom", details={"host": "node-1"}, incident_key="disk")
    alerts = (await api.get("/incidents/1234/alerts?statuses[]=triggered"))["alerts"]
    assert [(a["alert_key"], a["body"]["details"]["custom_details"]) for a in alerts] == [
        ("disk", {"host": "node-1"})
    ]


async def test_five_thousand_incidents_are_listed_quickly(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.storm(5000)
    began = time.process_time()  # not the clock: the machine may be busy with something else
    body = await api.get("/incidents?limit=100&offset=4900&statuses[]=triggered&date_range=all&total=true")
    assert body["total"] == 5000
    assert time.process_time() - began < 1.0
