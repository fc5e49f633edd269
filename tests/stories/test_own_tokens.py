"""With tokens of their own: PagerDuty decides what somebody may, and a token that is lost costs no click."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.store.database import Database
from tests.stories.linking import LINK, doers, links_by
from tests.stories.office import InProcess, Office, OwnProcess
from tests.stories.slack_eyes import Seen
from tests.stories.waiting import until

REFRESH = {"grant_type": "refresh_token"}
HOLDING = ("accounts", "link_states", "link_tickets", "intents", "audit")


async def test_pagerduty_decides_what_a_role_allows(linking_office: Office) -> None:
    office = linking_office
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    office.pagerduty.roles.set_on_team("PBOB002", "PTEAMPY", "observer")
    told = await message.answers("Resolve", "U0BOB", "your role on *Checkout*")
    assert "PagerDuty says" in told.words
    assert office.find("Disk full").status == "triggered"
    office.pagerduty.roles.set_on_team("PBOB002", "PTEAMPY", "responder")
    await message.press("Resolve", by="U0BOB")
    await message.expect("Resolved", "Bob Brown")


async def test_an_expired_token_is_renewed_without_anybody_noticing(linking_office: Office) -> None:
    office = linking_office
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    office.pagerduty.access.expire("PALICE1")
    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged", "Alice Anderson")
    assert office.pagerduty.oauth.count("refresh", "PALICE1") == 1


async def test_who_revoked_their_tokens_is_asked_to_link_again(linking_office: Office) -> None:
    office = linking_office
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    office.pagerduty.oauth.revoke_all_of("PALICE1")
    offer = await message.answers("Acknowledge", "U0ALICE", "15 minutes")
    await links_by(offer, office.alice)
    await message.expect("Acknowledged", "Alice Anderson")
    assert doers(office, "Disk full", "acknowledge") == ["PALICE1"]


async def test_a_token_raced_for_by_two_bots_is_renewed_once(empty_postgresql_office: Office) -> None:
    office = empty_postgresql_office
    office.people = "oauth"
    async with InProcess(office) as first, InProcess(office) as second:
        await office.links(office.alice)
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        made = [await office.trigger(f"Trouble {number}") for number in range(5)]  # fewer than make a storm
        for one in made:
            await office.checkout.expect_message(one.title)
        office.pagerduty.access.expire("PALICE1")
        acts = ("ack {}", "note {} Seen", "note {} Looking", "note {} Mended")
        lines = [act.format(one.number) for act in acts for one in made]
        for number, line in enumerate(lines):
            office.connect((first, second)[number % 2].port)
            await office.alice.types(line, office.checkout)

        def done() -> int:
            truths = [office.truth(one) for one in made]
            return sum((one.status == "acknowledged") + len(one.notes) for one in truths)

        await until(lambda: done() == len(lines) == 20, lambda: f"{done()} of {len(lines)} were done")
    assert office.pagerduty.oauth.count("refresh", "PALICE1") == 1
    assert office.pagerduty.oauth.count("refused") == 0


@pytest.fixture
async def killed(empty_linking_office: Office, tmp_path: Path) -> AsyncIterator[OwnProcess]:
    """A bot in a process of its own, for stories that kill it."""
    bot = OwnProcess(empty_linking_office, tmp_path, shutdown_seconds=5.0)
    try:
        await bot.start()
        bot.connect()
        await empty_linking_office.links(empty_linking_office.carol)
        yield bot
    finally:
        await bot.kill()


async def killed_while_renewing(office: Office, bot: OwnProcess) -> Seen:
    """Alice presses Acknowledge; her token is renewed at PagerDuty, and the bot never hears of it. The
    incident's message.
    """
    await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
    await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    office.pagerduty.outage("late", paths=("/oauth/token",), fields=REFRESH, seconds=30, count=1)
    await message.press("Acknowledge", by="U0ALICE")
    await until(lambda: office.pagerduty.oauth.count("refresh", "PALICE1") == 1, "no token was renewed")
    await bot.kill()
    await bot.start()
    return message


async def linked_again(office: Office, bot: OwnProcess, message: Seen) -> None:
    """She links by the button she got, and what she asked for is done once, as her."""
    offer = await office.checkout.expect_private("U0ALICE", "15 minutes")
    assert offer.buttons == [LINK]
    await links_by(offer, office.alice)
    await message.expect("Acknowledged", "Alice Anderson")
    assert doers(office, "Disk full", "acknowledge") == ["PALICE1"]
    await office.inspection.before_the_bot_stops()
    await nothing_in_clear(office, bot)


async def test_killed_right_after_pagerduty_renewed_a_token_the_click_is_kept(
    empty_linking_office: Office, killed: OwnProcess
) -> None:
    office, oauth = empty_linking_office, empty_linking_office.pagerduty.oauth
    oauth.change_app(office.sandbox.oauth_client_id, access_lifetime=timedelta(seconds=1))
    await office.links(office.alice)
    oauth.change_app(office.sandbox.oauth_client_id, access_lifetime=None)
    await until(lambda: not office.pagerduty.access.holds("PALICE1"), "her token does not run out")
    message = await killed_while_renewing(office, killed)
    await linked_again(office, killed, message)


async def test_killed_in_the_middle_of_an_act_it_tells_before_anything_is_done_again(
    empty_linking_office: Office, killed: OwnProcess
) -> None:
    office = empty_linking_office
    await office.links(office.alice)
    office.pagerduty.access.expire("PALICE1")  # which only a refused act can tell the bot
    message = await killed_while_renewing(office, killed)
    told = await office.checkout.expect_private("U0ALICE", "It was not done")
    await told.press("Do it now", by="U0ALICE")
    await linked_again(office, killed, message)


async def nothing_in_clear(office: Office, bot: OwnProcess) -> None:
    """Neither the log nor the database has a token, a code or a secret that can be read."""
    database = await Database.open(office.database_url)
    try:
        async with database.read() as connection:
            rows = [
                str(row)
                for table in HOLDING
                for row in (await connection.execute(text(f"select * from {table}"))).all()
            ]
    finally:
        await database.close()
    kept = f"{bot.log.read_text()} {rows}"
    journals = json.dumps(
        [str(one) for one in (*office.pagerduty.journal, *office.slack.journal)], ensure_ascii=False
    )
    for secret in (*office.tokens(), *bot.secrets()):
        assert secret not in kept
        assert secret not in journals
    assert any("Alice" in row for row in rows), "the database was looked at"
