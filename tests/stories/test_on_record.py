"""Who did what is on record, whatever happened on the way, and an admin reads it where everybody is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.store.audit_reading import Act, AuditReading, Wanted
from bot.store.database import Database
from tests.stories.office import InProcess, Office, OwnProcess
from tests.stories.waiting import until_async

SECONDS = timedelta(seconds=1)


async def on_record(office: Office) -> list[Act]:
    """Every act in PagerDuty, oldest first, as `python -m bot audit` reads it."""
    database = await Database.open(office.database_url)
    try:
        found = [act async for act in AuditReading(database).stream(Wanted())]
        return [act for act in found if act.identity != "none" and act.verb != "link"]
    finally:
        await database.close()


async def ended(office: Office, count: int) -> list[Act]:
    """The same, once so many acts have ended: the outcome is written after the person has their answer."""
    found: list[Act] = []

    async def all_of_them() -> bool:
        found[:] = await on_record(office)
        return len([act for act in found if act.outcome]) == count

    await until_async(all_of_them, "not so many acts ended")
    return found


async def test_the_admin_reads_who_did_what(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.press("Acknowledge", by="U0BOB")
    await message.expect("Acknowledged", "Bob Brown")
    await message.answers("Resolve", "U0OLIVE", "Your PagerDuty role is Observer")
    done, refused = await ended(office, 2)
    assert (done.user_id, done.person_id, done.identity) == ("U0BOB", "PBOB002", "email")
    assert (done.verb, done.surface, done.incident_ids) == ("ack", "button", (incident.id,))
    assert (done.outcome, done.status) == ("done", 200)
    assert done.request_id
    read, write = done.calls
    assert (read.method, read.path, read.status) == ("GET", "/incidents/{id}", 200)
    assert (write.method, write.path, write.status) == ("PUT", "/incidents", 200)
    assert write.request_id == done.request_id != read.request_id
    assert refused.calls == ()
    assert done.done_at is not None
    assert timedelta() <= done.done_at - done.accepted_at < 30 * SECONDS
    assert (refused.user_id, refused.verb, refused.outcome) == ("U0OLIVE", "resolve", "not_allowed")
    said = await office.carol.asks("audit", office.checkout, "refused, not allowed")
    assert f"#{incident.number}" in said.words
    assert "<@U0BOB>" in said.words
    await office.alice.asks("audit", office.checkout, "ADMINS")


async def test_a_click_that_waited_for_its_link_is_on_record_once_and_as_its_asker(
    empty_linking_office: Office,
) -> None:
    office = empty_linking_office
    async with InProcess(office):
        await office.links(office.carol)
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")
        await message.press("Acknowledge", by="U0BOB")
        await office.checkout.expect_private("U0BOB", "Link")
        assert await on_record(office) == []  # it has not ended: it waits
        await office.links(office.bob)
        await message.expect("Acknowledged", "Bob Brown")
        (act,) = await ended(office, 1)
        said = await office.carol.asks("audit <@U0BOB>", office.checkout, "link")
        assert "browser" in said.words
    assert (act.user_id, act.person_id, act.identity) == ("U0BOB", "PBOB002", "oauth")
    assert (act.verb, act.outcome, act.status) == ("ack", "done", 200)


async def test_what_a_crash_interrupts_is_completed_on_record(empty_office: Office, tmp_path: Path) -> None:
    office = empty_office
    bot = OwnProcess(office, tmp_path)
    try:
        await bot.start()
        bot.connect()
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        incident = await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")
        office.pagerduty.outage("slow", paths=("/incidents",), methods=("PUT",), seconds=30)
        await message.press("Acknowledge", by="U0ALICE")

        async def begun() -> bool:
            return len(await on_record(office)) == 1

        await until_async(begun, "the act never began")
        await bot.kill()
        (act,) = await on_record(office)
        assert (act.outcome, act.done_at) == (None, None)
        office.pagerduty.outage("off")
        await bot.start()
        await office.checkout.expect_private("U0ALICE", f"#{incident.number}")
        (act,) = await ended(office, 1)
        assert act.outcome in ("done", "not_done")
        assert act.incident_ids == (incident.id,)
        assert act.done_at is not None
    finally:
        await bot.kill()
