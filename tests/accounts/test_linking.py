"""Linking from the button to the account, in browsers: what goes well, and every way in which it must not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.model import SlackUser
from bot.store.people_tables import audit, link_states, link_tickets
from tests.accounts.link_desk import BOB, UMA, Browser, Desk, Page, linking_desk


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with linking_desk(database_url) as opened:
        yield opened


async def to_pagerduty(desk: Desk, browser: Browser) -> Page:
    """As far as PagerDuty's own page."""
    offer = await desk.offer()
    return await browser.press(await browser.get(offer.url), "Continue to PagerDuty")


async def test_uma_links_her_account(desk: Desk) -> None:
    browser, offer = await desk.browser(), await desk.offer()
    asked = await browser.get(offer.url)
    assert "Uma Ueda" in asked.said
    assert "@uma" in asked.said
    assert "Acme" in asked.said

    confirming = await browser.consent(offer, UMA)
    assert "Are both of these you?" in confirming.said
    assert "uma@acme.example" in confirming.said
    assert await desk.linked_person() is None

    done = await browser.confirm(confirming)
    assert "You are linked" in done.said
    assert await desk.linked_person() == "PUMA007"
    (record,) = await desk.rows(audit)
    assert (record.user_id, record.person_id, record.verb, record.detail) == (
        "U0UMA",
        "PUMA007",
        "link",
        "Linked to Uma Ueda.",
    )
    await desk.settled()
    assert [(user, person.id) for user, person in desk.linked] == [(UMA, "PUMA007")]
    assert all(row.access_token is row.refresh_token is None for row in await desk.rows(link_states))


async def test_opening_the_link_changes_nothing_however_often(desk: Desk) -> None:
    offer = await desk.offer()
    for _ in range(3):
        page = await (await desk.browser()).get(offer.url)
        assert page.status == 200
    assert await desk.rows(link_states) == []
    assert [row.done_at for row in await desk.rows(link_tickets)] == [None]


async def test_every_page_is_kept_from_caches_frames_and_scripts(desk: Desk) -> None:
    browser, offer = await desk.browser(), await desk.offer()
    pages = [
        await browser.get(offer.url),
        await browser.get(f"{desk.origin}/pagerduty/link?ticket=nonsense"),
        await browser.get(f"{desk.origin}/pagerduty/callback?state=x&code=y"),
        await browser.consent(offer, UMA),
        await to_pagerduty(desk, browser),
    ]
    for page in pages:
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


