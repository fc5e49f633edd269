"""Slowing down in time: the reserve, the spread, and forgetting by itself."""

from __future__ import annotations

import pytest

from bot.pagerduty.limiter import PEOPLES_SHARE, RESERVE, Limiter, Rank, retry_after


class Timer:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def limiter(timer: Timer) -> Limiter:
    return Limiter(timer)


def told(remaining: int, reset: int = 30, *, prefix: str = "") -> dict[str, str]:
    return {
        f"{prefix}ratelimit-limit": "960",
        f"{prefix}ratelimit-remaining": str(remaining),
        f"{prefix}ratelimit-reset": str(reset),
    }


def test_nothing_waits_before_anything_is_known(limiter: Limiter) -> None:
    assert limiter.blocked("key") == 0
    assert limiter.take("key") == 0


@pytest.mark.parametrize("prefix", ["", "x-"])
def test_both_spellings_of_the_headers_are_understood(limiter: Limiter, prefix: str) -> None:
    limiter.learn("key", told(0, 30, prefix=prefix))
    assert limiter.blocked("key") == 30


def test_a_reserve_is_kept_and_acts_may_use_it(limiter: Limiter) -> None:
    limiter.learn("key", told(RESERVE, 30))
    assert limiter.blocked("key") == 30
    assert limiter.blocked("key", Rank.ACT) == 0


def test_the_background_leaves_people_their_share(limiter: Limiter) -> None:
    share = int(960 * PEOPLES_SHARE)
    limiter.learn("key", told(share + 1, 30))
    assert limiter.blocked("key", Rank.BACKGROUND) == 0
    limiter.take("key", Rank.BACKGROUND)
    assert limiter.blocked("key", Rank.BACKGROUND) == 30
    assert limiter.blocked("key", Rank.READ) == limiter.blocked("key", Rank.ACT) == 0
    # Of a very small limit people have at least as much as acts keep back from reads.
    limiter.learn("small", told(2 * RESERVE, 30) | {"ratelimit-limit": "60"})
    assert limiter.blocked("small", Rank.BACKGROUND) == 30
    assert limiter.blocked("small", Rank.READ) == 0


def test_near_its_share_the_background_is_spread_and_a_person_is_not(limiter: Limiter) -> None:
    share = int(960 * PEOPLES_SHARE)
    limiter.learn("key", told(share + 60, 30))
    assert limiter.take("key", Rank.BACKGROUND) == pytest.approx(0.5)
    assert limiter.take("key", Rank.READ) == 0


def test_requests_in_flight_use_it_up_before_their_answers_say_so(limiter: Limiter) -> None:
    limiter.learn("key", told(RESERVE + 3, 30))
    for _ in range(3):
        assert limiter.blocked("key") == 0
        limiter.take("key")
    assert limiter.blocked("key") == 30


def test_near_the_limit_requests_are_spread(limiter: Limiter) -> None:
    limiter.learn("key", told(900))
    assert limiter.take("key") == 0
    limiter.learn("key", told(RESERVE + 60, 30))
    assert limiter.take("key") == pytest.approx(0.5)
    assert limiter.take("key", Rank.ACT) == 0


def test_an_answer_that_was_overtaken_gives_nothing_back(limiter: Limiter) -> None:
    limiter.learn("key", told(10, 30))
    limiter.learn("key", told(40, 30))
    assert limiter.blocked("key") == 30


def test_a_new_window_counts_anew(limiter: Limiter, timer: Timer) -> None:
    limiter.learn("key", told(0, 30))
    timer.now += 25
    limiter.learn("key", told(950, 60))
    assert limiter.blocked("key") == 0


def test_what_was_learnt_expires_by_itself(limiter: Limiter, timer: Timer) -> None:
    limiter.learn("key", told(0, 30))
    timer.now += 30
    assert limiter.blocked("key") == 0


def test_no_header_blocks_for_longer_than_two_minutes(limiter: Limiter) -> None:
    limiter.learn("key", told(0, 99_999_999))
    assert limiter.blocked("key") <= 120


def test_a_429_stops_everybody_of_that_key_and_nobody_else(limiter: Limiter) -> None:
    limiter.exhausted("key", 12)
    assert limiter.blocked("key", Rank.ACT) == 12
    assert limiter.blocked("another") == 0


def test_what_is_left_is_told_for_as_long_as_it_is_true(limiter: Limiter, timer: Timer) -> None:
    limiter.learn("key", told(240, 30) | {"ratelimit-limit": "960"})
    limiter.take("key", Rank.ACT)
    ((who, left),) = limiter.left()
    assert (who, left.remaining, left.limit) == ("key", 239, 960)
    assert left.share == pytest.approx(239 / 960)
    timer.now += 31
    assert list(limiter.left()) == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "7", "ratelimit-reset": "30"}, 7),
        ({"ratelimit-reset": "30"}, 30),
        ({"x-ratelimit-reset": "30"}, 30),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "٣"}, None),
    ],
)
def test_how_long_pagerduty_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
