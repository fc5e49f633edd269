"""When others do not play their part in linking: the page says what, and what to do; nothing is linked."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.inbound.linking import LinkDoors
from bot.store.people_tables import link_states
from tests.accounts.link_desk import BOB, CAROL, UMA, Desk, Page, linking_desk
from tests.inbound.doors import first_line


@pytest.fixture
async def desk(migrated_sqlite_url: str) -> AsyncIterator[Desk]:
    async with linking_desk(migrated_sqlite_url) as opened:
        yield opened


async def consent(desk: Desk) -> Page:
    return await (await desk.browser()).consent(await desk.offer(), UMA)


async def nothing_stays(desk: Desk) -> bool:
    await desk.settled()
    return await desk.linked_person() is None and all(
        row.access_token is None for row in await desk.rows(link_states)
    )


async def test_an_account_of_the_other_region_is_told_so(desk: Desk) -> None:
    desk.pagerduty.oauth.move("PUMA007", "eu")
    page = await consent(desk)
    assert (page.status, "lives in the other region" in page.said) == (403, True)
    assert "PAGERDUTY_REGION" in page.said
    assert await nothing_stays(desk)
    assert desk.pagerduty.oauth.count("revoked") == 1


async def test_an_app_without_the_scopes_names_them_and_where_they_are_added(
    migrated_sqlite_url: str,
) -> None:
    async with linking_desk(migrated_sqlite_url, app={"scopes": frozenset()}) as desk:
        page = await consent(desk)
        assert "incidents.read, incidents.write, users.read" in page.said
        assert "App Registration" in page.said
        assert await nothing_stays(desk)


async def test_who_must_not_be_asked_for_is_a_missing_scope_too(desk: Desk) -> None:
    desk.pagerduty.outage("error", paths=["/users/me"], status=403)
    page = await consent(desk)
    assert "did not grant users.read" in page.said
    assert await nothing_stays(desk)


async def test_some_scopes_missing_is_said_before_it_is_confirmed(migrated_sqlite_url: str) -> None:
    scopes = frozenset({"incidents.read", "users.read"})
    async with linking_desk(migrated_sqlite_url, app={"scopes": scopes}) as desk:
        browser = await desk.browser()
        confirming = await browser.consent(await desk.offer(), UMA)
        assert "did not grant incidents.write" in confirming.said
        assert "You are linked" in (await browser.confirm(confirming)).said


async def test_a_classic_app_links_with_read_and_write(migrated_sqlite_url: str) -> None:
    async with linking_desk(migrated_sqlite_url, app={"kind": "classic"}, pagerduty_oauth="classic") as desk:
        browser = await desk.browser()
        asked = await browser.press(await browser.get((await desk.offer()).url), "Continue to PagerDuty")
        assert parse_qs(urlsplit(asked.goes_to).query)["scope"] == ["read write"]
        await browser.confirm(await browser.consent(await desk.offer(), UMA))
        account = await desk.accounts.living(UMA)
        assert account is not None
        assert {"read", "write"} <= account.scopes


async def test_a_code_that_comes_after_half_a_minute_is_too_late(desk: Desk) -> None:
    browser = await desk.browser()
    asked = await browser.press(await browser.get((await desk.offer()).url), "Continue to PagerDuty")
    back = await browser.allow(asked.goes_to, UMA)
    desk.pagerduty.oauth.let_pass(timedelta(seconds=31))
    page = await browser.get(back.goes_to)
    assert (page.status, "30 seconds" in page.said) == (409, True)
    assert await nothing_stays(desk)


async def test_a_wrong_secret_is_the_keepers_business(migrated_sqlite_url: str) -> None:
    async with linking_desk(migrated_sqlite_url, app={"client_secret": "rotated"}) as desk:
        page = await consent(desk)
        assert "PAGERDUTY_CLIENT_SECRET" in page.said
        assert await nothing_stays(desk)


@pytest.mark.parametrize("path", ["/oauth/token", "/users/me"])
async def test_pagerduty_away_is_said_and_what_it_gave_is_given_back(desk: Desk, path: str) -> None:
    desk.pagerduty.outage("down", paths=[path])
    page = await consent(desk)
    assert (page.status, "PagerDuty does not answer" in page.said) == (503, True)
    assert await nothing_stays(desk)


async def test_slack_away_can_be_waited_out_by_reloading(desk: Desk) -> None:
    browser = await desk.browser()
    offer = await desk.offer()
    asked = await browser.press(await browser.get(offer.url), "Continue to PagerDuty")
    back = await browser.allow(asked.goes_to, UMA)
    desk.slack.fault("users.lookupByEmail", "error", count=2)
    confirm = await browser.get(back.goes_to)
    assert confirm.status == 303
    assert "Slack does not answer" in (await browser.get(confirm.goes_to)).said
    assert "Are both of these you?" in (await browser.get(confirm.goes_to)).said


async def test_relinking_says_as_whom_one_is_linked(desk: Desk) -> None:
    browser = await desk.browser()
    await browser.confirm(await browser.consent(await desk.offer(), UMA))
    page = await browser.get((await desk.offer()).url)
    assert "Linked as Uma Ueda at present" in page.said
    await browser.confirm(await browser.consent(await desk.offer(), UMA))
    assert await desk.linked_person() == "PUMA007"


async def test_a_form_that_is_none_is_refused(desk: Desk) -> None:
    browser = await desk.browser()
    page = await browser.get((await desk.offer()).url)
    many = {f"field{number}": "x" for number in range(20)}
    assert (await browser.post(f"{desk.origin}/pagerduty/link", page.form.hidden | many)).status == 400
    huge = b"POST /pagerduty/link HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
    assert "413" in await first_line(desk.origin, huge)


@pytest.mark.parametrize("odd", ["%00", "%FF", "%ED%A0%80"])
async def test_what_no_code_is_made_of_is_a_strangers_mistake_not_ours(database_url: str, odd: str) -> None:
    cookie = "A" * 43  # anybody may make one up, and the form token that goes with it
    told = {purpose: f"{purpose} {unquote(odd)}".encode() for purpose in ("state", "confirm")}
    proofs = {purpose: hmac.new(cookie.encode(), of, "sha256").hexdigest() for purpose, of in told.items()}
    form = f"id={odd}&token={proofs['confirm']}"
    async with linking_desk(database_url) as desk:
        for line, body in (
            (f"GET /pagerduty/link?ticket={odd}", ""),
            (f"GET /pagerduty/callback?state={odd}&code={odd}", ""),
            (f"GET /pagerduty/confirm?id={odd}", ""),
            (f"GET /slack/signed_in?state={odd}.{proofs['state']}&code={odd}", ""),
            ("POST /pagerduty/confirm", form),
        ):
            sent = f"{line} HTTP/1.1\r\nHost: x\r\nCookie: pagerline={cookie}\r\n"
            sent += f"Content-Length: {len(body)}\r\n\r\n{body}"
            status = (await first_line(desk.origin, sent.encode())).split()[1]
            assert status in ("400", "403", "404"), line


async def test_names_from_outside_are_only_text(desk: Desk) -> None:
    people = desk.slack.workspace.people
    people["U0UMA"] = people["U0UMA"].__class__(
        "<script>alert(1)</script>", '"><b>', "U0UMA", "uma@acme.example", "full"
    )
    page = await (await desk.browser()).get((await desk.offer()).url)
    assert "<script" not in page.html
    assert "<b>" not in page.html
    assert "<script>alert(1)</script>" in page.said


async def test_no_log_line_holds_what_is_secret(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.admins.ids = (CAROL.id,)
    browser, offer = await desk.browser(), await desk.offer()
    secrets = [offer.ticket]
    asked = await browser.press(await browser.get(offer.url), "Continue to PagerDuty")
    query = parse_qs(urlsplit(asked.goes_to).query)
    secrets += [query["state"][0], query["code_challenge"][0]]
    back = await browser.allow(asked.goes_to, BOB)
    secrets += parse_qs(urlsplit(back.goes_to).query)["code"]
    confirming = await browser.get((await browser.get(back.goes_to)).goes_to)
    await browser.get(back.goes_to)
    secrets += [confirming.form.hidden["token"], *desk.pagerduty.oauth.tokens()]
    await browser.confirm(confirming, "Ask an admin")
    (row,) = await desk.rows(link_states)
    await desk.side.approvals.approve(row.state_hash, CAROL)
    await desk.settled()
    said = "".join(capsys.readouterr())
    assert "linked" in said
    assert [secret for secret in secrets if secret in said] == []
    assert repr(offer) == "Offer(…)"


async def test_behind_https_the_cookie_belongs_to_this_host_alone(desk: Desk) -> None:
    doors = LinkDoors(desk.side, public_url="https://pager.example.com", slash="/pager")
    offer = await desk.offer()
    answer = await doors.ask(make_mocked_request("GET", f"/pagerduty/link?ticket={offer.ticket}"))
    (cookie,) = answer.cookies.values()
    assert cookie.key == "__Host-pagerline"
    assert (cookie["secure"], cookie["httponly"], cookie["path"]) == (True, True, "/")
    assert (cookie["samesite"], cookie["domain"]) == ("Lax", "")