async def test_on_the_loopback_the_cookie_is_plain_and_never_for_scripts(desk: Desk) -> None:
    page = await (await desk.browser()).get((await desk.offer()).url)
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("pagerline=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


@pytest.mark.parametrize(
    ("fields", "cookie"),
    [({}, True), ({"token": "0" * 64}, True), ({"token": ""}, True), ({}, False)],
)
async def test_a_form_counts_only_from_the_browser_that_was_shown_it(
    desk: Desk, fields: dict[str, str], cookie: bool
) -> None:
    browser, offer = await desk.browser(), await desk.offer()
    page = await browser.get(offer.url)
    other = browser if cookie else await desk.browser()
    values = page.form.hidden | fields if fields else {"ticket": offer.ticket}
    refused = await other.post(f"{desk.origin}/pagerduty/link", values)
    assert refused.status == 403
    assert "Nothing changed" in refused.said or "nothing changed" in refused.said
    assert await desk.rows(link_states) == []


async def test_a_form_token_is_good_for_its_own_ticket_alone(desk: Desk) -> None:
    browser, one, other = await desk.browser(), await desk.offer(), await desk.offer(BOB)
    page = await browser.get(one.url)
    refused = await browser.post(f"{desk.origin}/pagerduty/link", page.form.hidden | {"ticket": other.ticket})
    assert refused.status == 403


async def test_an_unknown_an_old_and_a_used_link_say_so(desk: Desk) -> None:
    browser, offer = await desk.browser(), await desk.offer()
    unknown = await browser.get(f"{desk.origin}/pagerduty/link?ticket=never-made")
    assert (unknown.status, "do not know this link" in unknown.said) == (404, True)
    assert (await browser.get(f"{desk.origin}/pagerduty/link")).status == 404

    await browser.confirm(await browser.consent(offer, UMA))
    used = await browser.get(offer.url)
    assert (used.status, "has done its work" in used.said) == (410, True)

    old = await desk.offer(BOB)
    await desk.age(3600)
    expired = await browser.get(old.url)
    assert (expired.status, "has expired" in expired.said) == (410, True)


async def test_a_link_that_expires_while_the_page_is_open_is_not_begun(desk: Desk) -> None:
    browser, offer = await desk.browser(), await desk.offer()
    page = await browser.get(offer.url)
    await desk.age(3600)
    assert "has expired" in (await browser.press(page, "Continue to PagerDuty")).said
    assert await desk.rows(link_states) == []


async def test_a_link_cannot_be_begun_without_end(desk: Desk) -> None:
    browser, offer = await desk.browser(), await desk.offer()
    page = await browser.get(offer.url)
    statuses = [(await browser.press(page, "Continue to PagerDuty")).status for _ in range(21)]
    assert statuses == [303] * 20 + [429]


async def test_saying_no_in_pagerduty_changes_nothing(desk: Desk) -> None:
    browser = await desk.browser()
    asked = await to_pagerduty(desk, browser)
    back = await browser.allow(asked.goes_to, UMA, "deny")
    page = await browser.get(back.goes_to)
    assert "You said no in PagerDuty" in page.said
    assert "/pager link" in page.said
    assert await desk.linked_person() is None


async def test_any_other_error_of_pagerduty_is_not_called_a_no(desk: Desk) -> None:
    browser = await desk.browser()
    state = parse_qs(urlsplit((await to_pagerduty(desk, browser)).goes_to).query)["state"][0]
    page = await browser.get(f"{desk.origin}/pagerduty/callback?error=server_error&state={state}")
    assert "PagerDuty could not do it" in page.said


async def test_the_answer_of_pagerduty_counts_once(desk: Desk) -> None:
    browser = await desk.browser()
    asked = await to_pagerduty(desk, browser)
    back = await browser.allow(asked.goes_to, UMA)
    assert (await browser.get(back.goes_to)).status == 303
    again = await browser.get(back.goes_to)
    assert (again.status, "was used already" in again.said) == (409, True)
    assert [entry.what for entry in desk.pagerduty.oauth.ledger].count("exchange") == 1


async def test_two_at_once_take_one_answer(desk: Desk) -> None:
    browser = await desk.browser()
    back = await browser.allow((await to_pagerduty(desk, browser)).goes_to, UMA)
    pages = await asyncio.gather(*(browser.get(back.goes_to) for _ in range(5)))
    assert sorted(page.status for page in pages) == [303, 409, 409, 409, 409]


async def test_the_answer_counts_only_in_the_browser_that_asked(desk: Desk) -> None:
    browser, other = await desk.browser(), await desk.browser()
    back = await browser.allow((await to_pagerduty(desk, browser)).goes_to, UMA)
    await other.get((await desk.offer()).url)  # it has a cookie of its own
    for stranger in (other, await desk.browser()):
        refused = await stranger.get(back.goes_to)
        assert (refused.status, "in another browser" in refused.said) == (403, True)
    # Nobody can spoil it for the right one.
    assert (await browser.get(back.goes_to)).status == 303


async def test_an_answer_nobody_asked_for_and_one_too_late_change_nothing(desk: Desk) -> None:
    browser = await desk.browser()
    unknown = await browser.get(f"{desk.origin}/pagerduty/callback?state=made-up&code=stolen")
    assert "did not ask for this" in unknown.said
    back = await browser.allow((await to_pagerduty(desk, browser)).goes_to, UMA)
    await desk.age(601)
    assert "took too long" in (await browser.get(back.goes_to)).said
    assert desk.pagerduty.oauth.ledger == [] or await desk.linked_person() is None


async def test_a_made_up_code_is_refused_by_pagerduty(desk: Desk) -> None:
    browser = await desk.browser()
    state = parse_qs(urlsplit((await to_pagerduty(desk, browser)).goes_to).query)["state"][0]
    page = await browser.get(f"{desk.origin}/pagerduty/callback?state={state}&code=made-up")
    assert "did not take its own answer back" in page.said


async def test_confirming_is_for_the_browser_that_consented(desk: Desk) -> None:
    browser, other = await desk.browser(), await desk.browser()
    confirming = await browser.consent(await desk.offer(), UMA)
    await other.get((await desk.offer(BOB)).url)
    assert "in another browser" in (await other.get(confirming.url)).said
    assert (await other.press(confirming, "Link them")).status == 403
    assert await desk.linked_person() is None


async def test_confirming_twice_links_once(desk: Desk) -> None:
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(), UMA)
    pages = await asyncio.gather(*(browser.confirm(confirming) for _ in range(3)))
    assert ["You are linked" in page.said for page in pages] == [True] * 3
    await desk.settled()
    assert len(desk.linked) == 1


