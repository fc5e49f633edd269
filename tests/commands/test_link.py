"""`link`, `unlink` and `whoami` where people link their accounts, and where they need not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import update

from bot.store.people_tables import accounts
from bot.store.sealing import Sealer
from tests.command.linked import ASKED
from tests.command.switchboard import Switchboard, switchboard

BUTTON = "Link my PagerDuty account"


@pytest.fixture
async def linking(sqlite_url: str) -> AsyncIterator[Switchboard]:
    async with switchboard(sqlite_url, mode="oauth") as board:
        yield board


async def test_link_gives_the_button_and_says_when_it_is_done(linking: Switchboard) -> None:
    assert "I act as you from then on" in await linking.types("link")
    assert linking.newest().buttons == [BUTTON]
    [(user, intent)] = linking.links.offers.made
    assert (user.id, intent) == ("U0ALICE", None)
    await linking.links.link("U0ALICE")
    said = await linking.types("link")
    assert "You are linked: you act as Alice Anderson" in said
    assert len(linking.links.offers.made) == 1


async def test_link_again_when_something_was_not_granted(linking: Switchboard) -> None:
    await linking.links.link("U0ALICE", scopes=ASKED - {"incidents.write"})
    assert "does not cover incidents.write" in await linking.types("link")
    assert linking.newest().buttons == [BUTTON]


async def test_link_again_when_the_key_that_sealed_it_is_gone(linking: Switchboard) -> None:
    await linking.links.link("U0ALICE")
    by_another_key = Sealer([Fernet.generate_key().decode()]).seal("a token")
    async with linking.database.write() as connection:
        await connection.execute(update(accounts).values(access_token=by_another_key))
    assert "encryption key is missing" in await linking.types("whoami")
    assert "encryption key is missing" in await linking.types("link")
    assert linking.newest().buttons == [BUTTON]


@pytest.mark.parametrize("user", ["U0GUEST", "U0STRANG"])
async def test_whom_the_bot_does_not_answer_may_not_link(linking: Switchboard, user: str) -> None:
    said = await linking.types("link", by=user)
    assert "only work for" in said
    assert linking.links.offers.made == []


async def test_unlink_revokes_and_forgets(linking: Switchboard) -> None:
    await linking.links.link("U0ALICE")
    tokens = set(linking.pagerduty.access.tokens())
    assert "PagerDuty has revoked them" in await linking.types("unlink")
    assert len(set(linking.pagerduty.access.tokens())) == len(tokens) - 1
    assert "nothing to forget" in await linking.types("unlink")
    incident = await linking.breaks("Disk full")
    assert "not linked" in await linking.types(f"ack {incident.number}")


async def test_unlink_is_honest_when_nothing_was_confirmed(linking: Switchboard) -> None:
    await linking.links.link("U0ALICE")
    linking.pagerduty.outage("down", paths=["/oauth"])
    assert "did not confirm" in await linking.types("unlink")
    assert "not linked" in await linking.types("whoami")


async def test_whoami_says_how_the_link_stands(linking: Switchboard) -> None:
    assert "not linked to PagerDuty" in await linking.types("whoami")
    await linking.newest().press(BUTTON, by="U0ALICE")
    await linking.settle()
    assert "I act as you from then on" in linking.newest().words
    await linking.links.link("U0ALICE")
    said = await linking.types("whoami")
    assert "act as Alice Anderson in PagerDuty" in said
    assert "linked by your own sign-in" in said
    assert "role limited\\_user" in said or "role limited_user" in said or "role user" in said
    assert "incidents.write" in said
    assert "PagerDuty accepts it just now" in said


async def test_whoami_finds_out_that_a_link_has_ended(linking: Switchboard) -> None:
    await linking.links.link("U0ALICE")
    linking.pagerduty.oauth.revoke_all_of("PALICE1")
    said = await linking.types("whoami")
    assert "Your link as Alice Anderson in PagerDuty ended" in said
    assert "PagerDuty no longer accepts it" in said
    assert "has ended" in await linking.types("link")


async def test_whoami_does_not_blame_the_link_when_pagerduty_is_away(linking: Switchboard) -> None:
    await linking.links.link("U0ALICE")
    linking.pagerduty.outage("limited", paths=["/users/me"])
    said = await linking.types("whoami")
    assert "cannot tell whether it works" in said
    assert "act as Alice Anderson" in said


@pytest.mark.parametrize("line", ["link", "unlink"])
async def test_matched_by_email_there_is_nothing_to_link(board: Switchboard, line: str) -> None:
    assert "by their e-mail address" in await board.types(line)


async def test_no_token_is_ever_shown(linking: Switchboard) -> None:
    await linking.links.link("U0ALICE")
    [token] = [one for one in linking.pagerduty.access.tokens() if one]
    for line in ("whoami", "link", "unlink"):
        assert token not in await linking.types(line)
