"""A link that the e-mail addresses do not prove: nothing is linked before an admin, or Slack, has spoken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.errors import NotAllowed, UserError
from bot.model import Person, SlackUser
from bot.pagerduty.oauth import Granted
from bot.store.pending_links import PendingLinks
from bot.store.people_tables import link_states
from bot.store.sealing import Sealer, new_key
from tests.accounts.link_desk import ALICE, BOB, CAROL, TEAM, UMA, Desk, linking_desk

DANA = SlackUser(TEAM, "U0DANA")


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with linking_desk(database_url) as opened:
        opened.admins.ids = (CAROL.id, DANA.id)
        yield opened


async def the_link(desk: Desk) -> str:
    """The id of the one that waits."""
    return str((await desk.rows(link_states))[-1].state_hash)


async def asked_for_bob(desk: Desk) -> str:
    """Uma's link, consented to by Bob in his browser, waiting for an admin: its id."""
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(UMA), BOB)
    assert "One more proof" in confirming.said
    waiting = await browser.confirm(confirming, "Ask an admin")
    assert "An admin has to approve this" in waiting.said
    return await the_link(desk)


async def test_somebody_who_consents_to_a_link_that_was_sent_to_them_makes_nobody_act_as_them(
    desk: Desk,
) -> None:
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(UMA), BOB)
    assert "Slack knows uma@acme.example, PagerDuty bob@acme.example." in confirming.said
    assert "Link them" not in confirming.form.buttons
    # Not even by a form that was made up.
    for way in ("plain", "slack", "nonsense"):
        await browser.post(confirming.url.partition("?")[0], confirming.form.hidden | {"way": way})
    assert await desk.linked_person(UMA) is None
    assert await desk.linked_person(BOB) is None


async def test_an_admin_approves_and_every_message_says_so(desk: Desk) -> None:
    link_id = await asked_for_bob(desk)
    assert await desk.linked_person(UMA) is None
    for admin in (CAROL, DANA):
        (asked,) = desk.private_messages(admin)
        assert "Uma Ueda" in asked
        assert "Bob Brown" in asked

    decided = await desk.side.approvals.approve(link_id, DANA)
    await desk.settled()
    assert decided == "Approved the link of U0UMA to Bob Brown (PBOB002)."
    assert await desk.linked_person(UMA) == "PBOB002"
    assert desk.linked[0][0] == UMA
    for admin in (CAROL, DANA):
        (now,) = desk.private_messages(admin)
        assert "Approved by <@U0DANA>." in now
    assert any("you are linked as Bob Brown" in said for said in desk.private_messages(UMA))


async def test_an_admin_refuses_and_the_tokens_are_gone(desk: Desk) -> None:
    link_id = await asked_for_bob(desk)
    assert (await desk.side.approvals.refuse(link_id, CAROL)).startswith("Refused the link of U0UMA")
    assert await desk.side.approvals.approve(link_id, DANA) == ""  # too late
    await desk.settled()
    assert await desk.linked_person(UMA) is None
    assert [entry.what for entry in desk.pagerduty.oauth.ledger][-1] == "revoked"
    (row,) = await desk.rows(link_states)
    assert (row.access_token, row.refresh_token, row.outcome, row.decided_by) == (
        None,
        None,
        "refused",
        CAROL.id,
    )
    for admin in (CAROL, DANA):
        assert all("Refused by <@U0CAROL>." in said for said in desk.private_messages(admin))
    assert any("An admin refused" in said for said in desk.private_messages(UMA))


async def test_only_admins_decide_and_nobody_about_their_own_link(desk: Desk) -> None:
    link_id = await asked_for_bob(desk)
    for somebody in (ALICE, BOB, UMA):
        with pytest.raises(NotAllowed, match="Only admins"):
            await desk.side.approvals.approve(link_id, somebody)
    desk.admins.ids = (CAROL.id, UMA.id)
    with pytest.raises(NotAllowed, match="your own"):
        await desk.side.approvals.approve(link_id, UMA)
    with pytest.raises(UserError, match="forgotten"):
        await desk.side.approvals.refuse("never-made", CAROL)
    with pytest.raises(UserError, match="forgotten"):
        await desk.side.approvals.approve(link_id, await _of_another_workspace(desk))
    assert await desk.linked_person(UMA) is None


async def _of_another_workspace(desk: Desk) -> SlackUser:
    elsewhere = SlackUser("T0OTHER", "U0CAROL")
    assert await desk.admins.is_admin(elsewhere)
    return elsewhere


async def test_who_may_have_consented_does_not_approve_it_alone(desk: Desk) -> None:
    link_id = await asked_for_bob(desk)
    desk.admins.ids = (BOB.id, CAROL.id)
    with pytest.raises(NotAllowed, match="Bob Brown in PagerDuty is you"):
        await desk.side.approvals.approve(link_id, BOB)
    assert await desk.side.approvals.refuse(link_id, BOB)
    assert await desk.linked_person(UMA) is None


