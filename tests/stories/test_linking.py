"""Somebody who is not linked yet loses nothing but the time to link: what they asked for is done as them."""

from __future__ import annotations

import pytest

from tests.stories.linking import ALLOW, CONFIRM, CONTINUE, DENY, LINK, consents, doers, links_by
from tests.stories.office import Office
from tests.stories.waiting import until


async def test_a_refused_click_is_done_once_they_have_linked(linking_office: Office) -> None:
    office = linking_office
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    offer = await message.answers("Acknowledge", "U0UMA", "15 minutes")
    assert offer.buttons == [LINK]
    url = await offer.follow(LINK, by="U0UMA")
    async with office.uma.browser() as browser:
        await browser.opens(url)
        assert "Uma Ueda" in browser.words
        await browser.presses(CONTINUE)
        assert "Signed in as Uma Ueda" in browser.words
        await browser.presses(ALLOW)
        assert browser.buttons[0] == CONFIRM
        assert office.find("Disk full").status == "triggered", "nothing is done before both names were seen"
        await browser.presses(CONFIRM)
        assert "You are linked" in browser.words
    await message.expect("Acknowledged", "Uma Ueda")
    await offer.expect("Linked as Uma Ueda", buttons=[])
    await office.checkout.expect_private("U0UMA", "Acknowledged", but={offer.ts})
    assert doers(office, "Disk full", "acknowledge") == ["PUMA007"]
    assert "PUMA007" in await who(office, "Resolve")


async def who(office: Office, label: str) -> list[str]:
    """Uma presses another button, now without a detour; who did it."""
    message = await office.checkout.expect_message("Disk full")
    await message.press(label, by="U0UMA")
    await message.expect("Resolved")
    return doers(office, "Disk full", "resolve")


async def test_what_was_typed_is_done_too(linking_office: Office) -> None:
    office = linking_office
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    offer = await office.uma.asks(f"resolve {incident.number}", office.checkout, "15 minutes")
    await links_by(offer, office.uma)
    await message.expect("Resolved", "Uma Ueda")
    assert doers(office, "Disk full", "resolve") == ["PUMA007"]


async def test_so_is_a_form(linking_office: Office) -> None:
    office = linking_office
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.press("Add note", by="U0UMA")
    await office.uma.fills(text="The disk is full")
    offer = await office.checkout.expect_private("U0UMA", "15 minutes")
    await links_by(offer, office.uma)
    await until(lambda: office.truth(incident).notes, "the note was not written")
    (note,) = office.truth(incident).notes
    assert (note.user, note.content) == ("PUMA007", "The disk is full")


async def test_several_wishes_are_kept_and_done_in_order(linking_office: Office) -> None:
    office = linking_office
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.answers("Acknowledge", "U0UMA", "15 minutes")
    await office.uma.asks(f"note {incident.number} On it", office.checkout, "On it")
    offer = await office.uma.asks("link", office.checkout, LINK)
    await links_by(offer, office.uma)
    await message.expect("Acknowledged", "Uma Ueda")
    await until(lambda: office.truth(incident).notes, "the note was not written")
    assert [one.type for one in office.truth(incident).log[-2:]] == ["acknowledge", "annotate"]


async def test_saying_no_changes_nothing_and_the_button_still_works(linking_office: Office) -> None:
    office = linking_office
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    offer = await message.answers("Acknowledge", "U0UMA", "15 minutes")
    url = await offer.follow(LINK, by="U0UMA")
    async with office.uma.browser() as browser:
        await browser.opens(url)
        await browser.presses(CONTINUE)
        await browser.presses(DENY)
        assert "You said no in PagerDuty" in browser.words
    assert office.find("Disk full").status == "triggered"
    assert office.pagerduty.oauth.count("exchange", "PUMA007") == 0
    await links_by(offer, office.uma)
    await message.expect("Acknowledged", "Uma Ueda")


async def test_if_the_world_moved_on_it_says_that_instead(linking_office: Office) -> None:
    office = linking_office
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    offer = await message.answers("Acknowledge", "U0UMA", "15 minutes")
    office.pagerduty.act(incident.id, "resolve", by="PBOB002")
    await message.expect("Resolved", "Bob Brown")
    await links_by(offer, office.uma)
    await office.checkout.expect_private("U0UMA", "resolved", but={offer.ts})
    assert office.truth(incident).status == "resolved"
    assert doers(office, "Disk full", "acknowledge") == []


@pytest.mark.parametrize(
    ("change", "words"),
    [("region", "lives in the other region"), ("scopes", "PagerDuty gave less than this bot needs")],
)
async def test_what_cannot_be_linked_is_said_and_leaves_no_tokens(
    linking_office: Office, change: str, words: str
) -> None:
    office = linking_office
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    offer = await message.answers("Acknowledge", "U0UMA", "15 minutes")
    if change == "region":
        office.pagerduty.oauth.move("PUMA007", "eu")
    else:
        office.pagerduty.oauth.change_app(
            office.sandbox.oauth_client_id, scopes=frozenset({"incident.write"})
        )
    before = set(office.tokens())
    async with office.uma.browser() as browser:
        await consents(browser, await offer.follow(LINK, by="U0UMA"))
        assert words in browser.words
    await until(lambda: set(office.tokens()) == before, "what PagerDuty gave was not revoked")
    assert office.find("Disk full").status == "triggered"
