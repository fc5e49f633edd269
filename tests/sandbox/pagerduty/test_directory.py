"""People, teams, services, policies, priorities and abilities as REST shows them."""

from __future__ import annotations

import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from tests.sandbox.pagerduty.conftest import Api


async def test_people_are_found_by_name_and_email(api: Api) -> None:
    users = (await api.get("/users?limit=100"))["users"]
    names = [u["name"].split()[0] for u in users]
    assert names == ["Alice", "Bob", "Carol", "Gus", "Olive", "Uma"], "Dana has no PagerDuty user"
    assert [u["id"] for u in (await api.get("/users?query=CAROL@"))["users"]] == ["PCAROL3"]
    user = (await api.get("/users/PBOB002?include[]=teams&include[]=contact_methods"))["user"]
    assert (user["role"], user["time_zone"]) == ("limited_user", "America/New_York")
    assert [t["name"] for t in user["teams"]] == ["Payments", "Platform"]
    assert user["contact_methods"][0]["address"] == "bob@acme.example"


async def test_services_by_query_name_and_team(api: Api) -> None:
    assert [s["name"] for s in (await api.get("/services?query=pay"))["services"]] == ["Payments API"]
    assert [s["name"] for s in (await api.get("/services?name=search"))["services"]] == ["Search"]
    teams = "team_ids[]=PTEAMPL"
    assert [s["name"] for s in (await api.get(f"/services?{teams}"))["services"]] == ["Login", "Search"]


async def test_a_services_status_follows_its_incidents(api: Api, pagerduty: FakePagerDuty) -> None:
    async def status() -> str:
        found: str = (await api.get("/services/PSVCCHK"))["service"]["status"]
        return found

    assert await status() == "active"
    incident = pagerduty.trigger("Checkout", "boom")
    assert await status() == "critical"
    pagerduty.act(incident.id, "acknowledge", "PALICE1")
    assert await status() == "warning"
    pagerduty.control.set_service_status("PSVCCHK", "maintenance")
    assert await status() == "maintenance"


async def test_policies_show_their_levels(api: Api) -> None:
    policy = (await api.get("/escalation_policies/PEPCHK"))["escalation_policy"]
    targets = [[t["type"] for t in rule["targets"]] for rule in policy["escalation_rules"]]
    assert targets == [["schedule_reference"], ["user_reference"], ["user_reference"]]
    assert [rule["escalation_delay_in_minutes"] for rule in policy["escalation_rules"]] == [10, 10, 10]
    found = (await api.get("/escalation_policies?user_ids[]=PCAROL3&team_ids[]=PTEAMPL"))[
        "escalation_policies"
    ]
    assert [p["id"] for p in found] == ["PEPPLAT"]


async def test_teams_and_their_members(api: Api) -> None:
    assert [t["name"] for t in (await api.get("/teams?query=plat"))["teams"]] == ["Platform"]
    members = (await api.get("/teams/PTEAMPY/members?include[]=users"))["members"]
    assert [(m["user"]["name"], m["role"]) for m in members][2] == ("Carol Chen", "manager")


async def test_priorities_from_most_severe(api: Api) -> None:
    assert [p["name"] for p in (await api.get("/priorities"))["priorities"]] == ["P1", "P2", "P3", "P4", "P5"]


@pytest.mark.parametrize(
    ("name", "status"), [("teams", 204), ("event_intelligence", 402), ("levitation", 404)]
)
async def test_abilities(api: Api, name: str, status: int) -> None:
    assert (await api.call("GET", f"/abilities/{name}"))[0] == status


@pytest.mark.parametrize("path", ["users", "services", "teams", "schedules", "escalation_policies"])
async def test_unknown_ids_are_404(api: Api, path: str) -> None:
    status, body = await api.call("GET", f"/{path}/PNOSUCH")
    assert (status, body["error"]["code"]) == (404, 2100)
