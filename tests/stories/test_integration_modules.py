"""What integration platforms do in modules, from Slack and from a shell, seen from both sides."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.stories.office import ROOT, Office, OwnProcess
from tests.stories.waiting import PATIENCE, until


async def script(office: Office, folder: Path, *words: str) -> asyncio.subprocess.Process:
    """A shell with an API key, and where the made-up PagerDuty is: no Slack, no database."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        cwd=folder,
        env=kept
        | {"PYTHONPATH": str(ROOT), "PAGERDUTY_API_KEY": office.pagerduty.api_key}
        | {"PAGERDUTY_API_URL": office.sandbox.pagerduty_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def answer(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


def writes(office: Office) -> list[Any]:
    return [one for one in office.pagerduty.journal if one.direction == "in" and one.method == "PUT"]


async def test_an_incident_is_updated_from_everywhere(office: Office, tmp_path: Path) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await office.bob.asks(
        f"update {incident.number} status=acknowledged priority=P1", office.checkout, "Updated"
    )
    await message.expect("Acknowledged", "Bob Brown", "P1")
    await office.alice.mentions("update title=Disk nearly full", office.checkout, message.ts)
    await message.expect("Disk nearly full")
    await office.carol.types(f"update {incident.number}", office.checkout)
    await office.carol.fills(urgency="low", title="Disk on db-1 nearly full")
    await message.expect("Disk on db-1 nearly full")
    told = await answer(
        await script(
            office, tmp_path, "incident", "update", str(incident.number), "--status", "resolved",
            *("--from", "alice@acme.example", "--json"),
        )
    )  # fmt: skip
    assert (told[0], json.loads(told[1])["changed"]) == (0, ["status"])
    await message.expect("Resolved", "Alice Anderson", buttons=[])
    await office.bob.asks(f"update {incident.number} status=acknowledged", office.checkout, "would reopen it")
    who = [one.agent.id for one in office.truth(incident).log if one.agent and one.agent.kind == "user"]
    assert set(who) == {"PBOB002", "PALICE1", "PCAROL3"}


async def test_asked_for_twice_it_is_one_write(office: Office) -> None:
    incident = await office.trigger("Disk full")
    await office.checkout.expect_message("Disk full")
    await office.bob.asks(f"update {incident.number} level=2", office.checkout, "level 2")
    await office.slack.repeat("slash_commands")
    await office.carol.asks(f"update {incident.number} level=2", office.checkout, "is so already")
    assert len(writes(office)) == 1


async def test_killed_before_pagerduty_answered_it_is_told_and_not_done_again(
    empty_office: Office, tmp_path: Path
) -> None:
    office = empty_office
    bot = OwnProcess(office, tmp_path)
    await bot.start()
    bot.connect()
    incident = await office.trigger("Disk full")
    await office.alice.asks(f"show {incident.number}", office.checkout, "Disk full")
    office.pagerduty.outage("late", paths=["/incidents"], methods=["PUT"], seconds=30)
    await office.alice.types(f"update {incident.number} status=acknowledged urgency=low", office.checkout)
    await until(lambda: office.truth(incident).status == "acknowledged", "the update")
    await bot.kill()
    office.pagerduty.outage("off")
    await bot.start()
    await office.checkout.expect_private("U0ALICE", "It was done")
    done = [one.type for one in office.truth(incident).log]
    assert (done.count("acknowledge"), done.count("urgency_change")) == (1, 1)
    await bot.stop()


async def test_a_shell_watches_what_slack_does(office: Office, tmp_path: Path) -> None:
    watching = await script(office, tmp_path, "watch", "--service", "checkout", "--every", "1", "--json")
    await until(
        lambda: [one for one in office.pagerduty.journal if one.path == "/log_entries"], "nobody watches"
    )
    incident = await office.trigger("Disk full")
    await office.checkout.expect_message("Disk full")
    await office.bob.asks(f"ack {incident.number}", office.checkout, "Acknowledged")
    assert watching.stdout is not None
    async with asyncio.timeout(PATIENCE):
        told = [json.loads(await watching.stdout.readline()) for _ in range(2)]
    assert [one["change"] for one in told] == ["triggered", "acknowledged"]
    assert told[1]["by"]["name"] == "Bob Brown"
    watching.send_signal(signal.SIGTERM)
    assert await answer(watching) == (0, "")


async def test_who_is_on_call_is_listed_with_options(office: Office) -> None:
    said = await office.alice.asks(
        "oncall checkout until=30d zone=Europe/Berlin limit=2 total=yes", office.checkout, "On call"
    )
    assert "Alice Anderson" in said.words
    assert "Times in Europe/Berlin." in said.words
    await office.alice.asks("oncall users=me earliest=yes until=90d", office.checkout, "Checkout primary")
    await office.alice.asks("oncall until=120d", office.checkout, "the next 90 days")


async def test_an_admin_calls_the_api_and_is_asked_before_a_write(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    before = len(office.checkout.messages())
    await office.alice.asks("api GET /abilities", office.checkout, "people who run this bot")
    await office.carol.asks(f"api GET /incidents/{incident.number}", office.checkout, "answered 200")
    path, body = (
        f"/incidents/{incident.id}",
        '{"incident": {"type": "incident_reference", "status": "resolved"}}',
    )
    asked = await office.carol.asks(f"api PUT {path} body={body}", office.checkout, "Nothing was sent yet")
    assert office.truth(incident).status == "triggered"
    await asked.press("Send it", by="U0CAROL")
    await message.expect("Resolved", "Carol Chen", buttons=[])
    assert len(office.checkout.messages()) == before
    await office.carol.asks("audit", office.checkout, f"put {path}")


async def test_everybody_acts_by_their_own_token(linking_office: Office) -> None:
    office = linking_office
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await office.bob.asks(f"update {incident.number} status=acknowledged", office.checkout, "Updated")
    await message.expect("Acknowledged", "Bob Brown")
    told = await office.carol.asks("api GET /users/me", office.checkout, "answered 200")
    assert "carol@acme.example" in told.words
    assert "cal_url" not in told.words or "[hidden]" in told.words
    (me,) = [one for one in office.pagerduty.journal if one.path == "/users/me" and one.actor == "PCAROL3"][
        -1:
    ]
    assert "from" not in me.headers
