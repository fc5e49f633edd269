"""However events are late, doubled, lost or out of order, and however reads fall between them: what we know
ends as what is true.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.events import Event
from bot.model import Incident, Reading, Status, Urgency
from bot.store.saving import Known, after_event, after_reading
from tests.store.news import ALICE, BOB, P1, P3, SEARCH, an_event, an_incident, at

CHANGES = {
    "acknowledged": {"status": Status.ACKNOWLEDGED},
    "unacknowledged": {"status": Status.TRIGGERED},
    "escalated": {"status": Status.TRIGGERED, "assignees": (BOB,)},
    "reassigned": {"assignees": (ALICE, BOB)},
    "resolved": {"status": Status.RESOLVED, "assignees": ()},
    "reopened": {"status": Status.TRIGGERED, "assignees": (ALICE,)},
    "priority_updated": {"priority": P1},
    "service_updated": {"service": SEARCH},
    None: {"title": "Renamed", "urgency": Urgency.LOW, "priority": P3},  # PagerDuty sends no event for it
}


@dataclass
class PagerDuty:
    """What is true, and what was said about it."""

    truth: Incident = field(default_factory=lambda: an_incident(url="v0"))
    seconds: float = 0.0
    versions: int = 0
    said: list[Event] = field(default_factory=lambda: [an_event(incident=an_incident(url="v0"))])

    def change(self, kind: str | None, later: float) -> None:
        self.seconds += later
        self.versions += 1
        self.truth = replace(self.truth, url=f"v{self.versions}", **CHANGES[kind])  # type: ignore[arg-type]
        if kind is not None:
            name = f"{len(self.said)}"
            self.said.append(an_event(kind, self.seconds, self.truth, name=name))

    def read(self) -> Reading:
        return Reading(self.truth, at(int(self.seconds)))  # REST tells whole seconds


@dataclass
class Store:
    """The rules, on a clock that has nothing to do with PagerDuty's."""

    known: Known = field(default_factory=lambda: Known(id="Q1", now=datetime(1999, 1, 1, tzinfo=UTC)))
    taken: set[str] = field(default_factory=set)

    def tick(self) -> datetime:
        self.known = replace(self.known, now=self.known.now + timedelta(milliseconds=1))
        return self.known.now

    def accept(self, event: Event) -> None:
        self.tick()
        if event.id not in self.taken:
            self.taken.add(event.id)
            self.known = after_event(self.known, event).known

    def save(self, reading: Reading, began_at: datetime, seen: int | None) -> None:
        self.tick()
        self.known = after_reading(self.known, reading, began_at=began_at, seen=seen).known


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("change"), st.sampled_from(list(CHANGES)), st.sampled_from([0.001, 0.3, 0.999, 1.0, 7.4])
        ),
        st.tuples(st.just("hear"), st.integers(0, 40), st.none()),
        st.tuples(st.just("begin a read"), st.booleans(), st.none()),
        st.tuples(st.just("save a read"), st.integers(0, 40), st.none()),
    ),
    max_size=40,
)


class World:
    """PagerDuty, the store, and the reads under way between them."""

    def __init__(self) -> None:
        self.pagerduty, self.store = PagerDuty(), Store()
        self.reads: list[tuple[Reading, datetime, int | None]] = []

    def happens(self, act: str, what: object, later: object) -> None:
        match act, what:
            case "change", kind:
                self.pagerduty.change(kind, later)  # type: ignore[arg-type]
            case "hear", int(number):
                self.store.accept(self.pagerduty.said[number % len(self.pagerduty.said)])
            case "begin a read", bool(stale):
                self.reads.append(self.begin(stale=stale))
            case "save a read", int(number) if self.reads:
                self.store.save(*self.reads[number % len(self.reads)])

    @property
    def version(self) -> int:
        """Which of PagerDuty's states the store shows."""
        snapshot = self.store.known.snapshot
        return int((snapshot.url or "v0")[1:]) if snapshot else -1

    def begin(self, *, stale: bool) -> tuple[Reading, datetime, int | None]:
        return self.pagerduty.read(), self.store.tick(), self.store.known.stale_seq if stale else None


@given(steps)
@settings(max_examples=400)
def test_what_we_know_never_goes_back(plan: list[tuple[str, object, object]]) -> None:
    world = World()
    for step in plan:
        before = world.version
        world.happens(*step)
        assert world.version >= before


@given(steps, st.permutations(range(40)), st.booleans())
def test_what_we_know_becomes_what_is_true(
    plan: list[tuple[str, object, object]], order: list[int], lost: bool
) -> None:
    world = World()
    for step in plan:
        world.happens(*step)
    said = world.pagerduty.said
    for number in () if lost else order:
        world.store.accept(said[number % len(said)])
    for late in world.reads:
        world.store.save(*late)
    silent = any(step[:2] == ("change", None) for step in plan)
    if lost or silent:
        world.store.save(*world.begin(stale=False))  # the sweep finds what was never said
    for _ in range(3):
        if world.store.known.is_stale:
            world.store.save(*world.begin(stale=True))
    assert not world.store.known.is_stale
    assert world.version == world.pagerduty.versions
    known, truth = world.store.known.snapshot, world.pagerduty.truth
    assert known is not None
    for name in ("status", "title", "urgency", "priority", "service", "assignees"):
        assert getattr(known, name) == getattr(truth, name), name


@given(st.permutations(range(5)), st.data())
def test_reads_alone_may_come_back_in_any_order(order: list[int], data: st.DataObject) -> None:
    """Of several reads under way at once, the one that saw most counts, whenever it comes back."""
    pagerduty, store = PagerDuty(), Store()
    reads = []
    for _ in order:
        reads.append((pagerduty.read(), store.tick(), None))
        kind = data.draw(st.sampled_from(list(CHANGES)))
        pagerduty.change(kind, data.draw(st.sampled_from([0.0, 0.4, 3.0])))
    for number in order:
        store.save(*reads[number])
    newest = reads[-1][0].incident
    known = store.known.snapshot
    assert known is not None
    assert (known.status, known.title, known.assignees) == (newest.status, newest.title, newest.assignees)
