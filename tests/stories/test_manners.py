"""How the bot behaves towards PagerDuty is seen by whoever runs it, and no replica lives in the past."""

from __future__ import annotations

import re
from dataclasses import replace

import aiohttp

from tests.stories.office import HOST, InProcess, Office
from tests.stories.waiting import until_async


async def figures(port: int) -> dict[str, float]:
    """What /metrics shows, by name and labels."""
    async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{port}/metrics") as answer:
        text = await answer.text()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if not line.startswith("#")
    }


def rename(office: Office, name: str) -> None:
    """An admin renames Checkout in PagerDuty, which tells so by a webhook."""
    services = office.pagerduty.state.services
    services["PSVCCHK"] = replace(services["PSVCCHK"], name=name)
    office.pagerduty.control.set_service_status("PSVCCHK", "active")


async def test_a_renamed_service_is_known_to_the_replica_that_nobody_told(
    empty_postgresql_office: Office,
) -> None:
    office = empty_postgresql_office
    async with InProcess(office) as told, InProcess(office) as other:
        office.connect(told.port)
        rename(office, "Till")
        dropped = 'pagerline_cache_invalidations_total{cache="services"}'

        async def heard() -> bool:
            return (await figures(other.port)).get(dropped, 0) > 0

        await until_async(heard, "the other replica was not told")
        office.connect(other.port)
        await office.alice.asks("trigger till Drawer jammed", office.checkout, "Drawer jammed")
        assert office.find("Drawer jammed").service == "PSVCCHK"


async def test_what_was_asked_of_pagerduty_is_counted_and_names_nobody(empty_office: Office) -> None:
    office = empty_office
    async with InProcess(office) as bot:
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")
        await message.press("Acknowledge", by="U0BOB")
        await message.expect("Acknowledged", "Bob Brown")
        shown = await figures(bot.port)
    wrote = 'method="PUT",path="/incidents",status="200"'
    assert shown[f"pagerline_pagerduty_call_seconds_count{{{wrote}}}"] == 1
    assert shown['pagerline_pagerduty_deadline_used_ratio_count{outcome="answered",rank="act"}'] == 1
    assert 0 < shown['pagerline_pagerduty_budget_left{identity="account"}'] < 960
    assert shown['pagerline_pagerduty_budget_limit{identity="account"}'] == 960
    assert [name for name in shown if name.startswith("pagerline_cache_lookups_total")]
    labels = {label for name in shown for label in re.findall(r'="([^"]*)"', name)}
    ids = re.compile(r"\b[PQRUCT][A-Z0-9]{5,}\b")
    assert [label for label in labels if ids.search(label) or "@" in label] == []


async def test_whoever_is_linked_has_a_budget_of_their_own(linking_office: Office) -> None:
    office = linking_office
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.press("Acknowledge", by="U0BOB")
    await message.expect("Acknowledged", "Bob Brown")
    port = int(office.bot_url.rpartition(":")[2])
    shown = await figures(port)
    assert {"account", "person"} == {
        name.split('"')[1] for name in shown if name.startswith("pagerline_pagerduty_budget_left")
    }
    exchanged = 'method="POST",path="/oauth/token",status="200"'
    assert shown[f"pagerline_pagerduty_call_seconds_count{{{exchanged}}}"] >= 3