async def test_who_linked_since_the_admins_were_asked_keeps_it(desk: Desk) -> None:
    link_id = await asked_for_bob(desk)
    await (browser := await desk.browser()).confirm(await browser.consent(await desk.offer(BOB), BOB))
    with pytest.raises(NotAllowed, match="Since you were asked, Bob Brown has linked Bob Brown"):
        await desk.side.approvals.approve(link_id, CAROL)
    await desk.settled()
    assert (await desk.linked_person(BOB), await desk.linked_person(UMA)) == ("PBOB002", None)


async def test_what_was_not_confirmed_by_the_person_cannot_be_approved(desk: Desk) -> None:
    browser = await desk.browser()
    await browser.consent(await desk.offer(UMA), BOB)
    with pytest.raises(UserError):
        await desk.side.approvals.approve(await the_link(desk), CAROL)


async def test_asking_twice_asks_once(desk: Desk) -> None:
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(UMA), BOB)
    for _ in range(2):
        assert "has to approve" in (await browser.confirm(confirming, "Ask an admin")).said
    assert len(desk.private_messages(CAROL)) == 1


async def test_nobody_decides_for_a_day(desk: Desk) -> None:
    await asked_for_bob(desk)
    await desk.age(24 * 3600)
    await desk.side.approvals.lapse()
    await desk.settled()
    assert [entry.what for entry in desk.pagerduty.oauth.ledger][-1] == "revoked"
    assert any("Nobody approved" in said for said in desk.private_messages(UMA))
    assert all("Nobody decided in time" in said for said in desk.private_messages(CAROL))


async def test_killed_before_an_admin_was_asked_the_person_hears_that_nobody_approved(desk: Desk) -> None:
    await (await desk.browser()).consent(await desk.offer(UMA), BOB)
    pending = PendingLinks(desk.database, Sealer([new_key()]))
    assert await pending.wait_for_admin(await the_link(desk))
    await desk.age(24 * 3600)
    await desk.side.approvals.lapse()
    await desk.settled()
    assert any("Nobody approved" in said for said in desk.private_messages(UMA))


async def test_an_admin_cannot_approve_alone_what_is_their_own(desk: Desk) -> None:
    desk.admins.ids = (UMA.id,)
    page = await (await desk.browser()).consent(await desk.offer(UMA), BOB)
    assert page.status == 403
    assert "ADMINS" in page.said
    assert "SLACK_CLIENT_ID" in page.said


async def test_without_admins_the_page_says_what_to_set_and_nothing_stays(desk: Desk) -> None:
    desk.admins.ids = ()
    page = await (await desk.browser()).consent(await desk.offer(UMA), BOB)
    assert "I cannot tell that both accounts are yours" in page.said
    await desk.settled()
    assert [entry.what for entry in desk.pagerduty.oauth.ledger][-1] == "revoked"
    assert all(row.access_token is None for row in await desk.rows(link_states))


async def test_an_admin_who_cannot_be_reached_is_no_way(desk: Desk) -> None:
    desk.admins.ids = ("U0NOBODY",)
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(UMA), BOB)
    page = await browser.confirm(confirming, "Ask an admin")
    assert "could not reach an admin" in page.said
    assert await desk.linked_person(UMA) is None


async def test_the_admins_channel_is_asked_instead_of_each(sqlite_channel: Desk) -> None:
    await asked_for_bob(sqlite_channel)
    channel = sqlite_channel.slack.workspace.channel("G0PRIV")
    assert [message.text.partition(" wants")[0] for message in channel.messages.values()] == ["Uma Ueda"]
    assert sqlite_channel.private_messages(CAROL) == []


async def test_a_channel_that_is_not_there_is_no_reason_to_ask_nobody(migrated_sqlite_url: str) -> None:
    async with linking_desk(migrated_sqlite_url, admin_channel="C0ELSEWHERE") as desk:
        await asked_for_bob(desk)
        assert len(desk.private_messages(CAROL)) == 1


@pytest.fixture
async def sqlite_channel(migrated_sqlite_url: str) -> AsyncIterator[Desk]:
    async with linking_desk(migrated_sqlite_url, admin_channel="G0PRIV") as opened:
        yield opened


async def test_an_address_in_other_letters_is_the_same_address(desk: Desk) -> None:
    people = desk.pagerduty.state.people
    people["PUMA007"] = replace(people["PUMA007"], email="Uma@ACME.example")
    browser = await desk.browser()
    await browser.confirm(await browser.consent(await desk.offer(UMA), UMA))
    assert await desk.linked_person(UMA) == "PUMA007"


