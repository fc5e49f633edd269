"""Events from Slack and from a shell: each becomes an incident with its message, and carries no person."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.store.database import Database
from bot.store.event_keys import EventKeys
from bot.store.sealing import Sealer
from tests.stories.office import ROOT, InProcess, Office, OwnProcess
from tests.stories.waiting import until

CHECKOUT = "PSVCCHK"


def routing_key(office: Office) -> str:
    return next(one.routing_key for one in office.sandbox.world.services if one.id == CHECKOUT)


async def names_integration(office: Office) -> None:
    """What `python -m bot event-keys add deploys` does."""
    database = await Database.open(office.database_url)
    try:
        await EventKeys(database, Sealer([office.keys])).put("deploys", SecretStr(routing_key(office)))
    finally:
        await database.close()


async def script(office: Office, folder: Path, *words: str) -> tuple[int, str]:
    """A shell with one setting, and where the made-up PagerDuty is: no Slack, no database."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        cwd=folder,
        env=kept
        | {"PYTHONPATH": str(ROOT), "PAGERDUTY_ROUTING_KEY": routing_key(office)}
        | {"PAGERDUTY_EVENTS_URL": office.sandbox.pagerduty_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


def sent(office: Office) -> list[Any]:
    return [one for one in office.pagerduty.journal if one.path == "/v2/enqueue"]


async def test_a_deploy_breaks_checkout(office: Office, tmp_path: Path) -> None:
    await names_integration(office)
    shell = tmp_path / "shell"
    shell.mkdir()
    status, _ = await script(office, shell, "change", "Deployed checkout 4.2", "--source", "deploy")
    assert status == 0
    words = ("event", "trigger", "Cards fail", "--dedup-key", "checkout/cards", "--severity", "critical")
    status, said = await script(office, shell, *words)
    assert (status, "dedup key checkout/cards" in said) == (0, True)
    message = await office.checkout.expect_message("Cards fail")
    await message.expect("Triggered", "Checkout")
    incident = office.find("Cards fail")
    shown = await office.alice.asks(f"show {incident.number}", office.checkout, "Changed before it")
    assert "Deployed checkout 4.2" in shown.words
    await office.alice.asks("event ack deploys checkout/cards", office.checkout, "carries no person")
    await message.expect("Acknowledged")
    assert not incident.acknowledgements or incident.acknowledgements[0].agent.kind == "service"
    status, _ = await script(office, shell, "event", "resolve", "checkout/cards")
    assert status == 0
    await message.expect("Resolved", buttons=[])
    assert list(shell.iterdir()) == []


async def test_an_event_from_slack_is_one_alert_and_leads_to_its_incident(office: Office) -> None:
    await names_integration(office)
    office.pagerduty.outage("drop_after", paths=["/v2/enqueue"], count=1)
    told = await office.bob.asks("event trigger deploys Queue is stuck", office.checkout, "Triggered")
    await office.slack.repeat("slash_commands")
    await office.checkout.expect_message("Queue is stuck")
    [incident] = office.pagerduty.state.incidents.values()
    assert f"#{incident.number}" in told.words
    assert len({one.body["dedup_key"] for one in sent(office)}) == 1
    assert "Bob Brown" in str(incident.alerts[0].details)


async def test_killed_before_pagerduty_answered_it_is_told_and_not_sent_again(
    empty_office: Office, tmp_path: Path
) -> None:
    office = empty_office
    await names_integration(office)
    bot = OwnProcess(office, tmp_path)
    await bot.start()
    bot.connect()
    await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
    office.pagerduty.outage("late", paths=["/v2/enqueue"], seconds=30)
    await office.alice.types("event trigger deploys Disk full on db-1", office.checkout)
    await until(lambda: office.pagerduty.state.incidents, "the incident")
    await bot.kill()
    office.pagerduty.outage("off")
    await bot.start()
    await office.checkout.expect_message("Disk full on db-1")
    await office.checkout.expect_private("U0ALICE", "It was done")
    [incident] = office.pagerduty.state.incidents.values()
    assert [one.type for one in incident.log].count("trigger") == 1  # a repeat would stand there too
    await bot.stop()


async def test_whoever_has_no_seat_triggers_where_admins_let_them(empty_office: Office) -> None:
    office = empty_office
    await names_integration(office)
    open_to_all = {"trigger_without_seat": True, "trigger_without_seat_channels": (office.checkout.id,)}
    async with InProcess(office, **open_to_all, trigger_without_seat_hourly=1):
        await office.dana.asks("event trigger deploys Let me in", office.search, "may not trigger here")
        await office.dana.asks("event trigger deploys Cards fail", office.checkout, "Triggered")
        await office.dana.asks("event trigger deploys Again", office.checkout, "more than 1 in an hour")
    [incident] = office.pagerduty.state.incidents.values()
    assert "Dana Diaz (U0DANA)" in str(incident.alerts[0].details)
