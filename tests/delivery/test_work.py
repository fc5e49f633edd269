"""The list of work: most worthwhile first, one call per channel, and what is held hides nothing else."""

from __future__ import annotations

import itertools
from dataclasses import replace

from bot.delivery.setbacks import Hold, Kind
from bot.delivery.work import Item, Work
from bot.model import Channel
from tests.store.seeding import CHECKOUT, SEARCH

ROWS = itertools.count(1)
ELSEWHERE = Channel("T0OTHER", "C0THEIRS")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def nothing() -> None:
    return None


def item(channel: Channel, kind: Kind = Kind.POSTS, worth: float = 1.0) -> Item:
    return Item((worth,), channel, kind, (next(ROWS),), nothing)


def test_the_most_worthwhile_goes_first_and_a_channel_has_one_call_at_a_time() -> None:
    work = Work(Clock())
    later, sooner, other = item(CHECKOUT, worth=5), item(CHECKOUT, worth=1), item(SEARCH, worth=3)
    work.replace([later, sooner, other])
    assert list(work.take()) == [sooner, other]
    assert list(work.take()) == []
    work.done(sooner, None)
    assert list(work.take()) == [later]
    assert work.is_exhausted


def test_taking_some_leaves_the_rest() -> None:
    work = Work(Clock())
    first, second = item(CHECKOUT, worth=1), item(SEARCH, worth=2)
    work.replace([first, second])
    for taken in work.take():
        assert taken == first
        break
    assert list(work.take()) == [second]


def test_between_two_questions_only_what_lasts_goes_on() -> None:
    work = Work(Clock())
    post, line = item(CHECKOUT, worth=1), item(CHECKOUT, worth=2)
    work.replace([replace(post, lasting=False), line])
    assert work.can_go_on()
    assert list(work.take(fresh=False)) == [line]
    assert not work.can_go_on()
    work.done(line, None)
    assert not work.can_go_on()
    assert [one.about for one in work.take()] == [post.about]


def test_a_kind_that_waits_in_one_channel_hides_no_other() -> None:
    clock = Clock()
    work = Work(clock)
    post, edit, other = item(CHECKOUT), item(CHECKOUT, Kind.EDITS), item(SEARCH)
    work.done(post, Hold(2.0, CHECKOUT.team_id, CHECKOUT.id, Kind.POSTS))
    work.replace([post, edit, other])
    assert list(work.take()) == [edit, other]
    work.done(edit, None)
    assert work.next_in(10.0) == 2.0
    clock.now += 2.0
    assert list(work.take()) == [post]


def test_a_workspace_that_waits_hides_no_other() -> None:
    work = Work(Clock())
    here, there = item(CHECKOUT), item(ELSEWHERE)
    work.done(here, Hold(5.0, CHECKOUT.team_id))
    work.replace([here, there])
    assert list(work.take()) == [there]


def test_a_longer_hold_is_not_shortened() -> None:
    work = Work(Clock())
    work.done(item(CHECKOUT), Hold(5.0, CHECKOUT.team_id))
    work.done(item(CHECKOUT), Hold(1.0, CHECKOUT.team_id))
    work.replace([item(CHECKOUT)])
    assert work.next_in(10.0) == 5.0
    assert work.next_in(3.0) == 3.0


def test_what_changed_lately_is_added_to_what_is_known() -> None:
    work = Work(Clock())
    old, outdated = item(CHECKOUT, worth=5), item(CHECKOUT, worth=4)
    newer = Item((1.0,), CHECKOUT, Kind.EDITS, outdated.about, nothing)
    work.replace([old, outdated])
    work.replace([newer], whole=False)
    assert list(work.take()) == [newer]
    work.done(newer, None)
    assert list(work.take()) == [old]
    work.replace([])
    assert work.is_exhausted
