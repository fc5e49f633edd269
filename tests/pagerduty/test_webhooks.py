"""Deliveries as they come over the wire: whose they are, what they tell, and what is none."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events import Event
from bot.model import Agent, Bridge, Priority, Reference, Status, Urgency
from bot.pagerduty.webhooks import NotAWebhook, Verdict, parse, verify
from tests.pagerduty.deliveries import DELIVERIES, NAMES, SECRET_A, SECRET_B, body_of, delivery, parsed

BODY = b'{"event":{}}'


def signed(raw: bytes, secret: str) -> str:
    return "v1=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


# ------------------------------------------------------------------------------------------------- signatures


@pytest.mark.parametrize("sample", DELIVERIES, ids=NAMES)
def test_every_sample_is_signed_with_the_first_secret(sample: Any) -> None:
    assert verify(sample.raw, sample.signature, [SECRET_A]) is Verdict.VALID
    assert verify(sample.raw, sample.signature, ["another", SECRET_A]) is Verdict.VALID
    assert verify(sample.raw + b" ", sample.signature, [SECRET_A]) is Verdict.NO_MATCH


def test_while_pagerduty_rotates_either_secret_will_do() -> None:
    both = delivery("04")
    assert both.signature.count("v1=") == 2
    assert verify(both.raw, both.signature, [SECRET_B]) is Verdict.VALID
    assert verify(both.raw, both.signature, [SECRET_A]) is Verdict.VALID
    assert verify(both.raw, both.signature, ["neither", "of them"]) is Verdict.NO_MATCH


def test_spaces_and_other_versions_do_not_disturb() -> None:
    header = f" v2=abc ,  {signed(BODY, 'ours')} , v1=short,, v0={'0' * 64}"
    assert verify(BODY, header, ["ours"]) is Verdict.VALID


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "v1=",
        "v1",
        ",,,",
        "0" * 64,
        "v1=" + "0" * 63,
        "v1=" + "g" * 64,
        "v1=" + "é" * 64,
        "v1=" + "\u0660" * 64,
        "v2=" + "0" * 64,
        "v1=\udce9" + "0" * 64,
    ],
)
def test_a_header_without_a_well_formed_v1_is_malformed(header: str | None) -> None:
    assert verify(BODY, header, ["ours"]) is Verdict.MISSING_OR_MALFORMED


def test_an_empty_secret_is_nobodys() -> None:
    forged = "v1=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert verify(BODY, forged, [""]) is Verdict.NO_MATCH
    assert verify(BODY, forged, []) is Verdict.NO_MATCH


def test_a_secret_may_be_any_text() -> None:
    assert verify(BODY, signed(BODY, "schlüssel ☕"), ["schlüssel ☕"]) is Verdict.VALID
    assert verify(BODY, signed(BODY, "a"), ["\udce9"]) is Verdict.NO_MATCH


@given(st.text(), st.binary(), st.lists(st.text(alphabet=st.characters(codec="utf-8")), max_size=3))
def test_no_header_is_too_strange_to_judge(header: str, raw: bytes, secrets: list[str]) -> None:
    assert verify(raw, header, secrets) in Verdict


# --------------------------------------------------------------------------------------------- what they tell


@pytest.mark.parametrize("sample", DELIVERIES, ids=NAMES)
def test_every_sample_is_an_event(sample: Any) -> None:
    event = sample.event()
    told = sample.body["event"]
    assert (event.id, event.type) == (told["id"], told["event_type"])
    assert event.occurred_at.tzinfo is UTC
    assert event.webhook_id == sample.headers["x-webhook-id"]
    assert event.subscription_id == "PSUBSC1"
    assert event.raw == sample.raw.decode()
    assert (event.incident_id is not None) == event.type.startswith("incident.")
    assert (event.seen is not None) == (told["data"]["type"] == "incident")


def test_an_incident_is_read_as_the_webhook_shows_it() -> None:
    event = delivery("03").event()
    assert event.agent == Agent("PUSER01", "Dana Responder", "user")
    seen = event.seen
    assert seen is not None
    assert (seen.id, seen.number, seen.title) == ("Q0INCIDENT0001", 481, "Checkout latency above 2 s")
    assert (seen.status, seen.urgency) == (Status.TRIGGERED, Urgency.HIGH)
    assert seen.created_at == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert seen.priority == Priority("PPRIO01", "P2", 1)
    assert seen.bridge == Bridge("+1 555 010 0000,,1234#", "https://meet.example.com/bridge")
    assert [team.name for team in seen.teams] == ["Payments"]
    assert [person.name for person in seen.assignees] == ["Dana Responder", "Sam Helper"]
    assert seen.policy
    assert seen.policy.name == "Checkout Primary"
    assert (seen.acknowledgements, seen.level, seen.escalates_at, seen.alert_count) == (None,) * 4


def test_a_merge_names_its_target() -> None:
    event = delivery("11").event()
    assert event.merged_into == Reference(
        "Q0INCIDENT0009",
        "Checkout outage",
        "https://acme-example.pagerduty.com/incidents/Q0INCIDENT0009",
    )
    assert event.seen
    assert event.seen.merged_into == event.merged_into


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("15", {"text": "Rolled back build 118", "trimmed": False}),
        ("17", {"text": "A fix is being deployed", "trimmed": False}),
        ("18", {"names": ("Sam Helper",), "text": "Please join the bridge", "state": "pending"}),
        ("19", {"names": ("Sam Helper",), "text": None, "state": "joined", "calls": ()}),
        ("20", {"bridge": Bridge("+1-555-010-0000", "https://meet.example.com/bridge")}),
        ("21", {"names": ("environment",), "old": "staging", "new": "production"}),
        ("22", {"names": ("Incident Commander",), "old": None, "new": "Dana Responder"}),
        ("23", {"names": ("Page the database owner",), "text": "Ask for a read-replica check"}),
        ("25", {"names": ("Page the database owner",), "text": None, "state": "complete"}),
        ("28", {"names": ("Restart checkout",), "state": "completed"}),
        ("30", {"names": ("War room",)}),
        ("14", {"new": "major_incident"}),
        ("36", {"text": "café ☕ 日本 — “quoted”"}),
    ],
)
def test_each_data_type_tells_its_own(name: str, told: dict[str, Any]) -> None:
    event = delivery(name).event()
    assert event.incident_id == "Q0INCIDENT0001"
    assert {field: getattr(event, field) for field in told} == told


def test_who_is_asked_to_help_is_called() -> None:
    assert [one.id for one in delivery("18").event().calls] == ["PUSER02"]


def test_a_service_event_is_about_no_incident() -> None:
    for name in ("31", "34"):
        event = delivery(name).event()
        assert event.incident_id is None
        assert event.about
        assert event.about.id == "PSVC001"


def test_a_trimmed_note_says_so() -> None:
    assert parsed(body_of("15", trimmed=True)).trimmed


def test_several_fields_are_named_without_their_values() -> None:
    changed = [{"id": "A", "name": "env", "value": 1}, {"id": "B", "name": "tags", "value": ["x", True]}]
    event = parsed(body_of("21", changed_custom_fields=changed))
    assert (event.names, event.old, event.new) == (("env", "tags"), None, None)
    event = parsed(body_of("21", changed_custom_fields=changed[1:], custom_fields=[]))
    assert (event.names, event.old, event.new) == (("tags",), "x, yes", None)


# -------------------------------------------------------------------------------------------------- leniently


def test_whatever_of_an_incident_can_be_null_may_be() -> None:
    needed = {"id", "type", "status", "service"}
    body = body_of()
    body["event"]["data"] = {
        name: value if name in needed else None for name, value in body["event"]["data"].items()
    }
    event = parsed(body)
    assert event.seen is not None
    assert (event.seen.title, event.seen.number, event.seen.assignees) == ("", None, ())
    assert event.seen.created_at == event.occurred_at


def test_an_incident_that_cannot_be_shown_is_still_known_by_id() -> None:
    for broken in ({"status": "on fire"}, {"status": None}, {"service": None}, {"service": "x"}):
        event = parsed(body_of(**broken))
        assert (event.incident_id, event.seen) == ("Q0INCIDENT0001", None)


def test_data_without_its_type_is_read_by_the_events() -> None:
    event = parsed(body_of(type=None))
    assert event.seen is not None


def test_nul_and_lone_surrogates_do_no_harm() -> None:
    body = body_of(title="a\x00b \ud83d c ☕ \U0001f600")
    body["event"]["agent"] = {"id": "P\x00", "type": "user_reference", "summary": "Da\udc00na"}
    event = parsed(body)
    assert event.seen
    assert event.agent
    for text in (event.seen.title, event.agent.id, event.agent.name or "", event.raw):
        assert "\x00" not in text
        text.encode("utf-8")
    assert event.seen.title.endswith("c ☕ \U0001f600")


def test_headers_may_be_missing_or_strange() -> None:
    raw = delivery("02").raw
    assert parse(raw, {}, {}).webhook_id is None
    assert parse(raw, {"X-Webhook-Id": "  "}, {}).webhook_id is None
    strange = parse(raw, {"X-Webhook-Id": "a\udce9"}, {}).webhook_id
    assert strange is not None
    strange.encode("utf-8")


# ------------------------------------------------------------------------------------------- what is no event


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"payload=x", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not JSON"),
        (b'{"event": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"null", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'"event"', "not a JSON object"),
        (b"{}", "no event object"),
        (b'{"event": null}', "no event object"),
        (b'{"event": []}', "no event object"),
        (b'{"messages": 1}', "no event object"),
        (b'{"messages": [{"event": "incident.trigger"}]}', "legacy V2 webhook"),
    ],
)
def test_a_body_that_is_no_webhook_is_told_why(raw: bytes, says: str) -> None:
    with pytest.raises(NotAWebhook, match=says):
        parse(raw, {}, {})


@pytest.mark.parametrize(
    "deep", [b"[" * 5000, b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000]
)
def test_nesting_without_end_is_refused(deep: bytes) -> None:
    with pytest.raises(NotAWebhook):
        parse(deep, {}, {})


@pytest.mark.parametrize("field", ["id", "event_type", "occurred_at", "data"])
@pytest.mark.parametrize("value", [None, "", 1, [], "gone"])
def test_the_envelope_must_be_whole(field: str, value: Any) -> None:
    body = body_of()
    body["event"][field] = value
    if value == "gone":
        del body["event"][field]
    with pytest.raises(NotAWebhook, match=field):
        parsed(body)


@pytest.mark.parametrize("when", ["yesterday", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused(when: str) -> None:
    body = body_of()
    body["event"]["occurred_at"] = when
    with pytest.raises(NotAWebhook, match="occurred_at"):
        parsed(body)


# ---------------------------------------------------------------------------------------------- hostile input


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(), st.dictionaries(st.sampled_from(["X-Webhook-Id", "x-webhook-subscription"]), st.text()))
def test_bytes_are_an_event_or_refused(raw: bytes, headers: dict[str, str]) -> None:
    assert_event_or_refused(raw, headers)


@given(st.data())
def test_a_bent_sample_is_an_event_or_refused(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(DELIVERIES)).body
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([body["event"], body["event"].get("data")]))
        if isinstance(place, dict) and place:
            place[data.draw(st.sampled_from(sorted(place)))] = data.draw(anything)
    assert_event_or_refused(json.dumps(body).encode(), {})


def assert_event_or_refused(raw: bytes, headers: dict[str, str]) -> None:
    try:
        event = parse(raw, headers, {})
    except NotAWebhook:
        return
    assert isinstance(event, Event)
    assert hash(event) == hash(parse(raw, headers, {}))
