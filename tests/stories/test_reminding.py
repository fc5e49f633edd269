"""Whoever goes on call unlinked hears of it before, and links from that very message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.stories.linking import LINK, links_by
from tests.stories.office import InProcess, Office
from tests.stories.slack_eyes import Person, Place


def goes_on_call_at_noon(office: Office, person: Person, pagerduty_id: str) -> None:
    """Wherever it is noon now, they live; in an hour they take over."""
    east = 12 - datetime.now(UTC).hour
    people = office.slack.workspace.people
    people[person.id] = replace(people[person.id], tz=f"Etc/GMT{-east:+d}" if east else "Etc/GMT")
    office.pagerduty.rota.rearrange("PSCHCHK", ("PALICE1", pagerduty_id), timedelta(hours=1))


def direct(office: Office, person: Person) -> Place:
    """Their conversation with the bot."""
    return office.place(office.slack.workspace.direct_messages(person.id).id)


async def test_uma_is_reminded_by_the_next_bot_and_links_from_the_message(
    empty_linking_office: Office,
) -> None:
    office = empty_linking_office
    goes_on_call_at_noon(office, office.uma, "PUMA007")
    async with InProcess(office):
        await office.links(office.alice, office.bob, office.carol)
        told = await office.carol.asks("team-links", office.checkout, "1 of 4 people")
        assert "<@U0UMA>" in told.words

    async with InProcess(office, remind_unlinked=True):
        reminder = await direct(office, office.uma).expect_message("You go on call")
        assert reminder.buttons == [LINK]
        await links_by(reminder, office.uma)
        await reminder.expect("Linked as Uma Ueda", buttons=[])
        await office.carol.asks("team-links", office.checkout, "All 4 people")
    assert len(direct(office, office.uma).messages()) == 1


async def test_an_admin_reminds_and_nobody_twice(linking_office: Office) -> None:
    office = linking_office
    goes_on_call_at_noon(office, office.uma, "PUMA007")
    told = await office.carol.asks("team-links", office.checkout, "1 of 4 people")
    await told.press("Remind them", by=office.carol.id)
    await told.expect("Sent 1 reminder to Uma Ueda", buttons=[])
    await office.carol.asks("team-links remind", office.checkout, "reminded less than a day ago")
    assert len(direct(office, office.uma).about("You go on call")) == 1
