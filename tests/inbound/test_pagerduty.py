"""PagerDuty's door over real HTTP: what each delivery is answered, and what the bad ones cannot do."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.inbound.pagerduty import PATH
from bot.inbound.reading import LARGEST
from tests.inbound.doors import first_line
from tests.inbound.webhook_door import DELIVERIES, SECRETS, WRONG, Door, open_door, signed, told


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as door:
        yield door


# ------------------------------------------------------------------------------------------------------ taken


@pytest.mark.parametrize("name", sorted(DELIVERIES))
async def test_every_kind_of_delivery_is_taken(door: Door, name: str) -> None:
    """All documented types, one nobody knows yet, and those with several signatures."""
    delivery = DELIVERIES[name]
    status, _ = await door.post(delivery["raw_body"].encode(), delivery["headers"])
    assert status == 202
    (event,) = door.taken
    assert event.webhook_id == delivery["headers"]["x-webhook-id"]
    assert event.subscription_id == "PSUBSC1"
    assert event.raw == delivery["raw_body"]
    assert door.afterwards == door.taken


async def test_any_of_our_secrets_will_do(door: Door) -> None:
    body = told()
    for secret in SECRETS:
        assert (await door.post(body, {"X-PagerDuty-Signature": signed(body, secret)}))[0] == 202
    several = f"v2=unknown, {WRONG},{signed(body, SECRETS[1])}"
    assert (await door.post(body, {"X-PagerDuty-Signature": several}))[0] == 202


async def test_a_repeat_is_taken_and_counted_as_one(door: Door) -> None:
    assert await door.deliver(told()) == 202
    assert await door.deliver(told()) == 202
    assert door.outcomes() == {"accepted": 1, "duplicate": 1}
    assert "pagerline_webhook_lag_seconds_sum 1800.0" in door.metrics.exposition().decode()


async def test_what_has_no_incident_is_taken_too(door: Door) -> None:
    assert await door.deliver(told(event_type="service.deleted", data={"id": "S1", "type": "service"})) == 202
    assert await door.deliver(told(id="E2", event_type="moon.landed", data={})) == 202


async def test_the_answer_comes_after_the_commit(door: Door) -> None:
    door.store_is_away = True
    assert await door.deliver(told()) == 503
    assert door.afterwards == []
    door.store_is_away = False
    assert await door.deliver(told()) == 202
    assert door.outcomes() == {"store_away": 1, "accepted": 1}


async def test_nobody_reads_in_an_answer_why_the_store_is_away(door: Door) -> None:
    door.store_is_away = True
    body = told()
    _, text = await door.post(body, {"X-PagerDuty-Signature": signed(body)})
    assert "planted" not in text


# ---------------------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    "signature",
    ["", "v1=", "v1=zz", "v1=" + "0" * 63, "v2=" + "0f" * 32, "0f" * 32, "v1=é" + "0" * 63, "v1=" + "٠" * 64],
)
async def test_unsigned_is_401(door: Door, signature: str) -> None:
    status, text = await door.post(told(), {"X-PagerDuty-Signature": signature})
    assert (status, text) == (401, "X-PagerDuty-Signature is missing or malformed.")
    assert door.taken == []


async def test_no_signature_at_all_is_401(door: Door) -> None:
    assert (await door.post(told(), {}))[0] == 401
    assert door.outcomes() == {"unsigned": 1}


async def test_bytes_that_are_no_text_in_the_signature_are_401(door: Door) -> None:
    request = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n".encode()
        + b"X-PagerDuty-Signature: v1=\xff\xfe\xfd\r\n\r\n{}"
    )
    assert " 401 " in await first_line(door.origin, request)


async def test_signed_with_another_secret_is_503_so_that_pagerduty_tries_again(door: Door) -> None:
    assert (await door.post(told(), {"X-PagerDuty-Signature": WRONG}))[0] == 503
    assert door.taken == []
    assert door.outcomes() == {"unknown_secret": 1}


async def test_a_changed_body_is_not_ours(door: Door) -> None:
    body = told()
    assert (await door.post(body + b" ", {"X-PagerDuty-Signature": signed(body)}))[0] == 503


DEEP = b'{"event":' * 5000 + b"1" + b"}" * 5000
BAD_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"hello",
    "half JSON": b'{"event": {',
    "not UTF-8": b'{"event": "\xff"}',
    "null": b"null",
    "a number": b"12",
    "a huge number": b"1" * 5000,
    "a string": b'"event"',
    "an array": b"[]",
    "an array of events": b'[{"event": {}}]',
    "5,000 deep": DEEP,
    "5,000 deep arrays": b"[" * 5000 + b"]" * 5000,
    "no event": b"{}",
    "event null": b'{"event": null}',
    "event array": b'{"event": []}',
    "event text": b'{"event": "incident.triggered"}',
    "legacy": b'{"messages": [{"event": "incident.trigger"}]}',
    "no id": told(id=None),
    "id number": told(id=7),
    "id empty": told(id=""),
    "no type": told(event_type=None),
    "type array": told(event_type=["incident.triggered"]),
    "no time": told(occurred_at=None),
    "time number": told(occurred_at=1770091200),
    "time words": told(occurred_at="yesterday"),
    "time beyond": told(occurred_at="99999-01-01T00:00:00Z"),
    "no data": told(data=None),
    "data array": told(data=[1]),
    "data text": told(data="Q1"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_signed_but_no_webhook_is_400_with_the_reason(door: Door, name: str) -> None:
    body = BAD_BODIES[name]
    status, text = await door.post(body, {"X-PagerDuty-Signature": signed(body)})
    assert status == 400
    assert text.endswith(".")
    assert door.taken == []
    assert door.outcomes() == {"not_a_webhook": 1}


ODD_DATA: list[Any] = [
    {"id": None, "type": "incident"},
    {"id": "Q1", "type": "incident", "service": "PSVC", "status": 7, "assignees": {"id": 1}, "number": "12"},
    {"id": "Q1", "type": ["incident"], "priority": [], "teams": None, "created_at": "never"},
    {"id": "Q1", "type": "incident_note", "incident": "Q1", "content": {"a": 1}},
    {"type": "incident_role_assignment", "incident_role_assignments": [1, None, {"role": 2}]},
    {"type": "incident_field_values", "changed_custom_fields": {"a": 1}},
    {"id": "Q\x00\ud800", "type": "incident", "title": "nul \x00 and half \udfff a pair"},
]


@pytest.mark.parametrize("data", ODD_DATA, ids=range(len(ODD_DATA)))
async def test_odd_content_inside_a_good_envelope_is_kept(door: Door, data: Any) -> None:
    """Three refusals in a row would switch the subscription off for a day."""
    assert await door.deliver(told(data=data)) == 202


async def test_2_mb_is_413_whether_announced_or_not(door: Door) -> None:
    body = b"x" * (2 * 1024 * 1024)

    async def in_pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 65536):
            yield body[at : at + 65536]

    headers = {"X-PagerDuty-Signature": signed(body)}
    assert (await door.post(in_pieces(), headers))[0] == 413
    announced = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    assert " 413 " in await first_line(door.origin, announced.encode())
    assert door.outcomes() == {"too_large": 2}


async def test_a_bomb_is_413(door: Door) -> None:
    """What unpacks to more than the limit is too large, however small it came."""
    headers = {"X-PagerDuty-Signature": WRONG, "Content-Encoding": "deflate"}
    assert (await door.post(io.BytesIO(b"x" * (3 * LARGEST)), headers))[0] == 413


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Transfer-Encoding: chunked", b"zz\r\nnot a chunk\r\n"),
        ("Content-Encoding: gzip\r\nContent-Length: 4", b"nope"),
    ],
)
async def test_a_body_that_belies_its_headers_is_400(door: Door, headers: str, body: bytes) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-PagerDuty-Signature: {WRONG}\r\nConnection: close\r\n"
    assert " 400 " in await first_line(door.origin, f"{head}{headers}\r\n\r\n".encode() + body)
    assert door.taken == []


async def test_only_post_is_a_delivery(door: Door) -> None:
    async with aiohttp.ClientSession() as session, session.get(door.origin + PATH) as answer:
        assert answer.status == 405


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
events = st.fixed_dictionaries(
    {},
    optional={
        "id": json_values | st.just("E1"),
        "event_type": json_values | st.sampled_from(["incident.triggered", "service.updated"]),
        "occurred_at": json_values | st.just("2026-02-03T04:00:00Z"),
        "agent": json_values,
        "data": json_values
        | st.dictionaries(st.sampled_from(["id", "type", "incident", "service"]), json_values),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(
    event=events,
    signature=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=70),
)
async def test_whatever_comes_is_answered_with_a_status_of_ours(
    door: Door, event: Any, signature: str | None
) -> None:
    body = json.dumps({"event": event}).encode()
    header = signed(body) if signature is None else signature
    status, _ = await door.post(body, {"X-PagerDuty-Signature": header})
    assert status in ((202, 400) if signature is None else (401, 503))
