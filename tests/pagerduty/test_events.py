"""The Events API's client: one alert however often it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from bot.errors import NotOursAnyMore, PagerDutyRefused, PagerDutyUnavailable, UserError
from bot.pagerduty.event_fields import Action, Alert, Change, Link, Severity
from bot.pagerduty.events import PROMPT, EventsApi, pauses_within
from bot.pagerduty.http import open_session
from bot.pagerduty.journal import Journal
from bot.sandbox.pagerduty.faults import Mode
from bot.sandbox.pagerduty.server import FakePagerDuty
from bot.sandbox.world import acme

ALERT = Alert(
    key="k" * 40,
    summary="Cards fail",
    source="Slack, Dana Diaz",
    details={"Asked for in Slack by": "Dana Diaz (U0DANA)"},
)


@dataclass
class Bench:
    fake: FakePagerDuty
    session: ClientSession
    origin: str

    def __post_init__(self) -> None:
        self.paused: list[float] = []
        self.calls: list[int] = []
        self.key = SecretStr(next(one for one in acme().services if one.id == "PSVCCHK").routing_key)

    def api(self) -> EventsApi:
        async def sleep(seconds: float) -> None:
            self.paused.append(seconds)

        return EventsApi(
            self.session, self.origin, on_call=lambda *told: self.calls.append(told[2]), sleep=sleep
        )


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    fake, session = FakePagerDuty(acme()), open_session()
    origin = await fake.start()
    yield Bench(fake, session, origin)
    await session.close()
    await fake.stop()


async def test_it_is_taken_in(bench: Bench) -> None:
    journal = Journal()
    taken = await bench.api().send(bench.key, ALERT, journal)
    assert (taken.key, journal.status) == ("k" * 40, 202)
    [incident] = bench.fake.state.incidents.values()
    assert (incident.title, incident.service) == ("Cards fail", "PSVCCHK")
    assert "U0DANA" in str(incident.alerts[0].details)


async def test_pagerduty_makes_a_key_where_none_is_given(bench: Bench) -> None:
    taken = await bench.api().send(bench.key, Alert(summary="s", source="db-1"), Journal())
    [incident] = bench.fake.state.incidents.values()
    assert taken.key == incident.alerts[0].key != ""


async def test_what_was_taken_over_during_a_pause_is_not_sent_again(bench: Bench) -> None:
    bench.fake.outage("limited")
    journal = Journal(is_ours=lambda: not bench.paused)
    with pytest.raises(NotOursAnyMore):
        await bench.api().send_change(bench.key, Change(summary="Deployed", source="ci"), journal)
    assert (bench.calls, journal.status) == ([429], 429)


@pytest.mark.parametrize("legacy", [False, True])
async def test_one_alert_from_trigger_to_resolve(bench: Bench, legacy: bool) -> None:
    api, journal = bench.api(), Journal()
    alert = Alert(key="disk", summary="Disk full", source="db-1", severity=Severity.WARNING)
    assert (await api.send(bench.key, alert, journal, legacy=legacy)).key == "disk"
    [incident] = bench.fake.state.incidents.values()
    for action, status in ((Action.ACKNOWLEDGE, "acknowledged"), (Action.RESOLVE, "resolved")):
        await api.send(bench.key, Alert(action=action, key="disk"), journal, legacy=legacy)
        assert incident.status == status
    assert journal.status == (200 if legacy else 202)
    paths = {one.path for one in bench.fake.journal}
    assert paths == {"/generic/2010-04-15/create_event.json" if legacy else "/v2/enqueue"}


async def test_a_change_is_kept_and_calls_nobody(bench: Bench) -> None:
    change = Change(summary="Deployed", links=(Link("https://ci.example.com/7", "Build 7"),))
    assert (await bench.api().send_change(bench.key, change, Journal())).key == ""
    [kept] = bench.fake.state.change_events
    assert (kept["summary"], kept["service"]) == ("Deployed", "PSVCCHK")
    assert not bench.fake.state.incidents


@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "down", "limited"])
async def test_without_an_answer_it_is_sent_again_and_is_one(bench: Bench, mode: Mode) -> None:
    bench.fake.outage(mode, paths=["/v2/enqueue"], count=2)
    await bench.api().send(bench.key, ALERT, Journal())
    assert len(bench.fake.state.incidents) == 1
    assert len(bench.paused) == 2


async def test_it_gives_up_and_says_what_may_have_happened(bench: Bench) -> None:
    bench.fake.outage("down", paths=["/v2/enqueue"])
    with pytest.raises(PagerDutyUnavailable) as caught:
        await bench.api().send(bench.key, ALERT, Journal())
    assert caught.value.maybe_done
    assert bench.calls == [503] * (len(PROMPT) + 1)
    bench.fake.outage("off")
    bench.fake.outage("limited", paths=["/v2/enqueue"])
    with pytest.raises(PagerDutyUnavailable) as limited:
        await bench.api().send(bench.key, ALERT, Journal())
    assert not limited.value.maybe_done


async def test_the_legacy_form_is_limited_by_403(bench: Bench) -> None:
    path = "/generic/2010-04-15/create_event.json"
    bench.fake.outage("error", paths=[path], status=403, count=2)
    await bench.api().send(bench.key, ALERT, Journal(), legacy=True)
    assert bench.calls == [403, 403, 200]
    bench.fake.outage("error", paths=["/v2/enqueue"], status=403)
    with pytest.raises(PagerDutyRefused):
        await bench.api().send(bench.key, ALERT, Journal())


async def test_pagerdutys_reasons_are_told_and_nothing_is_repeated(bench: Bench) -> None:
    bench.fake.outage("error", paths=["/v2/enqueue"], status=400)
    with pytest.raises(PagerDutyRefused) as caught:
        await bench.api().send(bench.key, ALERT, Journal())
    assert bench.calls == [400]
    assert caught.value.reasons
    assert bench.key.get_secret_value() not in str(caught.value) + repr(caught.value) + str(
        caught.value.reasons
    )


async def test_what_cannot_be_a_key_is_not_sent(bench: Bench) -> None:
    with pytest.raises(UserError) as caught:
        await bench.api().send(SecretStr("too-short"), ALERT, Journal())
    assert bench.calls == []
    assert "too-short" not in str(caught.value)


def test_pauses_grow_to_half_a_minute_and_end() -> None:
    assert list(pauses_within(0)) == []
    assert list(pauses_within(10)) == [1, 2, 4]
    assert list(pauses_within(100)) == [1, 2, 4, 8, 16, 30, 30]
