"""Lists page by page: all of it, each entry once, and never past what PagerDuty allows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.pagerduty.paging import Page, cursor_pages, one_page, pages
from bot.pagerduty.wire import Params

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    data: Any
    sent_at: datetime = NOON


@dataclass
class Source:
    """Answers as `answer` says, and remembers what it was asked."""

    answer: Callable[[dict[str, Any]], Any]
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, path: str, params: Params) -> Told:
        self.asked.append(dict(params))
        return Told(self.answer(dict(params)))


def things(count: int) -> list[dict[str, str]]:
    return [{"id": f"P{number}"} for number in range(count)]


def listing(entries: list[Any]) -> Callable[[dict[str, Any]], Any]:
    def answer(asked: dict[str, Any]) -> Any:
        offset, limit = asked["offset"], asked["limit"]
        part = entries[offset : offset + limit]
        total = len(entries) if asked.get("total") else None
        return {"things": part, "more": offset + limit < len(entries), "total": total}

    return answer


async def ids(found: AsyncIterator[Page]) -> list[str]:
    return [item["id"] async for page in found for item in page.items]


async def test_a_page_has_a_hundred_and_the_last_one_says_so() -> None:
    source = Source(listing(things(250)))
    assert await ids(pages(source, "/things", "things", {"query": "x"})) == [f"P{n}" for n in range(250)]
    assert [one["offset"] for one in source.asked] == [0, 100, 200]
    assert all(one["limit"] == 100 and one["query"] == "x" for one in source.asked)


async def test_an_entry_that_moved_to_the_next_page_counts_once() -> None:
    shifted = [*things(100), {"id": "P99"}, {"id": "P100"}]
    assert await ids(pages(Source(listing(shifted)), "/things", "things", {})) == [
        f"P{n}" for n in range(101)
    ]


async def test_entries_without_an_id_all_come_through() -> None:
    source = Source(listing([{"user": 1}, {"user": 1}]))
    found = [page async for page in pages(source, "/oncalls", "things", {})]
    assert found[0].items == ({"user": 1}, {"user": 1})


async def test_it_stops_before_pagerduty_refuses() -> None:
    source = Source(listing(things(20_000)))
    assert len(await ids(pages(source, "/things", "things", {}))) == 10_000
    assert max(one["offset"] + one["limit"] for one in source.asked) == 10_000


async def test_one_page_tells_the_total_when_it_is_asked_for() -> None:
    page = await one_page(
        Source(listing(things(250))), "/things", "things", {"total": True}, offset=200, limit=20
    )
    assert len(page.items) == 20
    assert (page.more, page.total, page.sent_at) == (True, 250, NOON)


async def test_strange_answers_are_empty_pages() -> None:
    strange: Any
    for strange in (None, [], "x", {}, {"things": None}, {"things": "x", "more": "yes", "total": True}):
        found = [page async for page in pages(Source(lambda _, s=strange: s), "/things", "things", {})]  # type: ignore[misc]
        assert [(page.items, page.more, page.total) for page in found] == [((), False, None)]


async def test_a_cursor_is_followed_to_its_end() -> None:
    answers = {
        None: {"things": things(2), "next_cursor": "b"},
        "b": {"things": [{"id": "P1"}, {"id": "P2"}], "next_cursor": None},
    }
    source = Source(lambda asked: answers[asked.get("cursor")])
    assert await ids(cursor_pages(source, "/things", "things", {})) == ["P0", "P1", "P2"]


async def test_a_cursor_that_goes_round_in_circles_ends() -> None:
    source = Source(lambda _: {"things": things(1), "next_cursor": "again"})
    assert await ids(cursor_pages(source, "/things", "things", {})) == ["P0"]
    assert len(source.asked) == 2
