"""Somebody sees trouble before the monitors do: one incident, by a line or a form, however often sent."""

from __future__ import annotations

import asyncio

from tests.stories.office import Office, settled


def titles(office: Office) -> list[str]:
    return [one.title for one in office.pagerduty.state.incidents.values()]


async def test_a_line_slack_repeats_makes_one_incident(office: Office) -> None:
    told = await office.alice.asks(
        "trigger checkout Card payments <fail> & stop", office.checkout, "Triggered"
    )
    await office.slack.repeat("slash_commands")
    message = await office.checkout.expect_message("Card payments &lt;fail&gt; &amp; stop")
    await message.expect("level 1 of 3", "Alice Anderson")
    assert titles(office) == ["Card payments <fail> & stop"]
    (incident,) = office.pagerduty.state.incidents.values()
    assert f"#{incident.number}" in told.words
    assert incident.log[0].agent is not None
    assert incident.log[0].agent.id == "PALICE1"
    await office.olive.asks("trigger checkout Let me in", office.checkout, "Observer")
    await office.dana.asks("trigger checkout Let me in", office.checkout, "dana@acme.example")
    assert len(titles(office)) == 1


async def test_the_form_helps_and_a_double_submit_makes_one_incident(office: Office) -> None:
    await office.bob.types("trigger Disk full on db-1", office.search)
    form = await office.bob.form()
    fields = [block["block_id"] for block in form["blocks"] if block["type"] == "input"]
    assert fields == ["service", "title", "details", "urgency"]
    assert await office.bob.is_offered("field:service", "paym") == ["Payments API"]
    assert await office.bob.is_offered("field:service", "métr") == ["Métriques"]
    assert len(await office.bob.is_offered("field:service", "")) == 5
    view = office.slack.views.top("U0BOB")
    assert view is not None
    spaces = await office.slack.submit("U0BOB", view.id, {"service": "PSVCCHK", "title": "   "})
    assert spaces.body["errors"]["title"] == "Please fill this in."
    values = {"title": "Disk full on db-1", "details": "It says ENOSPC\nsince 3 a.m.", "urgency": "low"}
    sent = [asyncio.create_task(office.slack.submit("U0BOB", view.id, values)) for _ in range(2)]
    await asyncio.gather(*sent, return_exceptions=True)
    await office.slack.repeat("view_submission")
    message = await office.checkout.expect_message("Disk full on db-1")
    await message.expect("Low urgency", "Triggered")
    await office.search.expect_private("U0BOB", "Disk full on db-1")
    (incident,) = office.pagerduty.state.incidents.values()
    assert (incident.service, incident.urgency, incident.details) == (
        "PSVCCHK",
        "low",
        "It says ENOSPC\nsince 3 a.m.",
    )


async def test_a_mistyped_service_opens_the_form_and_pages_nobody(office: Office) -> None:
    await office.alice.types("trigger chekcout Cards fail", office.checkout)
    form = await office.alice.form()
    assert "chekcout Cards fail" in str(form["blocks"])
    assert titles(office) == []
    await office.alice.fills(service="PSVCCHK", title="Cards fail")
    await office.checkout.expect_message("Cards fail")


async def test_what_pagerduty_refuses_or_loses_is_said(office: Office) -> None:
    office.pagerduty.outage("error", paths=["/incidents"], methods=["POST"], status=403, code=2010, count=1)
    refused = await office.alice.asks("trigger checkout Cards fail", office.checkout, "does not let you")
    assert "incidents.write" in refused.words
    # Carried out, but the answer was lost: looked up by its key, not made twice.
    office.pagerduty.outage("drop_after", paths=["/incidents"], methods=["POST"], count=1)
    await office.alice.asks("trigger checkout Queue stuck", office.checkout, "Queue stuck")
    await office.checkout.expect_message("Queue stuck")
    assert titles(office) == ["Queue stuck"]
    await settled(office)
