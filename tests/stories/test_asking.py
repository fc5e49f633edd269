"""What people want to know: what to type, what is open, who is on call, and who the bot takes them for."""

from __future__ import annotations

import pytest

from commands import CATALOG
from tests.stories.office import Office
from tests.stories.slack_eyes import Seen
from tests.stories.waiting import until


async def test_a_newcomer_finds_the_way(office: Office) -> None:
    helped = await office.bob.asks("help", office.checkout, "/pager ack")
    for_everybody = [one.verb for one in CATALOG.shown() if not one.admins_only]
    assert [verb for verb in for_everybody if f"/pager {verb}" not in helped.words] == []
    assert "levels" not in (await office.bob.asks("help notes", office.checkout, "/pager notes N")).words
    await office.bob.asks("help escalat", office.checkout, "Did you mean")
    await office.bob.asks(
        "whoami", office.checkout, "act as *<https://acme.pagerduty.com/users/PBOB002|Bob Brown>*"
    )
    await office.dana.asks("whoami", office.checkout, "nobody I know in PagerDuty")
    incident = await office.trigger("Disk full")
    await office.checkout.expect_message("Disk full")
    meant = await office.bob.asks(f"acknowlege {incident.number}", office.checkout, "Did you mean")
    assert office.truth(incident).status == "triggered"
    await meant.press(meant.buttons[0], by="U0BOB")
    await until(lambda: office.truth(incident).status == "acknowledged", "the nearest word did nothing")
    await office.bob.asks("xyzzy", office.checkout, "I do not know “xyzzy”")
    await office.bob.asks("ack 1234 tomorrow", office.checkout, "but not “tomorrow”")


async def turned_over(page: Seen, by: str) -> set[str]:
    """Press *Next* until there is none; all the numbers that were seen."""
    numbers: set[str] = set()
    for _ in range(60):
        numbers |= {one.label.split()[0] for one in page.controls if one.label.startswith("#")}
        if not any(one.label.startswith("Next") for one in page.controls):
            return numbers
        before = page.words
        await page.press("Next ›", by=by)
        await until(lambda: page.controls and page.words != before, "the page was not turned")  # noqa: B023
    raise AssertionError("there is always another page")


async def test_all_open_incidents_are_reachable(sqlite_office: Office) -> None:
    office = sqlite_office
    office.pagerduty.webhooks.set_mode("drop")
    made = {f"#{one.number}" for one in office.pagerduty.storm(130)}
    page = await office.bob.asks("list", office.search, "130 triggered")
    assert await turned_over(page, "U0BOB") == made
    assert len(office.search.answers("U0BOB")) == 1  # each page took the place of the last


async def test_the_list_is_narrowed_by_any_word(office: Office) -> None:
    cards = await office.trigger("Cards fail")
    await office.trigger("No results", "PSVCSEA")
    office.pagerduty.act(cards.id, "acknowledge", by="PALICE1")
    for line, seen, unseen in (
        ("sup", "Cards fail", "xyzzy"),
        ("list mine", "Cards fail", "No results"),
        ("list serch", "No results", "Cards fail"),
        ("list team payments", "Cards fail", "No results"),
        ("incidents triggered", "No results", "Cards fail"),
        ("list acknowledged", "Cards fail", "No results"),
        ("list mine triggered", "none", "Cards fail"),
    ):
        told = await office.alice.asks(line, office.incidents, seen)
        assert unseen not in told.words, line
    await office.alice.asks("list xyzzy", office.incidents, "There is no service or team called “xyzzy”")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("oncall checkout", ["On call for", "Checkout", "Alice Anderson", "Bob Brown"]),
        ("who's on call for checkout?", ["On call for", "Checkout", "Alice Anderson"]),
        ("who platform on-call", ["Platform on-call", "Bob Brown"]),
        ("oncall checkout rota", ["Checkout rota", "Alice Anderson"]),
        ("oncall the payments team", ["Payments", "Alice Anderson"]),
        ("oncall bob", ["Bob Brown", "is on call"]),
        ("oncall chekcout", ["Which one do you mean?", "Checkout", "Checkout rota"]),
        ("oncall METRIQUES", ["Métriques", "Bob Brown"]),
        ("oncall xyzzy", ["There is no service, team, policy, schedule or person called “xyzzy”"]),
    ],
)
async def test_who_is_on_call(sqlite_office: Office, line: str, said: list[str]) -> None:
    told = await sqlite_office.dana.asks(line, sqlite_office.search, said[0])
    assert [one for one in said if one not in told.words] == [], told.words


async def test_on_call_asked_shared_and_guessed_at_by_nobody(office: Office) -> None:
    which = await office.alice.asks("oncall rota", office.checkout, "Which one do you mean?")
    assert sorted(one.label for one in which.controls) == ["Checkout rota", "Platform rota"]
    await which.press("Platform rota", by="U0ALICE")
    await which.expect("Platform rota", "Bob Brown", "Alice Anderson")
    here = await office.alice.asks("oncall", office.checkout, "On call for")
    await here.press("Share to channel", by="U0ALICE")
    posted = await office.checkout.expect_message("Shared by")
    assert "Alice Anderson" in posted.words
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3")
    await message.press("Who's on call", by="U0BOB")
    await office.checkout.expect_private("U0BOB", "On call for")
    await office.bob.asks(f"oncall {incident.number}", office.search, "On call for")
    await office.bob.asks("oncall @carol", office.search, "Carol Chen")
    await office.bob.asks("oncall @dana", office.search, "I do not know who that is in PagerDuty")
