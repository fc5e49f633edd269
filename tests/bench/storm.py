"""`python -m tests.bench.storm [--short]`: the storm table, in virtual time.

    make bench ARGS=storms                  the goals, one seed
    python -m tests.bench.storm --short     one seed of each storm
    python -m tests.bench.storm             five seeds, beside the two simple ways

The policy is the bot's own (bot/delivery/storm.py); the pace is the bot's own (bot/store/pace.py), kept in
memory; Slack's limits are enforced apart from both, so that a 429 would be seen. A call takes 0.25 s.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bot.delivery.setbacks import Kind
from bot.delivery.storm import (
    MOST_ROWS,
    PAGE_ROOM,
    EditPage,
    Option,
    PostNews,
    Tuning,
    begins,
    options,
    own_seconds,
)
from bot.store.pace import CLICKS_SHARE, DELETES, POSTS, UPDATES
from tests.bench.storm_channels import Bucket, Channel, Page, kind_of, page_state, unseen, untold, used
from tests.bench.storm_world import Limits, Play, Readers, Stands, share, storm

LATENCY = 0.25
STEP = 0.1
LONGEST = 7200.0
AT_ONCE = 8
STORMS = ((100, 1), (1000, 1), (1000, 10), (5000, 50))


End = Callable[[float], None]
Begin = Callable[[float], End]


@dataclass
class Todo:
    """A call that would help now."""

    worth: tuple[float, ...]
    kind: Kind
    channel: Channel
    begin: Begin


class Bot:
    """Runs a storm. `way` is `storm`, or one of the simple ways: `whole` (a message each, edited to its
    newest state) and `each` (a call for every event).
    """

    def __init__(self, plays: list[Play], channels: int, *, way: str, tuning: Tuning) -> None:
        self.readers, self.limits, self.tuning, self.way = Readers(plays), Limits(), tuning, way
        self.channels = [Channel(number) for number in range(channels)]
        self._plays = {play.number: play for play in plays}
        self._due = sorted((moment, play.number) for play in plays for moment in play.moments)
        names = {Kind.POSTS: POSTS, Kind.EDITS: UPDATES, Kind.DELETES: DELETES}
        self._buckets = {kind: Bucket(name) for kind, name in names.items()}
        self._posts = [Bucket(f"post:{number}") for number in range(channels)]
        self._rows = 0
        self.pages_made = self.news = 0
        self.last_event = self._due[-1][0]

    def run(self) -> None:
        """Until everything is true."""
        now, next_event = 0.0, 0
        ending: list[tuple[float, Channel, End]] = []
        while now < LONGEST:
            while next_event < len(self._due) and self._due[next_event][0] <= now:
                self._happens(self._due[next_event][1], self._due[next_event][0])
                next_event += 1
            for done in [one for one in ending if one[0] <= now]:
                ending.remove(done)
                done[1].busy = False
                done[2](now)
            if next_event == len(self._due) and not ending and self.readers.all_true:
                return
            if len(ending) < AT_ONCE and any(bucket.has(now) for bucket in self._buckets.values()):
                ending += self._start(now, AT_ONCE - len(ending))
            now = round(now + (STEP if self.way == "storm" else 5 * STEP), 3)

    def _happens(self, number: int, now: float) -> None:
        self.readers.changes(number, now)
        play = self._plays[number]
        channel = self.channels[play.channel]
        if self.way == "each":
            channel.events.append(number)
            return
        page = next((one for one in channel.pages if number in one.message.says), None)
        if page is not None:
            if number in page.told:
                page.told.discard(number)
                del page.behind[number]
            page.behind.setdefault(number, now)
        elif number not in channel.own or channel.in_storm:
            channel.waiting.setdefault(number, now)
        if number in channel.own:
            if number in channel.own_told:
                channel.own_told.discard(number)
                channel.own_behind.pop(number, None)
            channel.own_behind.setdefault(number, now)
        elif play.p1 and self.way == "storm":
            channel.own_wanted.setdefault(number, now)

    # ------------------------------------------------------------------------------------------- what next

    def _start(self, now: float, most: int) -> list[tuple[float, Channel, End]]:
        started: list[tuple[float, Channel, End]] = []
        todo = [one for channel in self.channels if not channel.busy for one in self._todo(channel, now)]
        for one in sorted(todo, key=lambda one: one.worth):
            if len(started) < most and not one.channel.busy and self._may(one, now):
                one.channel.busy = True
                started.append((now + LATENCY, one.channel, one.begin(now)))
        return started

    def _may(self, one: Todo, now: float) -> bool:
        """Pay the bot's own pace, then Slack's."""
        buckets = [self._buckets[one.kind]]
        if one.kind is Kind.POSTS:
            buckets.append(self._posts[one.channel.number])
        if not all(bucket.has(now, CLICKS_SHARE if one.kind is Kind.EDITS else 0.0) for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.spend()
        return self.limits.call(one.kind.value, now, one.channel.number)

    def _todo(self, channel: Channel, now: float) -> list[Todo]:
        if self.way == "each":
            return self._each(channel)
        behind = len(channel.own_behind)
        if self.way == "storm" and not channel.in_storm and begins(len(channel.waiting), behind, self.tuning):
            channel.in_storm = True
            for number, since in channel.own_behind.items():
                channel.waiting.setdefault(number, since)
        if not channel.in_storm:
            return self._own(channel, now, channel.waiting)
        pages = [page_state(page, now, self.tuning) for page in channel.pages]
        found = [
            Todo(
                (4 if kind_of(option) is Kind.EDITS else 2, -option.seconds),
                kind_of(option),
                channel,
                self._page_call(channel, option),
            )
            for option in options(
                pages, unseen(channel, now), untold(channel, now), len(channel.old), self.tuning
            )
        ]
        if channel.old:
            found.append(Todo((6, 0), Kind.DELETES, channel, self._delete(channel)))
        return [*found, *self._own(channel, now, channel.own_wanted)]

    def _own(self, channel: Channel, now: float, wanted: dict[int, float]) -> list[Todo]:
        """Messages of their own: the first posts, and the edit that removes most staleness."""
        found = []
        if wanted:
            first = min(wanted, key=lambda number: (not self._plays[number].p1, wanted[number]))
            found.append(
                Todo((3, wanted[first]), Kind.POSTS, channel, self._post_own(channel, first, wanted))
            )
        if channel.own_behind:
            worth = {number: self._own_worth(channel, number, now) for number in channel.own_behind}
            first = min(worth, key=lambda number: worth[number])
            found.append(Todo(worth[first], Kind.EDITS, channel, self._edit_own(channel, first)))
        return found

    def _own_worth(self, channel: Channel, number: int, now: float) -> tuple[float, ...]:
        waited = now - channel.own_behind[number]
        if channel.in_storm:
            waited = own_seconds(waited, self.tuning, in_hand=self._plays[number].p1)
        return (4, -waited)

    def _each(self, channel: Channel) -> list[Todo]:
        """The first event of the channel's queue whose call may be made, in order."""
        if not channel.events:
            return []
        number = channel.events[0]
        kind = Kind.EDITS if number in channel.own else Kind.POSTS

        def begin(now: float) -> End:
            channel.events.pop(0)
            says = {number: channel.own[number].says[number] + 1 if number in channel.own else 1}
            message = channel.own.setdefault(number, Stands(0.0))
            return lambda then: self.readers.stands(message, then, says)

        return [Todo((number,), kind, channel, begin)]

    # ------------------------------------------------------------------------------------------- the calls

    def _post_own(self, channel: Channel, number: int, wanted: dict[int, float]) -> Begin:
        def begin(now: float) -> End:
            del wanted[number]
            says = {number: self.readers.revision[number]}
            message = channel.own[number] = Stands(0.0)

            def end(then: float) -> None:
                self.readers.stands(message, then, says)
                if says[number] < self.readers.revision[number]:
                    channel.own_behind.setdefault(number, now)

            return end

        return begin

    def _edit_own(self, channel: Channel, number: int) -> Begin:
        def begin(now: float) -> End:
            del channel.own_behind[number]
            channel.own_told.discard(number)
            says = {number: self.readers.revision[number]}
            return lambda then: self.readers.stands(channel.own[number], then, says)

        return begin

    def _page_call(self, channel: Channel, option: Option) -> Begin:
        def begin(now: float) -> End:
            del now
            if isinstance(option.call, PostNews):
                return self._tell(channel)
            if isinstance(option.call, EditPage):
                row = option.call.row
                page = next(one for one in channel.pages if one.row == row)
            else:
                page = self._new_page(channel, option.call.absorbs)
            says = {one.number: self.readers.revision[one.number] for one in page.members}
            page.message.says |= {number: 0 for number in says if number not in page.message.says}
            page.behind.clear()
            page.told.clear()
            return lambda then: self.readers.stands(page.message, then, says)

        return begin

    def _tell(self, channel: Channel) -> End:
        """Everything untold, at once: a line of numbers for each state."""
        self.news += 1
        untold = {number for page in channel.pages for number in page.behind if number not in page.told}
        untold |= {number for number in channel.own_behind if number not in channel.own_told}
        for page in channel.pages:
            page.told |= untold & set(page.behind)
        channel.own_told |= untold & set(channel.own_behind)
        says = {number: self.readers.revision[number] for number in untold}
        return lambda then: self.readers.stands(Stands(0.0, is_news=True), then, says)

    def _new_page(self, channel: Channel, absorbs: tuple[int, ...]) -> Page:
        self._rows += 1
        self.pages_made += 1
        page = Page(self._rows, [])
        absorbed = [one for one in channel.pages if one.row in absorbs]
        page.members = [member for one in absorbed for member in one.members]
        channel.pages = [one for one in channel.pages if one.row not in absorbs]
        self._take(channel, page, PAGE_ROOM - sum(used(one) for one in absorbed))
        channel.pages.append(page)
        channel.old += absorbed
        return page

    def _delete(self, channel: Channel) -> Begin:
        def begin(now: float) -> End:
            page = channel.old.pop(0)
            del now
            return lambda then: self.readers.stands(page.message, then, {})

        return begin

    def _take(self, channel: Channel, page: Page, room: int) -> None:
        """The unseen ones go onto the page, the worst first."""
        for number in sorted(
            channel.waiting, key=lambda one: (not self._plays[one].p1, channel.waiting[one])
        ):
            play = self._plays[number]
            room -= play.lengths[0]
            if room < 0 or len(page.members) >= MOST_ROWS:
                return
            del channel.waiting[number]
            page.members.append(play)


