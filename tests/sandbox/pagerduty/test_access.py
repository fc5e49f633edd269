"""Who may do what: keys, tokens, `From`, roles, scopes, headers, rate limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.pagerduty.access import Token
from tests.sandbox.pagerduty.conftest import Api

ACK = {"status": "acknowledged"}


@pytest.mark.parametrize(
    "authorization", ["Token token=wrong", "Bearer wrong", "Basic x", "Token", "nonsense"]
)
async def test_wrong_credentials_are_401(api: Api, authorization: str) -> None:
    status, body = await api.call("GET", "/incidents", authorization=authorization)
    assert (status, body["error"]["code"]) == (401, 2006)


async def test_an_account_key_needs_a_known_from(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    status, body = await api.put_incident(incident.id, ACK, by=None)
    assert status == 400
    assert 'email address in the "From" header' in body["error"]["message"]
    status, body = await api.put_incident(incident.id, ACK, by="nobody")
    assert (status, body["error"]["code"]) == (400, 1008)


async def test_a_persons_own_token_needs_no_from(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    for authorization in (
        f"Bearer {pagerduty.bearer('PBOB002')}",
        f"Token token={pagerduty.user_key('PBOB002')}",
    ):
        _, body = await api.put_incident(incident.id, ACK, by=None, authorization=authorization)
        assert body["incident"]["last_status_change_by"]["id"] == "PBOB002"


async def test_an_observers_own_token_only_reads(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    olive = f"Bearer {pagerduty.bearer('POLIVE6')}"
    status, body = await api.put_incident(incident.id, ACK, by=None, authorization=olive)
    assert (status, body["error"]["code"]) == (403, 2010)
    await api.get("/incidents", authorization=olive, by=None)


async def test_a_role_on_a_services_team_counts_more_than_the_base_role(
    api: Api, pagerduty: FakePagerDuty
) -> None:
    here, there = pagerduty.trigger("Checkout", "boom"), pagerduty.trigger("Search", "bang")
    bob = f"Bearer {pagerduty.bearer('PBOB002')}"
    pagerduty.roles.set_on_team("PBOB002", "PTEAMPY", "observer")
    status, body = await api.put_incident(here.id, ACK, by=None, authorization=bob)
    assert (status, body["error"]["code"]) == (403, 2010)
    assert "Checkout" in body["error"]["errors"][0]
    several = {"incidents": [{"id": one.id, "type": "incident_reference", **ACK} for one in (here, there)]}
    status, _ = await api.call("PUT", "/incidents", several, authorization=bob, by=None)
    assert status == 403
    note = {"note": {"content": "hello"}}
    status, _ = await api.call("POST", f"/incidents/{here.id}/notes", note, authorization=bob, by=None)
    assert status == 403
    status, _ = await api.put_incident(there.id, ACK, by=None, authorization=bob)
    assert status == 200

    olive = f"Bearer {pagerduty.bearer('POLIVE6')}"
    pagerduty.roles.set_on_team("POLIVE6", "PTEAMPY", "responder")
    status, _ = await api.put_incident(here.id, ACK, by=None, authorization=olive)
    assert status == 200


async def test_a_base_role_can_be_changed(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    uma = f"Bearer {pagerduty.bearer('PUMA007')}"
    pagerduty.roles.set_base("PUMA007", "read_only_user")
    status, _ = await api.put_incident(incident.id, ACK, by=None, authorization=uma)
    assert status == 403
    assert (await api.get("/users/me", authorization=uma, by=None))["user"]["role"] == "read_only_user"
    pagerduty.roles.set_base("PUMA007", "limited_user")
    status, _ = await api.put_incident(incident.id, ACK, by=None, authorization=uma)
    assert status == 200


async def test_with_the_account_key_nobodys_role_is_looked_at(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    status, _ = await api.put_incident(incident.id, ACK, by="olive")
    assert status == 200


async def test_a_read_only_key_cannot_write(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    key = f"Token token={pagerduty.access.read_only_key}"
    status, _ = await api.put_incident(incident.id, ACK, authorization=key)
    assert status == 403


async def test_scopes_are_held(api: Api, pagerduty: FakePagerDuty) -> None:
    incident = pagerduty.trigger("Checkout", "boom")
    expires = datetime.now(UTC) + timedelta(days=1)
    token = pagerduty.access.issue(Token("PALICE1", frozenset({"openid", "incidents.read"}), expires))
    bearer = f"Bearer {token}"
    await api.get("/incidents", authorization=bearer, by=None)
    status, _ = await api.put_incident(incident.id, ACK, authorization=bearer, by=None)
    assert status == 403
    status, _ = await api.call("GET", "/services", authorization=bearer, by=None)
    assert status == 403
    assert (await api.get("/users/me", authorization=bearer, by=None))["user"]["id"] == "PALICE1"


async def test_an_expired_token_is_401(api: Api, pagerduty: FakePagerDuty) -> None:
    token = pagerduty.access.issue(Token("PALICE1", None, datetime.now(UTC) - timedelta(seconds=1)))
    status, _ = await api.call("GET", "/incidents", authorization=f"Bearer {token}")
    assert status == 401


async def test_an_account_key_has_no_me(api: Api) -> None:
    status, _ = await api.call("GET", "/users/me")
    assert status == 400


async def test_version_2_must_be_asked_for(api: Api) -> None:
    status, _ = await api.call("GET", "/incidents", headers={"Accept": "application/json"})
    assert status == 406


async def test_every_answer_can_be_traced_and_shows_the_limit(api: Api) -> None:
    await api.get("/incidents")
    first = api.last_headers
    await api.call("GET", "/incidents/QNOSUCH")
    second = api.last_headers
    assert first["x-request-id"] != second["x-request-id"]
    assert first["ratelimit-limit"] == "960"
    assert int(second["ratelimit-remaining"]) == int(first["ratelimit-remaining"]) - 1
    assert 0 < int(second["ratelimit-reset"]) <= 60


async def test_the_limit_is_kept_per_owner_when_enforced(api: Api, pagerduty: FakePagerDuty) -> None:
    pagerduty.limits.enforced, pagerduty.limits.per_minute = True, 2
    for _ in range(2):
        await api.get("/abilities")
    status, body = await api.call("GET", "/abilities")
    assert (status, body["error"]["code"], api.last_headers["ratelimit-remaining"]) == (429, 2020, "0")
    await api.get("/abilities", authorization=f"Bearer {pagerduty.bearer('PALICE1')}")


async def test_an_unknown_path_is_404_only_for_those_who_may_ask(api: Api) -> None:
    status, _ = await api.call("GET", "/nothing/here")
    assert status == 404
    status, _ = await api.call("GET", "/nothing/here", authorization="Bearer wrong")
    assert status == 401


async def test_a_broken_body_is_400(api: Api, pagerduty: FakePagerDuty) -> None:
    headers = {
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Authorization": f"Token token={pagerduty.api_key}",
        "From": "alice@acme.example",
        "Content-Type": "application/json",
    }
    for raw in (b"{", b"[" * 100_000, b"null", b"[]"):
        url = f"{pagerduty.origin}/incidents"
        async with api.session.post(url, data=raw, headers=headers) as response:
            assert response.status == 400
