"""Any call to the API: what is written becomes one request to PagerDuty, and none to anybody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bot.errors import UserError
from bot.pagerduty.calls import HIDDEN, make_call, read_call, without_secrets
from bot.pagerduty.wire import ACCEPT
from tests.pagerduty.test_acts import Desk, desk

__all__ = ["desk"]

ORIGIN = "https://api.pagerduty.com"


def test_what_is_written_is_the_call() -> None:
    call = read_call(
        " get ",
        "incidents?limit=1&since=2026-11-01T08%3A00%3A00Z",
        query=["statuses[]=triggered", "statuses[]=acknowledged", "empty="],
        headers=["X-EARLY-ACCESS: feature", "accept: application/json"],
        body='{"a": [1, null]}',
    )
    assert (call.method, call.path, call.is_write) == ("GET", "/incidents", False)
    assert call.query == (
        ("limit", "1"),
        ("since", "2026-11-01T08:00:00Z"),
        ("statuses[]", "triggered"),
        ("statuses[]", "acknowledged"),
        ("empty", ""),
    )
    assert call.headers == {"X-EARLY-ACCESS": "feature", "accept": "application/json"}
    assert call.body == {"a": [1, None]}
    assert all(read_call(method, "/x").is_write for method in ("post", "PUT", "PATCH", "DELETE"))
    assert not any(read_call(method, "/x").is_write for method in ("HEAD", "OPTIONS"))


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/incidents",
        "//evil.example/incidents",
        "\\\\evil.example",
        "/\\evil.example",
        "/incidents/../users",
        "/incidents/./x",
        "/incidents/%2e%2e/users",
        "/incidents/%2E./users",
        "/incidents/%252e%252e/users",
        "/incidents/..%2fusers",
        "/incidents%5c..%5cusers",
        "/a//b",
        "/incidents#fragment",
        "/inci dents",
        "/incidents\r\nHost: evil.example",
        "/incidents%0d%0aHost:evil.example",
        "/ünïcode",
        "/%zz",
        "/",
        "",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(UserError):
        read_call("GET", path)


@given(st.text(max_size=40))
def test_no_path_reaches_another_host_or_climbs(path: str) -> None:
    try:
        call = read_call("GET", path)
    except UserError:
        return
    address = URL(ORIGIN + call.path)
    assert (address.scheme, address.host, address.port) == ("https", "api.pagerduty.com", 443)
    assert address.user is None
    assert address.path.startswith("/")
    assert ".." not in address.parts


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Token token=x",
        "authorization : x",
        "Host: evil.example",
        "Cookie: a=b",
        "From: bob@acme.example",
        "Content-Length: 0",
        "Transfer-Encoding: chunked",
        "Proxy-Authorization: x",
        "X-Forwarded-Host: evil.example",
        "no colon",
        "X: a\r\nHost: evil.example",
        "Bad Name: x",
        ": x",
    ],
)
def test_headers_that_are_ours_or_none_are_refused(header: str) -> None:
    with pytest.raises(UserError):
        read_call("GET", "/x", headers=[header])


@pytest.mark.parametrize("body", ["{", "NaN", "[1, Infinity]", "not json", "[" * 100_000])
def test_a_body_that_is_no_json_is_refused(body: str) -> None:
    with pytest.raises(UserError):
        read_call("POST", "/x", body=body)


async def test_the_request_is_as_written_and_carries_the_key_to_pagerduty(desk: Desk) -> None:
    call = read_call(
        "GET",
        "/incidents",
        query=["limit=2", "statuses[]=triggered"],
        headers=["X-Mine: 1", f"ACCEPT: {ACCEPT}, */*"],
    )
    answer = await make_call(desk.alice, call)
    assert answer.data["incidents"] == []
    (exchange,) = desk.fake.journal
    assert exchange.query == {"limit": ["2"], "statuses[]": ["triggered"]}
    assert (exchange.headers["x-mine"], exchange.headers["accept"]) == ("1", f"{ACCEPT}, */*")
    assert exchange.headers["from"] == "alice@acme.example"


def test_secrets_are_hidden_wherever_they_stand() -> None:
    told: Any = {
        "service": {"integrations": [{"id": "P1", "integration_key": "k" * 32, "name": "x"}]},
        "webhook_subscription": {
            "delivery_method": {"secret": "s", "custom_headers": [{"name": "X-Auth", "value": "v"}]}
        },
        "user": {"http_cal_url": "https://x", "web_cal_url": "webcal://x", "email": "a@acme.example"},
        "tokens": ["a", "b"],
        "api_key": None,
        "incident_key": "kept",
        "total": 3,
        "endpoint_url": "https://hooks.slack.com/services/T0/B0/x",
        "url": "https://bob:passw0rd@acme.example/hook",
    }
    hidden = without_secrets(told)
    assert hidden["service"]["integrations"] == [{"id": "P1", "integration_key": HIDDEN, "name": "x"}]
    method = hidden["webhook_subscription"]["delivery_method"]
    assert method == {"secret": HIDDEN, "custom_headers": [{"name": "X-Auth", "value": HIDDEN}]}
    assert hidden["user"] == {"http_cal_url": HIDDEN, "web_cal_url": HIDDEN, "email": "a@acme.example"}
    assert hidden["tokens"] == [HIDDEN, HIDDEN]
    assert (hidden["endpoint_url"], hidden["url"]) == (HIDDEN, f"https://{HIDDEN}@acme.example/hook")
    assert (hidden["api_key"], hidden["incident_key"], hidden["total"]) == (None, "kept", 3)