# ------------------------------------------------------------------------------------------- the table


@dataclass(frozen=True, slots=True)
class Result:
    """Of one storm. Seconds; calls by method."""

    visible_50: float
    visible_99: float
    worst: float
    mean: float
    after: float
    calls: dict[str, int]
    limited: int
    pages: int
    news: int


def play(
    incidents: int, channels: int, seed: int, *, way: str = "storm", tuning: Tuning | None = None
) -> Result:
    """One storm, to its end."""
    plays = storm(incidents, channels, seed)
    bot = Bot(plays, channels, way=way, tuning=tuning or Tuning())
    bot.run()
    seen = [bot.readers.visible.get(one.number, LONGEST) - one.moments[0] for one in plays]
    return Result(
        visible_50=share(seen, 0.5),
        visible_99=share(seen, 0.99),
        worst=max(bot.readers.stale, default=0.0),
        mean=statistics.fmean(bot.readers.stale) if bot.readers.stale else 0.0,
        after=bot.readers.true_at - bot.last_event,
        calls=dict(bot.limits.calls),
        limited=bot.limits.limited.total(),
        pages=bot.pages_made,
        news=bot.news,
    )


def told(name: str, results: list[Result]) -> str:
    """The worst of the seeds, but for the means."""
    calls = {
        method: round(statistics.fmean(one.calls.get(method, 0) for one in results))
        for method in (Kind.POSTS, Kind.EDITS, Kind.DELETES)
    }
    cells = (
        f"{max(one.visible_50 for one in results):8.1f}",
        f"{max(one.visible_99 for one in results):8.1f}",
        f"{max(one.worst for one in results):8.1f}",
        f"{statistics.fmean(one.mean for one in results):8.1f}",
        f"{max(one.after for one in results):8.1f}",
        "  ".join(f"{calls[method]:6,}" for method in calls),
        f"{sum(one.limited for one in results):4}",
        f"{round(statistics.fmean(one.pages for one in results)):5}",
        f"{round(statistics.fmean(one.news for one in results)):5}",
    )
    return name.ljust(34) + "  ".join(cells)


HEAD = "storm (incidents/channels)".ljust(34) + (
    " vis p50   vis p99     worst      mean     after    posts   edits  deletes  429  pages   news"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.storm", description="The storm table.")
    parser.add_argument("--short", action="store_true", help="one seed, without the simple ways")
    parser.add_argument("--seeds", type=int, default=5)
    short = parser.parse_args()
    seeds = range(1, 2) if short.short else range(1, short.seeds + 1)
    print(HEAD)
    for incidents, channels in STORMS:
        for way, name in (("storm", "pages"), ("whole", "a message each"), ("each", "a call each")):
            if way == "storm" or not short.short:
                results = [play(incidents, channels, seed, way=way) for seed in seeds]
                print(told(f"{incidents}/{channels} {name}", results), flush=True)


if __name__ == "__main__":
    main()