async def test_a_pagerduty_user_who_is_linked_to_another_takes_an_admin(desk: Desk) -> None:
    granted = Granted(SecretStr("pdus+old"), None, frozenset({"incidents.write"}), 3600)
    await desk.accounts.link(ALICE, Person("PUMA007", "Uma Ueda", "uma@acme.example"), granted)
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(UMA), UMA)
    assert "linked to another Slack user already" in confirming.said
    await browser.confirm(confirming, "Ask an admin")
    assert await desk.linked_person(ALICE) == "PUMA007"

    await desk.side.approvals.approve(await the_link(desk), CAROL)
    await desk.settled()
    assert await desk.linked_person(UMA) == "PUMA007"
    assert await desk.linked_person(ALICE) is None
    assert any("you are not linked any more" in said for said in desk.private_messages(ALICE))


async def test_the_person_may_be_taken_while_they_read_the_page(desk: Desk) -> None:
    browser = await desk.browser()
    confirming = await browser.consent(await desk.offer(UMA), UMA)
    granted = Granted(SecretStr("pdus+old"), None, frozenset({"incidents.write"}), 3600)
    await desk.accounts.link(ALICE, Person("PUMA007", "Uma Ueda"), granted)
    page = await browser.confirm(confirming)
    assert "One more proof" in page.said
    assert await desk.linked_person(UMA) is None


async def test_an_address_slack_has_not_confirmed_proves_nothing(desk: Desk) -> None:
    people = desk.slack.workspace.people
    people["U0UMA"] = replace(people["U0UMA"], email="")
    confirming = await (await desk.browser()).consent(await desk.offer(UMA), UMA)
    assert "no confirmed e-mail address" in confirming.said
    assert "Link them" not in confirming.form.buttons


async def test_an_address_that_is_another_slack_users_proves_nothing(desk: Desk) -> None:
    people = desk.slack.workspace.people
    people["U0ALICE"] = replace(people["U0ALICE"], email="uma@acme.example")
    confirming = await (await desk.browser()).consent(await desk.offer(UMA), UMA)
    assert "belongs to another Slack user" in confirming.said
    assert "Link them" not in confirming.form.buttons


# ------------------------------------------------------------------------------------ Sign in with Slack


@pytest.fixture
async def signing(database_url: str) -> AsyncIterator[Desk]:
    async with linking_desk(database_url, sign_in=True) as opened:
        opened.admins.ids = ()
        yield opened


async def test_signing_in_with_slack_proves_it(signing: Desk) -> None:
    browser = await signing.browser()
    confirming = await browser.consent(await signing.offer(UMA), BOB)
    to_slack = await browser.press(confirming, "Sign in with Slack")
    assert await signing.linked_person(UMA) is None
    back = await browser.allow(to_slack.goes_to, UMA)
    done = await browser.get((await browser.get(back.goes_to)).goes_to)
    assert "You are linked" in done.said
    assert await signing.linked_person(UMA) == "PBOB002"


async def test_who_signs_in_as_somebody_else_ends_it(signing: Desk) -> None:
    browser = await signing.browser()
    confirming = await browser.consent(await signing.offer(UMA), BOB)
    to_slack = await browser.press(confirming, "Sign in with Slack")
    page = await browser.get((await browser.allow(to_slack.goes_to, BOB)).goes_to)
    assert (page.status, "somebody else in Slack" in page.said) == (403, True)
    await signing.settled()
    assert await signing.linked_person(UMA) is None
    assert [entry.what for entry in signing.pagerduty.oauth.ledger][-1] == "revoked"


async def test_the_sender_cannot_sign_in_for_the_browser_that_consented(signing: Desk) -> None:
    bobs, umas = await signing.browser(), await signing.browser()
    confirming = await bobs.consent(await signing.offer(UMA), BOB)
    to_slack = await bobs.press(confirming, "Sign in with Slack")
    await umas.get((await signing.offer(UMA)).url)
    back = await umas.allow(to_slack.goes_to, UMA)
    page = await umas.get(back.goes_to)
    assert (page.status, "in another browser" in page.said) == (403, True)
    assert await signing.linked_person(UMA) is None


async def test_not_signing_in_leaves_it_open_for_another_try(signing: Desk) -> None:
    browser = await signing.browser()
    confirming = await browser.consent(await signing.offer(UMA), BOB)
    to_slack = await browser.press(confirming, "Sign in with Slack")
    denied = await browser.get((await browser.allow(to_slack.goes_to, UMA, "deny")).goes_to)
    assert "did not sign in with Slack" in denied.said
    made_up = denied.url.partition("error=")[0] + "code=made-up&" + denied.url.partition("&")[2]
    assert (await browser.get(made_up)).status in (403, 503)
    back = await browser.allow(to_slack.goes_to, UMA)
    await browser.get(back.goes_to)
    assert await signing.linked_person(UMA) == "PBOB002"
