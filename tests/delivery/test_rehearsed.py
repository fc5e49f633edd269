"""The bot's part of a game day: PagerDuty is away about one incident, and about nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.delivery.reach import FAILURES, SECONDS
from bot.delivery.rehearsed import BELIEVED, Rehearsed

API = "https://api.pagerduty.com"


@dataclass
class Clock:
    passed: float = 0.0

    def now(self) -> float:
        return self.passed


@dataclass
class Scene:
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.rehearsed = Rehearsed(SECONDS, timer=self.clock.now)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(
    ("path", "silent"),
    [
        ("/incidents/Q1", True),
        ("/incidents/12?include%5B%5D=services", True),
        ("/incidents/Q1/notes", True),
        ("/incidents/Q2", False),
        ("/incidents/123", False),
        ("/incidents", False),
        ("/incidents?incident_key=Q1", False),
        ("/services/Q1", False),
        ("/users/12", False),
    ],
)
def test_calls_about_it_find_nobody_and_all_others_go_on(scene: Scene, path: str, silent: bool) -> None:
    assert not scene.rehearsed.is_silent(API + path)
    scene.rehearsed.learn({"Q1": 12})
    assert scene.rehearsed.is_silent(API + path) is silent


def test_webhooks_about_it_are_lost_and_no_others(scene: Scene) -> None:
    scene.rehearsed.learn({"Q1": 12})
    assert scene.rehearsed.loses("Q1")
    assert not scene.rehearsed.loses("Q2")
    assert not scene.rehearsed.loses(None)


def test_a_hiccup_is_no_outage(scene: Scene) -> None:
    scene.rehearsed.learn({"Q1": 12})
    for _ in range(FAILURES):
        scene.rehearsed.is_silent(f"{API}/incidents/Q1")
    assert scene.rehearsed.away_since is None


def test_it_is_away_after_as_long_as_in_an_outage(scene: Scene) -> None:
    scene.rehearsed.learn({"Q1": 12})
    for _ in range(FAILURES):
        scene.rehearsed.is_silent(f"{API}/incidents/Q1")
    scene.clock.passed += SECONDS
    scene.rehearsed.learn({"Q1": 12})
    assert scene.rehearsed.away_since is not None


def test_it_answers_again_when_it_is_over(scene: Scene) -> None:
    scene.rehearsed.learn({"Q1": 12})
    for _ in range(FAILURES):
        scene.rehearsed.is_silent(f"{API}/incidents/Q1")
    scene.clock.passed += SECONDS
    scene.rehearsed.learn({})
    assert scene.rehearsed.away_since is None


def test_without_a_look_at_the_database_it_is_over(scene: Scene) -> None:
    scene.rehearsed.learn({"Q1": 12})
    scene.clock.passed += BELIEVED
    assert not scene.rehearsed.is_silent(f"{API}/incidents/Q1")
    assert not scene.rehearsed.loses("Q1")


def test_another_day_begins_anew(scene: Scene) -> None:
    scene.rehearsed.learn({"Q1": 12})
    for _ in range(FAILURES):
        scene.rehearsed.is_silent(f"{API}/incidents/Q1")
    scene.rehearsed.learn({})
    scene.clock.passed += 1000
    scene.rehearsed.learn({"Q2": 13})
    assert scene.rehearsed.away_since is None
    assert not scene.rehearsed.loses("Q1")
