"""What is done in a storm, as a table of cases: no database and no Slack."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.storm import (
    MOST_ROWS,
    OPEN_ROW,
    PAGE_ROOM,
    EditPage,
    Option,
    PageState,
    PostNews,
    PostPage,
    Tuning,
    Unseen,
    Untold,
    begins,
    ends,
    fits,
    options,
    own_seconds,
)
from bot.delivery.storms import tuning_for
from bot.store.pace import PaceLimits

TUNING = Tuning()
CALM, QUIET = Unseen(), Untold()


def page(row: int = 1, *, rows: int = 10, stale: float = 0.0, oldest: float | None = None) -> PageState:
    oldest = stale if oldest is None else oldest
    return PageState(row=row, used=rows * OPEN_ROW, rows=rows, stale=stale, oldest=oldest)


def test_in_a_storm_an_edit_of_what_somebody_has_in_hand_comes_first() -> None:
    """The rest stands on a page below, which tells the truth already."""
    in_hand, other = (own_seconds(30.0, TUNING, in_hand=held) for held in (True, False))
    assert in_hand > 30.0 > other > 0


def waiting(rows: int, longest: float) -> Unseen:
    return Unseen(rows=rows, used=rows * OPEN_ROW, waited=rows * longest / 2, longest=longest)


def calls(*pages: PageState, unseen: Unseen = CALM, untold: Untold = QUIET, old: int = 0) -> list[Option]:
    return options(pages, unseen, untold, old, TUNING)


def test_nothing_is_done_where_all_is_true() -> None:
    assert calls(page(1), page(2)) == []


def test_the_page_that_removes_most_staleness_is_edited_first() -> None:
    first, second = calls(page(1, stale=5), page(2, stale=9))
    assert (first.call, second.call) == (EditPage(2), EditPage(1))


def test_incidents_gather_for_a_moment_then_go_out() -> None:
    assert calls(unseen=waiting(5, TUNING.gather - 0.1)) == []
    (option,) = calls(unseen=waiting(5, TUNING.gather))
    assert option.call == PostPage()


def test_a_full_page_waits_for_nobody() -> None:
    (option,) = calls(unseen=waiting(PAGE_ROOM // OPEN_ROW + 1, 0.5))
    assert option.call == PostPage()


def test_a_new_page_takes_in_small_ones_that_fit() -> None:
    (option,) = calls(page(1, rows=8), unseen=waiting(8, TUNING.gather))
    assert option.call == PostPage((1,))
    (option,) = calls(page(1, rows=55), unseen=waiting(8, TUNING.gather))
    assert option.call == PostPage()


def test_no_more_pages_are_moved_than_are_deleted() -> None:
    (option,) = calls(page(1, rows=8), unseen=waiting(8, TUNING.gather), old=TUNING.most_old)
    assert option.call == PostPage()
    late = page(1, stale=500, oldest=TUNING.move_after)
    assert [one.call for one in calls(late)] == [EditPage(1), PostPage((1,))]
    assert [one.call for one in calls(late, old=TUNING.most_old)] == [EditPage(1)]


def test_news_tells_what_no_edit_reached_in_time() -> None:
    behind = page(1, stale=10)
    assert PostNews() not in [one.call for one in calls(behind, untold=Untold(waited=20, longest=10))]
    told = calls(behind, untold=Untold(waited=200, longest=TUNING.news_after))
    assert told[0].call == PostNews()


@given(
    st.lists(st.tuples(st.integers(1, MOST_ROWS), st.floats(0, 1000)), max_size=8),
    st.integers(0, 200),
    st.floats(0, 100),
    st.integers(0, 3),
)
def test_a_page_never_takes_more_than_it_holds(
    shapes: list[tuple[int, float]], unseen: int, waited: float, old: int
) -> None:
    pages = [page(row, rows=rows, stale=stale) for row, (rows, stale) in enumerate(shapes)]
    for option in calls(*pages, unseen=waiting(unseen, waited), old=old):
        if isinstance(option.call, PostPage):
            taken = [one for one in pages if one.row in option.call.absorbs]
            more = fits(taken)
            assert sum(one.rows for one in taken) + more <= MOST_ROWS
            assert sum(one.used for one in taken) + more * OPEN_ROW <= PAGE_ROOM
            assert len(taken) + old <= max(old, TUNING.most_old)
            assert taken or more


def test_a_storm_begins_at_ten_seconds_of_posts_and_ends_at_nothing() -> None:
    tuning = tuning_for(PaceLimits(), 120.0)
    assert (tuning.enter_waiting, tuning.enter_behind) == (10, 30)
    assert not begins(9, 29, tuning)
    assert begins(10, 0, tuning)
    assert begins(0, 30, tuning)
    assert not ends(untrue=0, unseen=0, alone=1)
    assert ends(untrue=0, unseen=0, alone=0)