async def test_what_is_not_confirmed_in_time_is_thrown_away(desk: Desk) -> None:
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(), UMA)
    await desk.age(601)
    assert "took too long" in (await browser.confirm(confirming)).said
    await desk.side.approvals.lapse()
    await desk.settled()
    assert all(row.access_token is row.refresh_token is None for row in await desk.rows(link_states))
    assert [entry.what for entry in desk.pagerduty.oauth.ledger][-1] == "revoked"
    await desk.age(90_000)
    await desk.side.approvals.lapse()
    assert await desk.rows(link_states) == []
    assert await desk.rows(link_tickets) == []


async def test_whoever_says_that_it_is_not_right_leaves_nothing_behind(desk: Desk) -> None:
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(), UMA)
    page = await browser.confirm(confirming, "This is not right")
    assert "Nothing was linked" in page.said
    await desk.settled()
    assert [entry.what for entry in desk.pagerduty.oauth.ledger][-1] == "revoked"
    assert "refused" in (await browser.confirm(confirming)).said
    assert await desk.linked_person() is None


async def test_of_two_browsers_the_first_to_confirm_wins_and_the_other_is_told(desk: Desk) -> None:
    offer, one, other = await desk.offer(), await desk.browser(), await desk.browser()
    first, second = await one.consent(offer, UMA), await other.consent(offer, UMA)
    pages = await asyncio.gather(one.confirm(first), other.confirm(second))
    assert sorted("You are linked" in page.said for page in pages) == [False, True]
    assert sorted("in another window" in page.said for page in pages) == [False, True]
    await desk.settled()
    assert len(desk.linked) == 1
    assert await desk.linked_person() == "PUMA007"


async def test_the_private_messages_with_the_button_become_linked_as(desk: Desk) -> None:
    offers = [await desk.offer(), await desk.offer()]
    for offer in offers:
        await desk.side.linking.pressed(UMA, offer.ticket, await desk.private_reply(UMA))
    browser = await desk.browser()
    await browser.confirm(await browser.consent(offers[0], UMA))
    await desk.settled()
    shown = [message.text for message in desk.slack.workspace.channel("C0CHECK").ephemerals.values()]
    assert len(shown) == 2
    assert all(text.startswith("Linked as Uma Ueda in PagerDuty.") for text in shown)


async def test_nobody_makes_a_message_of_theirs_follow_the_link_of_another(desk: Desk) -> None:
    offer = await desk.offer()
    await desk.side.linking.pressed(BOB, offer.ticket, await desk.private_reply(BOB))
    browser = await desk.browser()
    await browser.confirm(await browser.consent(offer, UMA))
    await desk.settled()
    (message,) = desk.slack.workspace.channel("C0CHECK").ephemerals.values()
    assert message.text == "Link first."


async def test_a_guest_is_not_linked(desk: Desk) -> None:
    gus = SlackUser("T0ACME", "U0GUEST")
    page = await (await desk.browser()).get((await desk.offer(gus)).url)
    assert (page.status, "guest" in page.said) == (403, True)
