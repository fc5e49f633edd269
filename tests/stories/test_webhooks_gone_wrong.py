"""Webhooks lost, doubled, shuffled, late, or signed with another secret: in the end every message is true."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import pytest

from bot.sandbox.pagerduty.state import Incident
from tests.stories.office import InProcess, Office, settled
from tests.stories.slack_eyes import Place, Seen
from tests.stories.waiting import until


async def busy_night(office: Office, *, patient: bool = False) -> list[Incident]:
    """Five incidents, each with a life of its own; `patient`: which begins when their messages are there."""
    made = [await office.trigger(f"Trouble {name}") for name in ("one", "two", "three", "four", "five")]
    for incident in made if patient else ():
        await office.checkout.expect_message(incident.title)
    one, two, three, four, five = (incident.id for incident in made)
    act = office.pagerduty.act
    act(one, "acknowledge", by="PBOB002")
    act(two, "escalate", by="PALICE1", level=2)
    act(one, "resolve", by="PBOB002")
    act(three, "resolve", by="PALICE1")
    act(four, "priority", by="PALICE1", value="PPRIO01")
    act(three, "reopen", by="PBOB002", status="triggered")
    act(five, "merge", by="PALICE1", into=(await office.trigger("The real one")).id)
    act(two, "note", by="PALICE1", text="Looking")
    act(four, "reassign", by="PALICE1", users=["PCAROL3"])
    return made


IN_THE_END = {
    "Trouble one": ("Resolved", "Bob Brown"),
    "Trouble two": ("Triggered", "level 2 of 3"),
    "Trouble three": ("Triggered", "Alice Anderson"),
    "Trouble four": ("Triggered", "P1", "Carol Chen"),
    "Trouble five": ("Merged into",),
}
OPEN_IN_THE_END = ("Trouble two", "Trouble three", "Trouble four")


async def all_true(office: Office, titles: Iterable[str]) -> None:
    """Each has one message, which shows what PagerDuty has."""
    for title in titles:
        message = await office.checkout.expect_message(title)
        await message.expect(*IN_THE_END[title])


@pytest.mark.parametrize("mode", ["duplicate", "shuffle", "late and shuffled"])
async def test_doubled_shuffled_and_late_ones_come_to_the_same(office: Office, mode: str) -> None:
    webhooks = office.pagerduty.webhooks
    match mode:
        case "duplicate":
            webhooks.set_mode("duplicate")
        case "shuffle":
            webhooks.set_mode("shuffle", seconds=0.5)
        case _:
            webhooks.set_mode("hold")
    made = await busy_night(office, patient=mode == "duplicate")
    if mode == "late and shuffled":
        webhooks.release(shuffled=True)
    webhooks.set_mode("deliver")
    await settled(office)
    # What was over before its first webhook came has no message, unless it came in time; then it is true.
    titles = set(OPEN_IN_THE_END) | {one.title for one in made if office.checkout.about(one.title)}
    await all_true(office, titles)
    if mode == "duplicate":
        assert titles == set(IN_THE_END)
        message = await office.checkout.expect_message("Trouble two")
        await until(lambda: len(message.thread()) == 2, lambda: str([one.words for one in message.thread()]))


async def test_what_no_webhook_told_the_sweep_finds(empty_office: Office) -> None:
    office = empty_office
    async with InProcess(office, sweep_seconds=1.0):
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        seen = await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")
        await message.expect("level 1 of 3")
        office.pagerduty.webhooks.set_mode("drop")
        made = await busy_night(office)
        office.pagerduty.act(seen.id, "resolve", by="PBOB002")
        await message.expect("Resolved", "Bob Brown")
        await all_true(office, OPEN_IN_THE_END)
        assert office.checkout.about(made[0].title) == []  # over before anybody heard of it


async def test_a_rotated_secret_loses_nothing_and_the_admins_are_told_once(empty_office: Office) -> None:
    office, old, new = empty_office, empty_office.sandbox.webhook_secret, secrets.token_hex(32)
    direct = Place(office.slack, office.slack.workspace.direct_messages("U0CAROL").id)
    async with InProcess(office):
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        incident = await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")
        await message.expect("level 1 of 3")
        subscription = office.webhook_subscription
        office.pagerduty.rotate_webhook_secret(subscription, new)  # both sign: nothing happens
        office.pagerduty.act(incident.id, "priority", by="PBOB002", value="PPRIO02")
        await message.expect("P2")
        office.pagerduty.rotate_webhook_secret(subscription, new, keep_old=False)
        office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
        await office.trigger("Queue stuck")
        told = await direct.expect_message("signs with a secret I do not have")
        assert "PAGERDUTY_WEBHOOK_SECRETS" in told.words
        assert "Acknowledged" not in message.words
        assert {one.status for one in office.pagerduty.journal if one.direction == "out"} == {202, 503}

    async with InProcess(office, pagerduty_webhook_secrets=(old, new)):
        await message.expect("Acknowledged", "Bob Brown")
        await office.checkout.expect_message("Queue stuck")
        await settled(office)
    assert office.pagerduty.subscription(subscription).temporarily_disabled is False
    assert len(direct.about("signs with a secret")) == 1


async def test_lines_tell_everything_in_order_whatever_came_first(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message: Seen = await office.checkout.expect_message("Disk full")
    office.pagerduty.webhooks.set_mode("hold")
    for text in ("first", "second", "third"):
        office.pagerduty.act(incident.id, "note", by="PBOB002", text=text)
    office.pagerduty.webhooks.release()
    await until(lambda: len(message.thread()) == 3, lambda: str([one.words for one in message.thread()]))
    said = " ".join(one.words for one in message.thread())
    assert said.index("first") < said.index("second") < said.index("third")
