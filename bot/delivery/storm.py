"""What is done in a storm, and when it begins and ends. Pure: values in, calls by their worth out.

A channel is in storm when its first posts, or its edits, wait for each other longer than anybody should. Its
incidents then stand on pages (bot/render/storm.py), and three calls keep people right. An *edit* makes a page
true, but edits are scarce (50 a minute in a workspace). A *page post* shows what is new, and may take in the
rows of older pages, which are deleted then. A *news post* tells in a few lines what no edit has shown yet; it
costs a post, which Slack has plenty of, and corrects everything above it. Worth is seconds of staleness
removed by the call. Shared by the loop (bot/delivery/pages.py) and the simulation that fixed the numbers here
(tests/bench/storm.py; docs/storms.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.render.storm import ROOM_FOR_ROWS

FILL = 0.85
"""Of a page's room given to its rows at first: they grow when somebody takes them."""
PAGE_ROOM = int(ROOM_FOR_ROWS * FILL)
"""Characters of open rows, as `row_length` counts them, that a page is given."""
OPEN_ROW, RESOLVED_ROW = 150, 70
"""Characters a row takes, as real ones do on average; where they are longer, a page shortens its titles."""
MOST_ROWS = 75
"""Rows on a page, however short: the plain text has to name them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """When a storm begins and ends, and how calls are weighed. Seconds."""

    enter_waiting: int = 10  # first posts that wait in one channel: about ten seconds of Slack's pace
    enter_behind: int = 30  # messages of one channel that show something old: most of a minute of edits
    calm: float = 120.0  # without a page to write: then what is open gets its own message
    gather: float = 3.0  # an incident waits so long for others, then a page goes out with what there is
    news_after: float = 30.0  # a change that no edit has shown by then is told in a news post
    move_after: float = 90.0  # a page no edit has reached by then is posted anew
    told_weight: float = 0.2  # an untrue row that a news post has corrected, beside one that nothing has
    most_old: int = 2  # pages of a channel that were moved and wait to be deleted
    unseen_weight: float = 4.0  # a second nobody can see an incident weighs more than one with an old state
    own_weight: float = 3.0  # the same for the own message of a P1 or of one that a person has in hand
    after_each: float = 3.0  # seconds between own messages when it is calm again


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """A page that stands in the channel: the room its rows take, and how untrue it is.

    `stale`: seconds its rows have been untrue, summed, with what a news post corrected counting little;
    `oldest`: those of the oldest row; 0: all true.
    """

    row: int
    used: int
    rows: int
    stale: float = 0.0
    oldest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Incidents of the channel that stand on no page yet: the room they take together, how long they have
    waited (seconds, summed and the longest).
    """

    rows: int = 0
    used: int = 0
    waited: float = 0.0
    longest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """Changes that neither an edit nor a news post has told yet: seconds, summed and the longest."""

    waited: float = 0.0
    longest: float = 0.0


@dataclass(frozen=True, slots=True)
class EditPage:
    """Write what the page's rows are now."""

    row: int


@dataclass(frozen=True, slots=True)
class PostPage:
    """Post a page below everything: with the rows of those it absorbs, which are deleted once it stands, and
    with the unseen ones, the worst first, as many as it takes.
    """

    absorbs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PostNews:
    """Post what changed and is not told yet, in a few lines: it corrects every message above it at once."""


PageCall = EditPage | PostPage | PostNews


@dataclass(frozen=True, slots=True)
class Option:
    """A call that would help: `seconds` of staleness it removes."""

    call: PageCall
    seconds: float


def options(
    pages: Sequence[PageState], unseen: Unseen, untold: Untold, old: int, tuning: Tuning
) -> list[Option]:
    """What may be done for the channel, the most worthwhile first. `old` pages are still to be deleted.

    Which of them can be done now is a matter of pace: whoever asks takes the first that Slack allows.
    """
    behind = sorted((page for page in pages if page.stale > 0), key=lambda page: -page.stale)
    found = [Option(EditPage(page.row), page.stale) for page in behind]
    if unseen.rows and (unseen.longest >= tuning.gather or unseen.used >= PAGE_ROOM):
        absorbed = _absorbed(behind, pages, unseen, tuning.most_old - old)
        seconds = unseen.waited * tuning.unseen_weight + sum(page.stale for page in absorbed)
        found.append(Option(PostPage(tuple(page.row for page in absorbed)), seconds))
    elif old < tuning.most_old and any(page.oldest >= tuning.move_after for page in behind):
        absorbed = _absorbed(behind, pages, unseen, tuning.most_old - old)
        if absorbed:
            seconds = sum(page.stale for page in absorbed)
            found.append(Option(PostPage(tuple(page.row for page in absorbed)), seconds))
    if untold.longest >= tuning.news_after:
        found.append(Option(PostNews(), untold.waited))
    return sorted(found, key=lambda option: (-option.seconds, not isinstance(option.call, EditPage)))


def _absorbed(
    behind: Sequence[PageState], pages: Sequence[PageState], unseen: Unseen, most: int
) -> list[PageState]:
    """The pages that fit beside the unseen ones: the most untrue first, then small ones that are true."""
    room, rows = PAGE_ROOM - min(unseen.used, PAGE_ROOM), MOST_ROWS - min(unseen.rows, MOST_ROWS)
    small = sorted((page for page in pages if page.stale <= 0), key=lambda page: page.used)
    found: list[PageState] = []
    for page in [*behind, *small]:
        if len(found) < most and page.used <= room and page.rows <= rows:
            room, rows = room - page.used, rows - page.rows
            found.append(page)
    return found


def fits(absorbed: Sequence[PageState]) -> int:
    """How many unseen ones a page takes beside the rows of those it absorbs."""
    room = (PAGE_ROOM - sum(page.used for page in absorbed)) // OPEN_ROW
    return max(0, min(room, MOST_ROWS - sum(page.rows for page in absorbed)))


def own_seconds(waited: float, tuning: Tuning, *, in_hand: bool) -> float:
    """What the edit of an incident's own message weighs in a storm, after so many seconds of being untrue.
    `in_hand`: a P1, or a person has it in hand; of the others a page below tells the truth already.
    """
    return waited * (tuning.own_weight if in_hand else tuning.told_weight)


def begins(waiting: int, behind: int, tuning: Tuning) -> bool:
    """Whether a channel goes into storm: so many first posts wait in it, so many messages are out of date."""
    return waiting >= tuning.enter_waiting or behind >= tuning.enter_behind


def ends(*, untrue: int, unseen: int, alone: int) -> bool:
    """Whether it is over: everything on its pages is true, and `alone`, the open incidents without a message
    of their own, is none. It begins at many and ends at none: it does not flutter.
    """
    return untrue == 0 and unseen == 0 and alone == 0
