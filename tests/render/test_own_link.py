"""What somebody is told of their own link."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.render import events, own_link, problems
from tests.render.conftest import Drawn
from tests.render.samples import TRIGGERED, at

URL = "https://pager.example.com/pagerduty/link?ticket=made-up"
WHY = "You are not linked to PagerDuty yet."
Golden = Callable[[str, Drawn], None]


def test_golden_link_first(golden: Golden) -> None:
    drawn = own_link.link_first(WHY, URL, "made-up", asked="ack 1234", incident=TRIGGERED, kept=True)
    golden("link-first", drawn)


def test_only_what_is_kept_is_said_to_be_kept() -> None:
    assert "I keep" not in own_link.link_first(WHY, URL, "made-up", asked="list mine").text
    assert "ask again" in own_link.link_first(WHY, URL, "made-up", asked="list mine").text


def test_an_address_that_is_none_gives_no_button() -> None:
    drawn = own_link.link_first(WHY, "javascript:alert(1)", "made-up")
    assert [block["type"] for block in drawn.blocks] == ["section", "context"]
    assert "javascript" not in drawn.text


def test_golden_waited_too_long(golden: Golden) -> None:
    golden("link-waited-too-long", own_link.waited_too_long("ack 1234", TRIGGERED, again="ack Q1ABCDEF"))


def test_golden_whoami_linked(golden: Golden) -> None:
    drawn = own_link.how_linked(
        slack_name="alice",
        person_name="Alice Anderson",
        url="https://acme.pagerduty.com/users/PALICE1",
        role="limited_user",
        linked_at=at(-60),
        scopes=["incidents.write", "openid", "users.read"],
        missing=["services.read"],
        health="PagerDuty accepts it just now.",
    )
    golden("whoami-linked", drawn)


def test_golden_whoami_ended(golden: Golden) -> None:
    drawn = own_link.not_linked_now(
        slack_name="alice",
        was="Alice Anderson",
        ended_at=at(-5),
        why="PagerDuty no longer accepts it: it was revoked, or not used for too long.",
    )
    golden("whoami-ended", drawn)


def test_a_link_that_runs_out_says_when() -> None:
    drawn = own_link.how_linked(
        slack_name="alice",
        person_name="Alice Anderson",
        linked_at=at(-60),
        ends_at=at(60),
        scopes=["read"],
        health="PagerDuty accepts it just now.",
    )
    assert "It ends" in str(drawn.blocks)


@pytest.mark.parametrize(
    ("revoked", "said"),
    [(True, "PagerDuty has revoked them"), (False, "did not confirm"), (None, "nothing to forget")],
)
def test_unlinking_says_what_is_known(revoked: bool | None, said: str) -> None:
    assert said in own_link.unlinked(revoked=revoked).text


def test_golden_role_refused(golden: Golden) -> None:
    golden("problem-role", problems.role_refused("resolve", "Checkout", ["Bob Brown"]))


def test_nobody_on_call_leaves_the_admins() -> None:
    drawn = problems.role_refused("add a note", "", [])
    assert drawn.text == "PagerDuty says your role there cannot add a note. Ask a PagerDuty admin."


def test_names_from_outside_are_escaped() -> None:
    drawn = problems.role_refused("resolve", "<!here> *x*", ["<@U1>"])
    assert "<!here>" not in drawn.text + str(drawn.blocks)
    assert "<@U1>" not in drawn.text + str(drawn.blocks)


def test_golden_event_taken(golden: Golden) -> None:
    golden("event-taken", events.event_taken("Checkout", "Cards fail"))


def test_golden_nothing_came_of_it(golden: Golden) -> None:
    golden("event-nothing", events.nothing_came_of_it("Checkout", "PSVCCHK"))
