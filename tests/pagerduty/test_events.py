"""The Events API's client: one alert however often it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from bot.errors import PagerDutyRefused, PagerDutyUnavailable
from bot.model import Urgency
from bot.pagerduty.events import Alert, EventsApi
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
    await bench.api().trigger(bench.key, ALERT, journal)
    assert journal.status == 202
    [incident] = bench.fake.state.incidents.values()
    assert (incident.title, incident.service) == ("Cards fail", "PSVCCHK")
    assert "U0DANA" in str(incident.alerts[0].details)


@pytest.mark.parametrize(("urgency", "severity"), [(None, "critical"), (Urgency.LOW, "info")])
async def test_urgency_becomes_severity(bench: Bench, urgency: Urgency | None, severity: str) -> None:
    alert = Alert(key="k", summary="s" * 2000, source="Slack", urgency=urgency)
    await bench.api().trigger(bench.key, alert, Journal())
    [incident] = bench.fake.state.incidents.values()
    assert incident.alerts[0].severity == severity
    assert len(incident.title) == 1024


@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "down", "limited"])
async def test_without_an_answer_it_is_sent_again_and_is_one(bench: Bench, mode: Mode) -> None:
    bench.fake.outage(mode, paths=["/v2/enqueue"], count=2)
    await bench.api().trigger(bench.key, ALERT, Journal())
    assert len(bench.fake.state.incidents) == 1
    assert len(bench.paused) == 2


async def test_it_gives_up_and_says_what_may_have_happened(bench: Bench) -> None:
    bench.fake.outage("down", paths=["/v2/enqueue"])
    with pytest.raises(PagerDutyUnavailable) as caught:
        await bench.api().trigger(bench.key, ALERT, Journal())
    assert caught.value.maybe_done
    assert bench.calls == [503] * 4
    bench.fake.outage("off")
    bench.fake.outage("limited", paths=["/v2/enqueue"])
    with pytest.raises(PagerDutyUnavailable) as limited:
        await bench.api().trigger(bench.key, ALERT, Journal())
    assert not limited.value.maybe_done


async def test_what_pagerduty_refuses_is_not_repeated(bench: Bench) -> None:
    with pytest.raises(PagerDutyRefused) as caught:
        await bench.api().trigger(SecretStr("too-short"), ALERT, Journal())
    assert bench.calls == [400]
    assert "too-short" not in str(caught.value) + repr(caught.value)
