"""Who is on call: rotations from the clock, the next shift, filters, paging."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from tests.sandbox.pagerduty.conftest import Api, running

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def who(body: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [
        (o["escalation_policy"]["id"], o["escalation_level"], o["user"]["summary"].split()[0])
        for o in body["oncalls"]
    ]


async def test_now_is_one_person_per_level(api: Api) -> None:
    body = await api.get("/oncalls")
    assert who(body) == [
        ("PEPCHK", 1, "Alice"),
        ("PEPCHK", 2, "Bob"),
        ("PEPCHK", 3, "Carol"),
        ("PEPPLAT", 1, "Bob"),
        ("PEPPLAT", 2, "Carol"),
    ]
    first, second = body["oncalls"][:2]
    assert first["schedule"]["id"] == "PSCHCHK"
    assert first["start"] < first["end"]
    assert (second["schedule"], second["start"], second["end"]) == (None, None, None), "always on call"


async def test_filters(api: Api) -> None:
    assert who(await api.get("/oncalls?user_ids[]=PCAROL3")) == [
        ("PEPCHK", 3, "Carol"),
        ("PEPPLAT", 2, "Carol"),
    ]
    assert who(await api.get("/oncalls?escalation_policy_ids[]=PEPPLAT&limit=1")) == [("PEPPLAT", 1, "Bob")]
    assert who(await api.get("/oncalls?schedule_ids[]=PSCHCHK")) == [("PEPCHK", 1, "Alice")]
    with_direct = who(await api.get("/oncalls?schedule_ids[]=PSCHCHK&schedule_ids[]=null"))
    assert ("PEPCHK", 2, "Bob") in with_direct
    assert ("PEPPLAT", 1, "Bob") not in with_direct


async def test_the_next_shift_follows_on_the_one_that_ends(session: aiohttp.ClientSession) -> None:
    async with running(FakePagerDuty(acme(), clock=lambda: NOON)) as pagerduty:
        api = Api(session, pagerduty)
        until = quote((NOON + timedelta(days=15)).isoformat())
        body = await api.get(f"/oncalls?schedule_ids[]=PSCHCHK&until={until}")
        assert [name for _, _, name in who(body)] == ["Alice", "Bob", "Alice"]
        shifts = body["oncalls"]
        assert shifts[0]["end"] == shifts[1]["start"] == "2026-03-11T08:00:00Z", "09:00 in Berlin"
        earliest = await api.get(f"/oncalls?schedule_ids[]=PSCHCHK&until={until}&earliest=true")
        assert [name for _, _, name in who(earliest)] == ["Alice", "Bob"]


async def test_after_the_handover_the_next_person_is_on_call(session: aiohttp.ClientSession) -> None:
    clock = [NOON]
    async with running(FakePagerDuty(acme(), clock=lambda: clock[0])) as pagerduty:
        api = Api(session, pagerduty)
        pagerduty.control.rotate("PSCHCHK", hand_over_in=60)
        users = "/schedules/PSCHCHK/users"
        assert [u["name"] for u in (await api.get(users))["users"]] == ["Alice Anderson"]
        clock[0] += timedelta(seconds=61)
        assert [u["name"] for u in (await api.get(users))["users"]] == ["Bob Brown"]
        incident = pagerduty.trigger("Checkout", "boom")
        assert [a.user for a in incident.assignments] == ["PBOB002"]


async def test_ranges_are_checked(api: Api) -> None:
    far = quote((datetime.now(UTC) + timedelta(days=120)).isoformat())
    status, _ = await api.call("GET", f"/oncalls?until={far}")
    assert status == 400
    past = quote((datetime.now(UTC) - timedelta(days=1)).isoformat())
    status, _ = await api.call("GET", f"/oncalls?until={past}")
    assert status == 400


async def test_a_beginning_that_is_to_come_needs_its_end(api: Api) -> None:
    soon = quote((datetime.now(UTC) + timedelta(days=2)).isoformat())
    later = quote((datetime.now(UTC) + timedelta(days=3)).isoformat())
    status, _ = await api.call("GET", f"/oncalls?since={soon}")
    assert status == 400
    assert len((await api.get(f"/oncalls?since={soon}&until={later}"))["oncalls"]) == 5


async def test_times_are_written_in_the_zone_asked_for(session: aiohttp.ClientSession) -> None:
    async with running(FakePagerDuty(acme(), clock=lambda: NOON)) as pagerduty:
        api = Api(session, pagerduty)
        (shift,) = (await api.get("/oncalls?schedule_ids[]=PSCHCHK&time_zone=Europe/Berlin"))["oncalls"]
        assert shift["end"] == "2026-03-11T09:00:00+01:00"
        status, _ = await api.call("GET", "/oncalls?time_zone=Nowhere/Else")
        assert status == 400


async def test_whole_objects_and_a_total_where_they_are_asked_for(api: Api) -> None:
    wanted = "include[]=users&include[]=schedules&include[]=escalation_policies&total=true&limit=2"
    body = await api.get(f"/oncalls?{wanted}")
    first = body["oncalls"][0]
    assert (first["user"]["type"], first["user"]["email"]) == ("user", "alice@acme.example")
    assert first["schedule"]["time_zone"] == "Europe/Berlin"
    assert first["escalation_policy"]["escalation_rules"]
    assert (body["total"], body["limit"], body["more"]) == (5, 2, True)
    assert (await api.get("/oncalls"))["total"] is None


async def test_an_empty_schedule_has_nobody(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.control.rotate("PSCHCHK", people=[])
    assert (await api.get("/schedules/PSCHCHK/users"))["users"] == []
    assert (await api.get("/oncalls?schedule_ids[]=PSCHCHK"))["oncalls"] == []


async def test_a_schedule_renders_its_shifts(api: Api) -> None:
    schedule = (await api.get("/schedules/PSCHPLT"))["schedule"]
    entries = schedule["final_schedule"]["rendered_schedule_entries"]
    assert [e["user"]["summary"] for e in entries][:2] == ["Bob Brown", "Alice Anderson"]
    assert schedule["time_zone"] == "America/New_York"
    assert [s["id"] for s in (await api.get("/schedules?query=checkout"))["schedules"]] == ["PSCHCHK"]
