"""The same words as a mention, in a thread, in the bot's own conversation; and what a phone makes of them."""

from __future__ import annotations

from tests.stories.office import Office
from tests.stories.waiting import until


async def test_in_an_incidents_thread_nobody_needs_a_number(office: Office) -> None:
    first = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    second = await office.trigger("Queue stuck")
    await office.checkout.expect_message("Queue stuck")
    await office.bob.mentions("ack", office.checkout, message.ts)
    told = await office.checkout.expect_private("U0BOB", f"Acknowledged #{first.number}")
    assert office.slack.workspace.channel("C0CHECK").ephemerals[told.ts].thread_ts == message.ts
    await message.expect("Acknowledged", "Bob Brown")
    await office.bob.mentions("note “Restarted it” & <3", office.checkout, message.ts)
    notes = await until(lambda: office.truth(first).notes, "the note was not written")
    assert notes[0].content == '"Restarted it" & <3'
    await office.bob.mentions("who's on call?", office.checkout, message.ts)
    await office.checkout.expect_private("U0BOB", "On call for")
    await office.slack.repeat("app_mention")
    await office.bob.mentions("resolve", office.checkout, message.ts)
    await message.expect("Resolved", "Bob Brown", buttons=[])
    assert office.truth(second).status == "triggered"
    assert len(office.truth(first).notes) == 1


async def test_in_the_channel_and_in_its_own_conversation(office: Office) -> None:
    incident = await office.trigger("Disk full")
    await office.checkout.expect_message("Disk full")
    await office.carol.mentions(f"show #{incident.number}", office.checkout)
    await office.checkout.expect_private("U0CAROL", "level 1 of 3")
    await office.carol.mentions("", office.checkout)
    await office.checkout.expect_private("U0CAROL", "/pager ack")
    direct = office.place(office.slack.workspace.direct_messages("U0CAROL").id)
    await office.carol.writes("list", direct)
    await direct.expect_message("Disk full")
    await office.carol.writes(f"ack {incident.number}", direct)
    told = await direct.expect_message(f"Acknowledged #{incident.number}")
    assert told.text.startswith("Acknowledged")
    await office.slack.repeat("message.im")
    await office.carol.writes(f"resolve {incident.number}", direct)
    await direct.expect_message(f"Resolved #{incident.number}")
    assert office.truth(incident).status == "resolved"
    assert [
        one.agent.id for one in office.truth(incident).log if one.type == "acknowledge" and one.agent
    ] == ["PCAROL3"]


async def test_what_a_phone_makes_of_the_words(office: Office) -> None:
    incident = await office.trigger("Disk full")
    await office.checkout.expect_message("Disk full")
    await office.alice.asks(f"  ACK\u00a0#{incident.number}. ", office.checkout, "Acknowledged")
    await office.alice.asks("trigger “Payments API” Cards “time out”", office.checkout, "Triggered")
    made = [one for one in office.pagerduty.state.incidents.values() if one.service == "PSVCPAY"]
    assert [one.title.replace("“", '"').replace("”", '"') for one in made] == ['Cards "time out"']
    await office.alice.types(f"note {incident.number}", office.checkout)
    await office.alice.fills(text="Look at <#C0CHECK> & “this” <https://a.example|link>")
    await until(lambda: office.truth(incident).notes, "the note was not written")
    assert office.truth(incident).notes[0].content == "Look at <#C0CHECK> & “this” <https://a.example|link>"
    message = await office.checkout.expect_message("Disk full")
    line = await until(
        lambda: next((one for one in message.thread() if "Look at" in one.words), None), "no thread line"
    )
    assert "<#C0CHECK>" not in line.words
    assert "<https://a.example|link>" not in line.words


HOSTILE = (
    "<!channel> <@U0BOB> *b* _i_ ~s~ `c` ```x``` <https://evil.example|PagerDuty> &amp; \u202e\u0000 > q"
)


async def test_hostile_text_mentions_nobody_and_formats_nothing_anywhere(office: Office) -> None:
    incident = await office.trigger(HOSTILE, by="PBOB002")
    message = await office.checkout.expect_message("evil.example")
    office.pagerduty.act(incident.id, "note", by="PBOB002", text=HOSTILE)
    office.pagerduty.act(incident.id, "title", by="PBOB002", text=HOSTILE + " 2")
    office.pagerduty.act(
        incident.id, "bridge", by="PBOB002", number=HOSTILE, url="https://evil.example/?a=<!channel>"
    )
    await message.expect("evil.example", "2")
    await until(message.thread, "no thread line")
    number = incident.number
    for line in (f"show {number}", f"notes {number}", "list", f"ack {number}", f"escalate {number}"):
        await office.alice.asks(line, office.checkout, "evil.example")
    await office.alice.types(f"<!channel> {HOSTILE}", office.checkout)
    await office.alice.types(f"oncall {HOSTILE}", office.checkout)
    await office.alice.types(f"trigger checkout {HOSTILE}", office.checkout)
    await office.checkout.expect_private("U0ALICE", "I do not know")
    everything = office.slack.messages("C0CHECK", seen_by="U0ALICE")
    said = [f"{one.text} {one.blocks}" for one in everything if one.by_bot or one.seen_by]
    assert len(said) > 8
    for one in said:
        assert "<!channel>" not in one
        assert "<@U0OLIVE>" not in one
        assert "<https://evil.example|PagerDuty>" not in one
