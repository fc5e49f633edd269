"""Fields of events at their limits; each event held against PagerDuty's own documents where they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.errors import UserError
from bot.pagerduty.event_fields import (
    LARGEST_EVENT,
    LONGEST_KEY,
    LONGEST_SUMMARY,
    Action,
    Alert,
    Change,
    Image,
    Link,
    Severity,
    plain_key,
)
from bot.pagerduty.event_words import fit_summary, read_details, read_image, read_link, read_moment
from tests.contract import pagerduty_openapi as contract

KEY = SecretStr("R" * 32)
texts = st.text(min_size=1, max_size=40)
details = st.dictionaries(
    st.text(max_size=20),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)
links = st.lists(st.builds(Link, st.just("https://ci.example.com/7"), st.text(max_size=20)), max_size=2)
images = st.lists(
    st.builds(Image, st.just("https://ci.example.com/g.png"), st.sampled_from(["", "http://ci.example.com"])),
    max_size=2,
)


def sent(body: bytes) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(body)
    return event


summaries = st.text(min_size=1, max_size=2000).map(lambda text: fit_summary(text)[0]).filter(bool)
alerts = st.builds(
    Alert,
    action=st.sampled_from(Action),
    key=st.text(min_size=1, max_size=LONGEST_KEY),
    summary=summaries,
    source=texts.filter(lambda text: bool(text.strip())),
    severity=st.sampled_from(Severity),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    component=st.text(max_size=20),
    kind=st.text(max_size=20),
    details=details,
    links=links.map(tuple),
    images=images.map(tuple),
)


@settings(max_examples=50, deadline=None)
@given(alerts)
def test_every_alert_fits_the_contract(alert: Alert) -> None:
    modern, legacy = sent(alert.body(KEY)), sent(alert.legacy_body(KEY))
    assert modern["dedup_key"] == legacy["incident_key"] == alert.key
    assert ("payload" in modern) is ("description" in legacy) is (alert.action is Action.TRIGGER)
    if contract.available():
        assert contract.request_problems("/v2/enqueue", modern) == []
        assert contract.request_problems("/generic/2010-04-15/create_event.json", legacy) == []


@settings(max_examples=50, deadline=None)
@given(summary=texts.filter(lambda text: bool(text.strip())), source=texts, custom=details, links=links)
def test_every_change_fits_the_contract(
    summary: str, source: str, custom: dict[str, Any], links: list[Link]
) -> None:
    change = Change(summary=summary, source=source, details=custom, links=tuple(links))
    event = sent(change.body(KEY))
    assert event["payload"]["summary"] == summary
    if contract.available():
        assert contract.request_problems("/v2/change/enqueue", event) == []


# ------------------------------------------------------------------------------------------------- the limits


@pytest.mark.parametrize("character", ["x", "é", "火", "🔥"])
def test_a_summary_is_cut_at_1024_characters(character: str) -> None:
    assert fit_summary(character * 1024) == (character * 1024, False)
    assert fit_summary(character * 1025) == (character * 1023 + "…", True)
    Alert(summary=character * LONGEST_SUMMARY, source="db-1")
    with pytest.raises(UserError, match="1025 characters"):
        Alert(summary=character * (LONGEST_SUMMARY + 1), source="db-1")


@given(st.text(alphabet=st.characters(), max_size=1100))
def test_any_words_become_a_summary_that_fits(text: str) -> None:
    summary, was_cut = fit_summary(text)
    assert len(summary) <= LONGEST_SUMMARY
    assert was_cut is summary.endswith("…") or text.strip().endswith("…")
    summary.encode()


@pytest.mark.parametrize("character", ["x", "🔥"])
@pytest.mark.parametrize("action", Action)
def test_a_dedup_key_has_255_characters_at_most(action: Action, character: str) -> None:
    alert = Alert(action=action, key=character * LONGEST_KEY, summary="s", source="db-1")
    assert sent(alert.body(KEY))["dedup_key"] == character * 255
    with pytest.raises(UserError, match="256 characters; PagerDuty takes 255"):
        Alert(action=action, key=character * (LONGEST_KEY + 1), summary="s", source="db-1")


@pytest.mark.parametrize("character", ["x", "火"])
def test_an_event_has_512_kb_at_most(character: str) -> None:
    def filled(extra: int) -> Alert:
        return Alert(key="k", summary="s", source="db-1", details={"log": character, "rest": "x" * extra})

    free = LARGEST_EVENT - len(filled(1).body(KEY)) + 1
    assert len(filled(free - 1).body(KEY)) == LARGEST_EVENT - 1
    assert len(filled(free).body(KEY)) == LARGEST_EVENT
    with pytest.raises(UserError, match=r"524,289 bytes; PagerDuty takes 524,288 \(512 KB\)"):
        filled(free + 1).body(KEY)


def test_acknowledging_and_resolving_need_a_key_and_take_no_payload() -> None:
    for action in (Action.ACKNOWLEDGE, Action.RESOLVE):
        with pytest.raises(UserError, match="dedup key"):
            Alert(action=action)
        assert "payload" not in sent(Alert(action=action, key="k").body(KEY))


def test_what_v1_has_no_place_for_stands_in_its_details() -> None:
    alert = Alert(summary="s", source="db-1", severity=Severity.INFO, kind="disk", details={"free": "1%"})
    told = sent(alert.legacy_body(KEY))
    assert told["details"] == {"source": "db-1", "severity": "info", "class": "disk", "free": "1%"}
    assert told["description"] == "s"


@pytest.mark.parametrize("key", ["", "short", "R" * 31, "R" * 33, "R" * 31 + "é", "R" * 31 + "\n"])
def test_what_cannot_be_a_routing_key_is_not_shown(key: str) -> None:
    with pytest.raises(UserError) as caught:
        plain_key(SecretStr(key))
    assert "32 letters and digits" in str(caught.value)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["", "ftp://x.example.com", "x", "https://", "https://a b.example.com", "//["]
)
def test_links_are_addresses(address: str) -> None:
    with pytest.raises(UserError, match="http or https"):
        Link(address)


def test_images_are_https() -> None:
    assert read_image("https://x.example.com/a.png").body() == {"src": "https://x.example.com/a.png"}
    assert read_image("https://x.example.com/a.png http://y.example.com Load now") == Image(
        "https://x.example.com/a.png", "http://y.example.com", "Load now"
    )
    assert read_image("https://x.example.com/a.png Load now").alt == "Load now"
    with pytest.raises(UserError, match="https address"):
        read_image("http://x.example.com/a.png")


# ------------------------------------------------------------------------------------------ words of a person


def test_details_are_json_or_pairs() -> None:
    assert read_details(["free=1%", '{"load": 0.75, "free": "2%"}', " note = a=b "]) == {
        "free": "2%",
        "load": 0.75,
        "note": "a=b",
    }
    for wrong in ("free", "=x", "{free: 1}", '{"a": NaN}', "{" * 100_000):
        with pytest.raises(UserError):
            read_details([wrong])


def test_a_number_without_end_is_told() -> None:
    with pytest.raises(UserError, match="JSON cannot carry"):
        Change(summary="s", details=read_details(['{"load": 1e999}'])).body(KEY)


def test_links_and_times_are_read() -> None:
    assert read_link("https://ci.example.com/7 Build 7") == Link("https://ci.example.com/7", "Build 7")
    assert read_moment("2026-11-01T08:30:00") == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    zoned = read_moment("2026-11-01T10:30:00+02:00")
    assert zoned == datetime(2026, 11, 1, 10, 30, tzinfo=timezone(timedelta(hours=2)))
    told = sent(Change(summary="s", at=zoned).body(KEY))
    assert told["payload"]["timestamp"] == "2026-11-01T08:30:00.000Z"
    with pytest.raises(UserError, match="no time"):
        read_moment("yesterday")
