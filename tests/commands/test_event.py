"""`event` and `change`: by a named integration, one alert however often it is sent, nobody behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from bot.command.intents import Recovery
from bot.sandbox.world import acme
from bot.store.people_tables import audit, intents
from tests.command.switchboard import Switchboard, switchboard

KEY = next(one.routing_key for one in acme().services if one.id == "PSVCCHK")
NOBODY = "U0DANA"


@asynccontextmanager
async def with_key(url: str, **more: Any) -> AsyncIterator[Switchboard]:
    async with switchboard(url, **more) as board:
        await board.event_keys.put("deploys", SecretStr(KEY))
        yield board


@pytest.fixture
async def board(sqlite_url: str) -> AsyncIterator[Switchboard]:
    async with with_key(sqlite_url) as opened:
        yield opened


async def test_a_line_triggers_acknowledges_and_resolves(board: Switchboard) -> None:
    said = await board.types("event trigger deploys Disk full on db-1")
    [incident] = board.pagerduty.state.incidents.values()
    assert (incident.title, incident.service) == ("Disk full on db-1", "PSVCCHK")
    assert incident.incident_key in said
    assert "Triggered" in said
    assert f"#{incident.number}" in said
    assert "U0ALICE" in str(incident.alerts[0].details)
    for word, status in (("ack", "acknowledged"), ("resolve", "resolved")):
        assert "carries no person" in await board.types(f"event {word} deploys {incident.incident_key}")
        assert incident.status == status


async def test_the_form_has_every_field(board: Switchboard) -> None:
    await board.types("event")
    form = await board.alice.form()
    assert len([block for block in form["blocks"] if block["type"] == "input"]) == 15
    await board.alice.fills(
        action="trigger",
        integration="deploys",
        text="Disk full",
        key="db-1/disk",
        severity="warning",
        source="db-1",
        timestamp="2026-11-01T08:30Z",
        component="mysql",
        group="prod-db",
        kind="disk",
        details="free=1%\nload=0.75",
        client="Watcher",
        client_url="https://watch.example.com",
        links="https://ci.example.com/7 Build 7\n",
        images="https://ci.example.com/g.png Load",
    )
    await board.settle()
    [incident] = board.pagerduty.state.incidents.values()
    assert incident.incident_key == "db-1/disk"
    [sent] = [one.body for one in board.pagerduty.journal if one.path == "/v2/enqueue"]
    payload = sent["payload"]
    assert payload["custom_details"] == {
        "free": "1%",
        "load": "0.75",
        "Asked for in Slack by": "Alice Anderson (U0ALICE)",
    }
    told = {name: payload[name] for name in payload if name not in ("summary", "custom_details")}
    assert told == {
        "severity": "warning",
        "source": "db-1",
        "component": "mysql",
        "group": "prod-db",
        "class": "disk",
        "timestamp": "2026-11-01T08:30:00.000Z",
    }
    assert (sent["client"], sent["client_url"]) == ("Watcher", "https://watch.example.com")
    assert sent["links"] == [{"href": "https://ci.example.com/7", "text": "Build 7"}]
    assert sent["images"] == [{"src": "https://ci.example.com/g.png", "alt": "Load"}]


async def test_a_change_calls_nobody(board: Switchboard) -> None:
    said = await board.types("change deploys Deployed checkout 4.2")
    assert "took the change “Deployed checkout 4.2” in" in said
    [change] = board.pagerduty.state.change_events
    assert (change["summary"], change["service"]) == ("Deployed checkout 4.2", "PSVCCHK")
    assert not board.pagerduty.state.incidents


async def test_what_slack_repeats_is_one_alert(board: Switchboard) -> None:
    board.pagerduty.outage("drop_after", paths=["/v2/enqueue"], count=1)
    await board.types("event trigger deploys Disk full")
    await board.slack.repeat()
    await board.settle()
    assert len(board.pagerduty.state.incidents) == 1


async def test_a_long_summary_is_cut_and_said(board: Switchboard) -> None:
    said = await board.types("event trigger deploys " + "x" * 1100)
    assert "cut to 1,024 characters" in said
    [incident] = board.pagerduty.state.incidents.values()
    assert len(incident.title) == 1024


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("event trigger nowhere Disk full", "no integration called “nowhere”. There are: deploys"),
        ("event ack deploys " + "k" * 256, "PagerDuty takes 255"),
        ("change nowhere Deployed", "no integration called"),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_sent(board: Switchboard, line: str, said: str) -> None:
    assert said in await board.types(line)
    assert not [one for one in board.pagerduty.journal if "enqueue" in one.path]


async def test_pagerdutys_reasons_are_told(board: Switchboard) -> None:
    board.pagerduty.outage("error", paths=["/v2/enqueue"], status=400)
    for line in ("event trigger deploys Disk full", "event ack deploys k"):
        said = await board.types(line)
        assert "PagerDuty did not take the event: " in said
        assert KEY not in said
    async with board.database.read() as connection:
        rows = (await connection.execute(select(audit))).all()
    assert [(row.outcome, row.status) for row in rows] == [("pagerduty_refused", 400)] * 2


async def test_the_key_stands_nowhere(board: Switchboard) -> None:
    await board.types("event trigger deploys Disk full")
    async with board.database.read() as connection:
        rows = [*(await connection.execute(select(intents))), *(await connection.execute(select(audit)))]
    assert rows
    assert KEY not in str(rows) + board.newest().text


async def test_killed_after_it_was_sent_it_is_told_and_not_sent_again(board: Switchboard) -> None:
    await board.types("event trigger deploys Disk full")
    async with board.database.write() as connection:  # as if nobody had come to write down the end
        lapsed = {"state": "started", "holder": "dead", "lease_until": 0.0}
        await connection.execute(update(intents).values(lapsed))
    await Recovery(board.runner).round()
    await board.settle()
    assert "It was done" in board.newest().text
    assert len([one for one in board.pagerduty.journal if one.path == "/v2/enqueue"]) == 1


async def test_killed_before_it_was_begun_it_is_sent(board: Switchboard) -> None:
    await board.types("event trigger deploys Disk full")
    board.pagerduty.state.incidents.clear()
    board.pagerduty.state.open.clear()
    board.pagerduty.state.open_keys.clear()
    async with board.database.write() as connection:
        lapsed = {"state": "waiting", "holder": "dead", "lease_until": 0.0}
        await connection.execute(update(intents).values(lapsed))
    await Recovery(board.runner).round()
    await board.settle()
    sent = [one.body["dedup_key"] for one in board.pagerduty.journal if one.path == "/v2/enqueue"]
    assert len(sent) == 2
    assert len(set(sent)) == 1


# ---------------------------------------------------------------------------- people without a PagerDuty user


async def test_without_a_seat_one_may_trigger_and_no_more(sqlite_url: str) -> None:
    async with with_key(sqlite_url, trigger=True) as board:
        assert "Triggered" in await board.types("event trigger deploys Disk full", by=NOBODY)
        [incident] = board.pagerduty.state.incidents.values()
        assert "U0DANA" in str(incident.alerts[0].details)
        said = await board.types(f"event resolve deploys {incident.incident_key}", by=NOBODY)
        assert "Only people with a PagerDuty user" in said
        assert "No PagerDuty user" in await board.types("change deploys Deployed", by=NOBODY)
        assert incident.status == "triggered"


async def test_without_a_seat_only_where_admins_have_opened_it(sqlite_url: str) -> None:
    async with with_key(sqlite_url, trigger=True, trigger_in=("C0OTHER",)) as board:
        for line in ("trigger checkout Cards fail", "event trigger deploys Disk full"):
            assert "may not trigger here" in await board.types(line, by=NOBODY)
        assert not board.pagerduty.state.incidents
    async with with_key(sqlite_url, trigger=True, trigger_in=("T0ACME:C0CHECK",)) as board:
        assert "Triggered" in await board.types("trigger checkout Cards fail", by=NOBODY)


async def test_without_a_seat_only_so_often_in_an_hour(sqlite_url: str) -> None:
    async with with_key(sqlite_url, trigger=True, hourly=2) as board:
        assert "Triggered" in await board.types("trigger checkout Cards fail", by=NOBODY)
        assert "Triggered" in await board.types("event trigger deploys Disk full", by=NOBODY)
        for line in ("trigger checkout Again", "event trigger deploys Again", "trigger checkout Again"):
            assert "more than 2 in an hour" in await board.types(line, by=NOBODY)
        assert len(board.pagerduty.state.incidents) == 2
        assert "Triggered" in await board.types("event trigger deploys Mine")
