"""`note` and `notes`: by a line, by a form, by a thread."""

from __future__ import annotations

from tests.command.switchboard import Switchboard


def notes_of(board: Switchboard, ident: str) -> list[tuple[str, str]]:
    return [(one.user, one.content) for one in board.pagerduty.state.incidents[ident].notes]


async def test_a_line_is_enough(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    assert "Note added" in await board.types(f"note {incident.number} Rotated the logs & waiting <3")
    assert notes_of(board, incident.id) == [("PALICE1", "Rotated the logs & waiting <3")]


async def test_without_the_text_a_form_opens_and_writes_it(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"note {incident.number}", by="U0BOB")
    form = await board.bob.form()
    assert "Disk full" in str(form["blocks"])
    await board.bob.fills(text="Two\nlines")
    await board.settle()
    assert notes_of(board, incident.id) == [("PBOB002", "Two\nlines")]
    assert "Note added" in board.newest("U0BOB").text


async def test_a_form_sent_twice_writes_once(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"note {incident.number}")
    await board.alice.fills(text="Once")
    await board.slack.repeat()
    await board.settle()
    assert len(notes_of(board, incident.id)) == 1


async def test_without_anything_the_form_asks_for_the_incident_too(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types("note it is back")
    form = await board.alice.form()
    names = [block["block_id"] for block in form["blocks"] if block["type"] == "input"]
    assert names == ["incident", "text"]
    choices = await board.slack.options(
        "U0ALICE",
        "field:incident",
        "disk",
        view=board.slack.views.top("U0ALICE").id,  # type: ignore[union-attr]
    )
    assert [one["value"] for one in choices.body["options"]] == [incident.id]
    await board.alice.fills(incident=incident.id)
    await board.settle()
    assert notes_of(board, incident.id) == [("PALICE1", "it is back")]


async def test_notes_are_read_newest_last(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    assert "no notes" in await board.types(f"notes {incident.number}")
    await board.types(f"note {incident.number} first")
    await board.types(f"note {incident.number} second", by="U0BOB")
    said = await board.types(f"notes {incident.number}")
    assert said.index("first") < said.index("second")
    assert "Bob Brown" in said
    assert "no incident" in (await board.types("notes 99999"))


async def test_a_mention_in_the_incidents_thread_needs_no_number(board: Switchboard) -> None:
    await board.follows()
    incident = await board.breaks("Disk full")
    posted = await board.workspaces.all()[0].post("C0CHECK", "Disk full")
    async with board.database.write() as connection:
        await connection.exec_driver_sql(f"UPDATE messages SET ts = '{posted.ts}'")
    await board.slack.mention("U0BOB", "C0CHECK", "note rolled back", thread_ts=posted.ts)
    await board.settle()
    assert notes_of(board, incident.id) == [("PBOB002", "rolled back")]
    await board.slack.mention("U0BOB", "C0CHECK", "ack", thread_ts=posted.ts)
    await board.settle()
    assert board.truth(incident).status == "acknowledged"
    reply = board.newest("U0BOB")
    assert reply._message.thread_ts == posted.ts
