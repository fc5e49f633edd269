"""The one path: who may, what is said when it goes wrong, once however often Slack repeats, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from bot.command.catalog import Catalog
from bot.command.context import Context
from bot.declaration import IncidentRef, Reply, command
from bot.store.people_tables import audit, intents
from bot.store.tables import messages
from commands import CATALOG
from tests.command.switchboard import Switchboard, switchboard
from tests.stories.waiting import until, until_async


@command("boom", scope="incidents.read")
async def boom(ctx: Context) -> Reply:
    """Break."""
    raise ZeroDivisionError("a secret detail")


@command("slow", scope="incidents.read")
async def slow(ctx: Context) -> Reply:
    """Take a while."""
    await asyncio.sleep(1.3)
    return Reply("Here it is at last.")


@command("ugly", scope="incidents.read")
async def ugly(ctx: Context) -> Reply:
    """Draw what Slack refuses."""
    return Reply("All that matters.", ({"type": "no such block"},))


@command("mistaken", scope="incidents.read")
async def mistaken(ctx: Context, incident: IncidentRef) -> Reply:
    """Act without saying so."""
    await ctx.incidents.acknowledge([incident])
    return Reply("Never said.")


@pytest.fixture
async def odd(sqlite_url: str) -> AsyncIterator[Switchboard]:
    async with switchboard(sqlite_url, catalog=Catalog(*CATALOG, boom, slow, ugly, mistaken)) as opened:
        yield opened


# ------------------------------------------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("U0DANA", "No PagerDuty user logs in as dana@acme.example"),
        ("U0GUEST", "You are a guest"),
        ("U0OLIVE", "Your PagerDuty role is Observer"),
        ("U0STRANG", "another organisation"),
        ("U0GONE", "deactivated"),
    ],
)
async def test_whoever_may_not_act_is_told_why_and_nothing_happens(
    board: Switchboard, user: str, words: str
) -> None:
    incident = await board.breaks("Disk full")
    assert words in await board.types(f"ack {incident.number}", by=user)
    assert board.truth(incident).status == "triggered"
    assert [call for call in board.calls() if not call.startswith("GET /users")] == []


@pytest.mark.parametrize("user", ["U0GUEST", "U0STRANG"])
async def test_nor_may_they_look(board: Switchboard, user: str) -> None:
    await board.breaks("Disk full")
    assert "Disk full" not in await board.types("list", by=user)


async def test_a_form_is_not_opened_for_somebody_who_may_not(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types("whoami", by="U0OLIVE")  # Slack's answer is known by now
    assert "Observer" in await board.types(f"note {incident.number}", by="U0OLIVE")
    assert board.slack.views.top("U0OLIVE") is None


async def test_every_act_is_on_record(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}", by="U0BOB")
    await board.types(f"resolve {incident.number}", by="U0OLIVE")
    await board.types("list")
    async with board.database.read() as connection:
        row, refused = (await connection.execute(select(audit).order_by(audit.c.id))).all()
        states = (await connection.execute(select(intents.c.verb, intents.c.state))).all()
    assert (row.verb, row.user_id, row.person_id, row.identity) == ("ack", "U0BOB", "PBOB002", "email")
    assert (row.outcome, row.subjects, row.words) == ("done", incident.id, f"ack {incident.number}")
    assert (row.surface, row.channel_id, row.status) == ("slash", "C0CHECK", 200)
    assert row.request_id
    assert row.accepted_at <= row.done_at
    assert (refused.verb, refused.user_id, refused.identity) == ("resolve", "U0OLIVE", "email")
    assert (refused.outcome, refused.subjects) == ("not_allowed", incident.id)
    assert (refused.status, refused.request_id) == (None, None)
    assert "Observer" in refused.detail
    assert [tuple(state) for state in states] == [("ack", "done"), ("resolve", "failed")]
    assert [one[::2] for one in board.counted.commands] == [
        ("ack", "done"),
        ("resolve", "not_allowed"),
        ("list", "done"),
    ]


async def outcomes(board: Switchboard) -> list[tuple[str, int | None]]:
    """Outcome and PagerDuty's status of every act on record."""
    async with board.database.read() as connection:
        rows = await connection.execute(select(audit.c.outcome, audit.c.status).order_by(audit.c.id))
        return [(outcome, status) for outcome, status in rows]


