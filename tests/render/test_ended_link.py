"""What somebody on call reads when their link has ended: what it means, and one button."""

from __future__ import annotations

from collections.abc import Callable

from bot.render.ended_link import ended_link
from tests.render.conftest import Drawn


def test_an_ended_link_says_what_still_works_and_what_to_do(golden: Callable[[str, Drawn], None]) -> None:
    drawn = ended_link(url="https://pager.example.com/pagerduty/link?ticket=t", ticket="t")
    golden("ended-link", drawn)
    assert "Pages still reach you" in drawn.text
    assert drawn.text.endswith("type /pager link.")


def test_an_address_that_is_none_makes_no_button() -> None:
    assert "button" not in str(ended_link(url="javascript:alert(1)", ticket="t").blocks)
