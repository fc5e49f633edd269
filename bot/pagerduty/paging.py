"""PagerDuty's lists, page by page: by offset (most) and by cursor ("Pagination" in its REST pages)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from bot.pagerduty.fields import mapping, objects, text, whole
from bot.pagerduty.paths import path_template
from bot.pagerduty.wire import Param, Params

PAGE = 100  # entries; the largest `limit` of most lists
DEEPEST = 10_000  # offset + limit beyond this is refused

log = structlog.get_logger("pagerline.pagerduty")


class Answered(Protocol):
    """An answer: its JSON, and when its request went out."""

    @property
    def data(self) -> Any: ...
    @property
    def sent_at(self) -> datetime: ...


class Get(Protocol):
    """Asks for a path with a query."""

    async def __call__(self, path: str, params: Params) -> Answered: ...


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `total` only where `total=true` was asked for."""

    items: tuple[Mapping[str, Any], ...]
    more: bool
    total: int | None
    sent_at: datetime


async def one_page(
    get: Get, path: str, key: str, params: Params, *, offset: int = 0, limit: int = PAGE
) -> Page:
    """The page that begins at `offset`."""
    answer = await get(path, {**params, "limit": limit, "offset": offset})
    data = mapping(answer.data)
    items = tuple(objects(data.get(key)))
    return Page(items, data.get("more") is True, whole(data.get("total")), answer.sent_at)


async def pages(get: Get, path: str, key: str, params: Params, *, limit: int = PAGE) -> AsyncIterator[Page]:
    """Every page by offset; each entry once, because the list shifts while it is read."""
    seen: set[str] = set()
    for offset in range(0, DEEPEST - limit + 1, limit):
        page = await one_page(get, path, key, params, offset=offset, limit=limit)
        yield Page(_fresh(page.items, seen), page.more, page.total, page.sent_at)
        if not page.more:
            return
    log.warning("pagerduty_list_too_long", path=path_template(path), read=DEEPEST)


async def cursor_pages(get: Get, path: str, key: str, params: Params) -> AsyncIterator[Page]:
    """Every page by `next_cursor`."""
    seen: set[str] = set()
    used: set[str] = set()
    asked: dict[str, Param] = {"limit": PAGE, **params}
    while True:
        answer = await get(path, asked)
        data = mapping(answer.data)
        cursor = text(data.get("next_cursor"))
        more = cursor is not None and cursor not in used
        yield Page(_fresh(tuple(objects(data.get(key))), seen), more, None, answer.sent_at)
        if cursor is None or not more:
            return
        used.add(cursor)
        asked["cursor"] = cursor


def _fresh(items: tuple[Mapping[str, Any], ...], seen: set[str]) -> tuple[Mapping[str, Any], ...]:
    """Those no earlier page had; what has no id (on-call entries) is told apart by whoever reads it."""
    kept = []
    for item in items:
        id_ = item.get("id")
        if isinstance(id_, str):
            if id_ in seen:
                continue
            seen.add(id_)
        kept.append(item)
    return tuple(kept)