async def test_the_record_tells_what_came_of_it_and_not_that_somebody_was_answered(
    board: Switchboard,
) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"ack {incident.number}")
    await board.types(f"ack {incident.number}")  # somebody has it already: nothing is written
    await board.types(f"resolve {incident.number}")
    await board.types(f"resolve {incident.number}")  # PagerDuty says no
    await board.types("ack what ever")  # nothing was asked for that could be done
    assert await outcomes(board) == [
        ("done", 200),
        ("unchanged", None),
        ("done", 200),
        ("pagerduty_refused", 400),
    ]


async def test_a_write_nobody_answered_is_on_record_as_unknown(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("drop_after", paths=["/incidents"], methods=["PUT"])
    await board.types(f"escalate {incident.number} 2")
    assert await outcomes(board) == [("unknown", 0)]


async def test_a_command_that_only_said_it_reads_cannot_act(odd: Switchboard) -> None:
    incident = await odd.breaks("Disk full")
    assert "may only read" in await odd.types(f"mistaken {incident.number}")
    assert odd.truth(incident).status == "triggered"


# ------------------------------------------------------------------------------------------- what goes wrong


async def test_a_bug_is_an_apology_with_an_id_and_no_details(odd: Switchboard) -> None:
    said = await odd.types("boom")
    assert "our mistake" in said
    assert "secret" not in said
    assert odd.counted.commands == [("boom", "slash", "error")]


async def test_pagerduty_down_is_told_apart(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("limited", paths=["/incidents"])
    said = await board.types(f"ack {incident.number}")
    assert "PagerDuty" in said
    assert "Try again" in said
    assert board.truth(incident).status == "triggered"


async def test_working_is_said_only_after_a_second(odd: Switchboard) -> None:
    said = await odd.types("slow")
    assert said.index("Working on it") < said.index("Here it is at last")

    async def quick() -> bool:
        """Again on a machine that was busy just then."""
        return "Working on it" not in await odd.types("help")

    await until_async(quick, "it was said of what was quick")


async def test_a_form_whose_trigger_expired_is_offered_again(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.slack.fault("views.open", "error", error="expired_trigger_id")
    await board.types(f"note {incident.number} ")
    reply = board.newest()
    assert reply.buttons == ["Open the form"]
    await reply.press("Open the form", by="U0ALICE")
    await board.alice.fills(text="Second try")
    await board.settle()
    assert len(board.truth(incident).notes) == 1


async def test_refused_blocks_are_told_plainer(odd: Switchboard) -> None:
    assert "All that matters" in await odd.types("ugly")


async def test_a_dead_reply_address_falls_back_to_the_channel(board: Switchboard) -> None:
    board.slack.fault("response_url", "server_error")
    assert "act as Alice" in await board.types("whoami")


async def test_an_answer_waits_until_slack_is_back(board: Switchboard) -> None:
    for method in ("response_url", "chat.postEphemeral", "chat.postMessage"):
        board.slack.fault(method, "drop_before")
    assert "act as Alice" in await board.types("whoami")
    assert not board.slack.faults.waiting


async def test_and_from_the_channel_to_a_direct_message(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types(f"note {incident.number}", channel="C0GENERAL")  # the bot is not in there
    await board.alice.fills(text="From afar")
    await board.settle()
    direct = board.slack.workspace.direct_messages("U0ALICE")
    assert ["Note added" in one.text for one in direct.messages.values()] == [True]


# ------------------------------------------------------------------------------------------- once, and surely


@pytest.mark.parametrize("line", ["ack {n}", "escalate {n}", "note {n} once"])
async def test_slacks_repeats_act_once(board: Switchboard, line: str) -> None:
    incident = await board.breaks("Disk full")
    await board.types(line.format(n=incident.number))
    board.calls()
    for _ in range(3):
        await board.slack.repeat()
    await board.settle()
    assert [call for call in board.calls() if not call.startswith("GET")] == []


async def test_a_repeated_mention_is_answered_once(board: Switchboard) -> None:
    await board.slack.mention("U0ALICE", "C0CHECK", "whoami")
    await board.slack.repeat()
    await board.settle()
    assert len(board.checkout.answers("U0ALICE")) == 1


async def test_words_in_a_direct_message_are_answered_there(board: Switchboard) -> None:
    direct = board.slack.workspace.direct_messages("U0BOB")
    await board.slack.message("U0BOB", direct.id, "whoami")
    await board.settle()
    assert "act as Bob Brown" in list(direct.messages.values())[-1].text


async def test_a_stop_waits_for_what_was_accepted(odd: Switchboard) -> None:
    await odd.slack.command("U0ALICE", "C0CHECK", "slow")
    assert await odd.runner.tasks.finish(5) == 0
    assert "at last" in odd.newest().text
    answer = await odd.slack.command("U0ALICE", "C0CHECK", "list")
    assert answer.status == 200
    assert "restarting" in str(answer.body)


async def test_what_a_stop_cuts_off_is_still_an_intent(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    board.pagerduty.outage("slow", paths=["/incidents"], seconds=3)
    await board.slack.command("U0ALICE", "C0CHECK", f"ack {incident.number}")
    await until(lambda: len(board.runner.tasks) or None, "nothing was started")
    assert await board.runner.tasks.finish(0.05) == 1
    async with board.database.read() as connection:
        states = (await connection.execute(select(intents.c.state))).scalars().all()
    assert states[0] in ("waiting", "started")


# ------------------------------------------------------------------------------------------ pressed messages


async def post_for(board: Switchboard, incident_id: str) -> tuple[str, int]:
    """A living message as delivery would post it, and its row."""
    async with board.database.read() as connection:
        found = await connection.exec_driver_sql(
            "SELECT id FROM messages WHERE incident_id = '" + incident_id + "'"
        )
        row = int(found.scalar_one())
    block = {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "run:ack",
                "text": {"type": "plain_text", "text": "Acknowledge"},
                "value": f"ack {incident_id}",
            }
        ],
    }
    client = board.workspaces.all()[0]
    body = await client._connection.write(
        "chat.postMessage",
        repeatable=False,
        channel="C0CHECK",
        text="Disk full",
        blocks=[block],
        metadata={
            "event_type": "pagerline_incident",
            "event_payload": {"kind": "incident", "row": row, "incident": incident_id},
        },
    )
    return str(body["ts"]), row


async def ts_of(board: Switchboard, row: int) -> str | None:
    async with board.database.read() as connection:
        found = await connection.execute(select(messages.c.ts).where(messages.c.id == row))
        ts: str | None = found.scalar_one()
        return ts


async def test_a_press_gives_a_row_its_message_and_an_extra_one_goes(board: Switchboard) -> None:
    await board.follows()
    incident = await board.breaks("Disk full")
    first, row = await post_for(board, incident.id)
    assert await ts_of(board, row) is None
    (message,) = board.checkout.about("Disk full")
    await message.press("Acknowledge", by="U0BOB")
    await board.settle()
    assert await ts_of(board, row) == first
    assert board.truth(incident).status == "acknowledged"
    extra, _ = await post_for(board, incident.id)
    (twin,) = [one for one in board.checkout.about("Disk full") if one.ts == extra]
    await twin.press("Acknowledge", by="U0ALICE")
    await board.settle()
    assert [one.ts for one in board.checkout.about("Disk full")] == [first]
    assert "already acknowledged" in board.newest().text


async def test_an_answer_never_takes_the_place_of_a_living_message(board: Switchboard) -> None:
    await board.follows()
    incident = await board.breaks("Disk full")
    await post_for(board, incident.id)
    (message,) = board.checkout.about("Disk full")
    await message.press("Acknowledge", by="U0BOB")
    await board.settle()
    assert message.text == "Disk full"
    assert message.edits == 0
