"""The main story: an incident becomes one message that acts, stays true, and ends small."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.sandbox.pagerduty.state import Incident
from tests.stories.office import Office
from tests.stories.slack_eyes import Seen
from tests.stories.waiting import until


async def paged(office: Office, title: str = "Disk full on db-1", **more: Any) -> tuple[Incident, Seen]:
    incident = await office.trigger(title, **more)
    return incident, await office.checkout.expect_message(title)


async def test_from_trigger_to_resolve_in_one_message(office: Office) -> None:
    incident, message = await paged(office)
    await message.expect("Triggered", "High urgency", "Checkout", "Alice Anderson")
    assert message.buttons[:2] == ["Acknowledge", "Resolve"]

    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged", "Alice Anderson")
    assert office.truth(incident).status == "acknowledged"
    assert [one.agent.id for one in office.truth(incident).acknowledgements] == ["PALICE1"]
    assert "Resolve" in message.buttons
    assert "Acknowledge" not in message.buttons

    await message.press("Resolve", by="U0BOB")
    await message.expect("Resolved", "Bob Brown", buttons=[])
    assert office.truth(incident).status == "resolved"
    assert len(office.checkout.about("Disk full on db-1")) == 1
    assert office.slack.doubles() == []


async def test_the_message_is_there_and_knows_the_level_soon_after(office: Office) -> None:
    incident = await office.trigger("Queue is stuck")
    message = await office.checkout.expect_message("Queue is stuck")
    await message.expect("level 1 of 3", "Bob Brown")
    assert f"#{incident.number}" in message.words


async def test_what_happens_in_pagerduty_is_followed(office: Office) -> None:
    incident, message = await paged(office)
    office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
    await message.expect("Acknowledged", "Bob Brown")
    office.pagerduty.act(incident.id, "priority", by="PBOB002", value="PPRIO02")
    await message.expect("P2", "last change: priority")
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await message.expect("Resolved", "Bob Brown", buttons=[])
    office.pagerduty.act(incident.id, "reopen", by="PALICE1", status="triggered")
    await message.expect("Triggered again", "Acknowledge")
    lines = await until(
        lambda: [one for one in message.thread() if "eopened" in one.words] or None, "no thread line"
    )
    assert len(lines) == 1


async def test_news_stands_in_the_thread_and_loud_news_in_the_channel_too(office: Office) -> None:
    incident, message = await paged(office)
    office.pagerduty.act(incident.id, "note", by="PBOB002", text="Looking at the <!channel> disk & co")
    office.pagerduty.act(incident.id, "escalate", by="PALICE1", level=2)
    await until(
        lambda: len(message.thread()) >= 2 or None, lambda: str([one.words for one in message.thread()])
    )
    notes = [one for one in message.thread() if "Looking at" in one.words]
    assert len(notes) == 1
    assert "<!channel>" not in notes[0].words
    raw = office.slack.workspace.channel("C0CHECK").messages
    broadcast = [item for item in raw.values() if item.is_reply and item.broadcast]
    assert ["scalated" in item.text for item in broadcast] == [True]


async def test_a_hostile_title_mentions_nobody(office: Office) -> None:
    title = "<!channel> *boo* <@U0BOB> & <https://evil.example|click>"
    await office.trigger(title)
    message = await office.checkout.expect_message("boo")
    assert "<!channel>" not in message.words
    assert "<@U0BOB>" not in message.words
    assert "<!channel>" not in message.text
    assert "<https://evil.example" not in message.words


async def test_a_merged_incident_points_to_its_target(office: Office) -> None:
    target, _ = await paged(office, "Checkout is down")
    source, message = await paged(office, "Checkout is slow")
    office.pagerduty.act(source.id, "merge", by="PALICE1", into=target.id)
    await message.expect("Merged into", buttons=[])


async def test_two_people_press_at_once_and_it_is_done_once(office: Office) -> None:
    incident, message = await paged(office)
    await asyncio.gather(message.press("Acknowledge", by="U0ALICE"), message.press("Acknowledge", by="U0BOB"))
    await message.expect("Acknowledged")
    await asyncio.gather(
        office.checkout.expect_private("U0ALICE", f"#{incident.number}"),
        office.checkout.expect_private("U0BOB", f"#{incident.number}"),
    )
    assert office.truth(incident).status == "acknowledged"


async def test_slack_repeating_a_press_acts_once(office: Office) -> None:
    incident, message = await paged(office)
    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged")
    await office.slack.repeat()
    await office.checkout.expect_private("U0ALICE", f"#{incident.number}")
    writes = [
        one
        for one in office.pagerduty.journal
        if one.direction == "in" and one.method == "PUT" and one.status == 200
    ]
    assert len(writes) == 1


async def test_escalate_leads_to_its_level_however_often_it_is_pressed(office: Office) -> None:
    incident, message = await paged(office)
    await message.expect("level 1 of 3")
    await asyncio.gather(message.press("Escalate", by="U0ALICE"), message.press("Escalate", by="U0CAROL"))
    await message.expect("Bob Brown", "level 2 of 3")
    assert [office.truth(incident).level] == [2]


async def test_an_old_acknowledge_button_does_not_reopen(office: Office) -> None:
    incident, message = await paged(office)
    office.pagerduty.webhooks.set_mode("hold")
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await message.press("Acknowledge", by="U0ALICE")
    await office.checkout.expect_private("U0ALICE", "resolved")
    assert office.truth(incident).status == "resolved"
    await message.expect("Resolved")


async def test_a_note_through_the_form(office: Office) -> None:
    incident, message = await paged(office)
    await message.press("Add note", by="U0BOB")
    await office.bob.fills(text="Rotated the logs.\nIt is calm now.")
    await office.checkout.expect_private("U0BOB", "ote")
    assert [one.content for one in office.truth(incident).notes] == ["Rotated the logs.\nIt is calm now."]
    await until(
        lambda: [one for one in message.thread() if "Rotated the logs" in one.words] or None, "no thread line"
    )
