"""The storm simulation: its Slack limits calls, its readers measure what they say, and the goals are met."""

from __future__ import annotations

from tests.bench.storm import play
from tests.bench.storm_world import Limits, Readers, Stands, storm


def test_slack_limits_what_is_too_much() -> None:
    limits = Limits()
    assert [limits.call("posts", 0.0, channel=1) for _ in range(5)] == [True] * 4 + [False]
    assert limits.call("posts", 0.0, channel=2)
    assert [limits.call("edits", 1.0, channel=1) for _ in range(51)] == [True] * 50 + [False]
    assert limits.call("edits", 61.5, channel=1)
    assert (limits.calls["edits"], limits.limited["edits"]) == (52, 1)


def test_a_message_is_untrue_until_it_or_one_below_it_tells_the_truth() -> None:
    (one,) = storm(1, 1, seed=1)
    readers, message = Readers([one]), Stands(0.0)
    readers.changes(0, 1.0)
    readers.stands(message, 2.0, {0: 1})
    readers.changes(0, 10.0)
    readers.stands(Stands(0.0, is_news=True), 15.0, {0: 2})
    assert (readers.visible, readers.stale) == ({0: 2.0}, [5.0])
    readers.changes(0, 20.0)
    assert not readers.all_true
    readers.stands(message, 27.0, {0: 3})
    assert readers.stale == [5.0, 7.0]
    assert readers.all_true


def test_a_storm_in_one_channel_is_readable_and_true() -> None:
    result = play(150, 1, seed=1)
    assert result.visible_99 <= 10
    assert result.worst <= 36
    assert result.after <= 60
    assert result.limited == 0
