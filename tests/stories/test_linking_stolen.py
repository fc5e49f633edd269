"""Nobody comes to act as somebody else: links passed on, answers used again, two browsers at once."""

from __future__ import annotations

import pytest

from bot.sandbox.sign_in_page import PRESENT_PERSON
from tests.stories.linking import (
    ALLOW,
    ASK_AN_ADMIN,
    CONFIRM,
    CONTINUE,
    LINK,
    SIGN_IN,
    callback_of,
    consents,
    doers,
    links_by,
)
from tests.stories.office import InProcess, Office
from tests.stories.slack_eyes import Seen
from tests.stories.waiting import until

CAROLS = "D0CAROL"  # the bot's conversation with her


async def offered(office: Office) -> tuple[Seen, Seen]:
    """An incident's message, and what Uma got when she pressed Acknowledge."""
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    return message, await message.answers("Acknowledge", "U0UMA", "15 minutes")


async def test_a_link_that_was_passed_on_makes_nobody_act_as_who_consents(linking_office: Office) -> None:
    office = linking_office
    _, offer = await offered(office)
    url = await offer.follow(LINK, by="U0UMA")
    before = set(office.tokens())
    async with office.olive.browser() as browser:
        await browser.opens(url)
        assert "Go on only if you are Uma Ueda" in browser.words
        await browser.presses(CONTINUE)
        assert "Signed in as Olive Ortiz" in browser.words
        await browser.presses(ALLOW)
        assert "Uma Ueda" in browser.words
        assert "Olive Ortiz" in browser.words
        assert CONFIRM not in browser.buttons
        await browser.presses(ASK_AN_ADMIN)
        assert "An admin has to approve this" in browser.words
    question = await office.place(CAROLS).expect_message("Olive Ortiz")
    assert "Uma Ueda" in question.words
    await question.press("Refuse", by="U0CAROL")
    await question.expect("Refused")
    assert office.find("Disk full").status == "triggered"
    await office.uma.asks("whoami", office.checkout, "not linked")
    assert set(office.tokens()) == before


async def test_consent_begun_in_one_browser_is_no_good_in_another(linking_office: Office) -> None:
    office = linking_office
    _, offer = await offered(office)
    url = await offer.follow(LINK, by="U0UMA")
    async with office.uma.browser() as hers, office.olive.browser() as other:
        await hers.opens(url)
        await hers.presses(CONTINUE)
        await other.opens(hers.address)  # PagerDuty's own page, sent to somebody else
        await other.presses(ALLOW)
        assert "This was begun in another browser" in other.words
    assert office.pagerduty.oauth.count("exchange", "POLIVE6") == 0
    assert office.find("Disk full").status == "triggered"


async def test_an_answer_of_pagerduty_counts_once(linking_office: Office) -> None:
    office = linking_office
    message, offer = await offered(office)
    url = await offer.follow(LINK, by="U0UMA")
    async with office.uma.browser() as browser, office.uma.browser() as other:
        await consents(browser, url)
        address = callback_of(browser)
        for _ in range(2):
            await browser.opens(address)
            assert "This answer was used already" in browser.words
        await other.opens(address)
        assert "This was begun in another browser" in other.words
        await browser.opens(address.replace("code=", "code=x").replace("state=", "state=x"))
        assert "I did not ask for this" in browser.words
    assert office.pagerduty.oauth.count("exchange", "PUMA007") == 1
    assert office.find("Disk full").status == "triggered"
    await links_by(offer, office.uma)
    await message.expect("Acknowledged", "Uma Ueda")


async def test_of_two_browsers_at_once_the_first_links_and_the_click_is_done_once(
    linking_office: Office,
) -> None:
    office = linking_office
    message, offer = await offered(office)
    url = await offer.follow(LINK, by="U0UMA")
    async with office.uma.browser() as first, office.uma.browser() as second:
        await consents(first, url)
        await consents(second, url)
        await first.presses(CONFIRM)
        assert "You are linked" in first.words
        await second.presses(CONFIRM)
        assert "You linked in another window meanwhile" in second.words
    await message.expect("Acknowledged", "Uma Ueda")
    assert doers(office, "Disk full", "acknowledge") == ["PUMA007"]
    await message.press("Resolve", by="U0UMA")
    await message.expect("Resolved", "Uma Ueda")


async def test_a_page_is_not_confirmed_from_elsewhere(linking_office: Office) -> None:
    office = linking_office
    _, offer = await offered(office)
    url = await offer.follow(LINK, by="U0UMA")
    async with office.uma.browser() as hers, office.bob.browser() as other:
        await consents(hers, url)
        await other.opens(hers.address)
        assert other.status >= 400
        assert CONFIRM not in other.buttons
    assert office.find("Disk full").status == "triggered"


@pytest.mark.parametrize("word", ["approve", "refuse"])
async def test_somebody_with_another_address_is_linked_when_an_admin_says_so(
    linking_office: Office, word: str
) -> None:
    office = linking_office
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    offer = await office.dana.asks("link", office.checkout, LINK)
    url = await offer.follow(LINK, by="U0DANA")
    async with office.dana.browser() as browser:
        await browser.opens(url)
        await browser.presses(CONTINUE)
        assert "Who are you?" in browser.words, f"{PRESENT_PERSON} says Dana, who has no PagerDuty user"
        await browser.opens(f"{browser.address}&as=U0UMA")
        await browser.presses(ALLOW)
        await browser.presses(ASK_AN_ADMIN)
    question = await office.place(CAROLS).expect_message("Dana Diaz")
    await question.press(word.title(), by="U0CAROL")
    await question.expect(f"{word.title().rstrip('e')}ed by")
    if word == "approve":
        await message.press("Acknowledge", by="U0DANA")
        await message.expect("Acknowledged", "Uma Ueda")
    else:
        await message.answers("Acknowledge", "U0DANA", "15 minutes")
        assert doers(office, "Disk full", "acknowledge") == []


@pytest.mark.parametrize(("as_whom", "words"), [("U0DANA", "linked"), ("U0UMA", "You are somebody else")])
async def test_signing_in_with_slack_proves_it_or_ends_it(
    empty_linking_office: Office, as_whom: str, words: str
) -> None:
    office = empty_linking_office
    app = office.slack.tokens
    async with InProcess(
        office, slack_client_id=app.client_id, slack_client_secret=app.client_secret, admins=()
    ):
        offer = await office.dana.asks("link", office.checkout, LINK)
        url = await offer.follow(LINK, by="U0DANA")
        before = set(office.tokens())
        async with office.dana.browser() as browser:
            await browser.opens(url)
            await browser.presses(CONTINUE)
            await browser.opens(f"{browser.address}&as=U0UMA")
            await browser.presses(ALLOW)
            assert browser.buttons[0] == SIGN_IN
            await browser.presses(SIGN_IN)
            assert "Signed in as Dana Diaz" in browser.words
            await browser.opens(f"{browser.address}&as={as_whom}")
            await browser.presses(ALLOW)
            assert words in browser.words
        if as_whom == "U0DANA":
            await offer.expect("Linked as Uma Ueda")
            return
        await office.dana.asks("whoami", office.checkout, "not linked")
        await until(lambda: set(office.tokens()) == before, "what PagerDuty gave was not revoked")
