"""One transaction for everything that waited while the last one committed.

A commit costs the same for one item as for fifty, so the accept paths (webhooks, readings, intents) hand
their items in here and get their answer after the commit. A group says how its items are taken, several at
once, and what becomes of an item that cannot be.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.outages import outage, until_no_deadlock

MOST = 200  # items in one transaction

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result = TypeVar("Result")

log = structlog.get_logger(__name__)


class Group(Protocol[Item_contra, Result]):
    """How items of one kind are saved. `take` and `rescue` are plain functions on a plain connection (see
    `Database.transact`), and may run in another thread: they touch the database and nothing else of ours.
    """

    def take(self, connection: Connection, items: Sequence[Item_contra]) -> Sequence[Result]:
        """Save these; one result for each, in their order. May be called again with the same items."""

    def rescue(self, connection: Connection, item: Item_contra, error: Exception) -> Result:
        """`take` of this item alone raised `error`: save what can be saved, or raise the item's answer."""

    def committed(self, items: Sequence[Item_contra], results: Sequence[Result]) -> None:
        """They are on disk: give hints. Must not fail."""


@dataclass(slots=True)
class _Job:
    group: Group[Any, Any]
    item: Any
    answer: asyncio.Future[Any]


class Batcher:
    """`observe` is told the size and the seconds of each commit. Lives on one event loop."""

    def __init__(
        self,
        database: Database,
        *,
        observe: Callable[[int, float], None] = lambda _size, _seconds: None,
        most: int = MOST,
    ) -> None:
        self._database = database
        self._observe = observe
        self._most = most
        self._waiting: list[_Job] = []
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, group: Group[Item, Result], item: Item) -> Result:
        """Returns once the item is committed. Raises StoreUnavailable, or what `rescue` raised."""
        if self._closed:
            raise StoreUnavailable("Shutting down: nothing new is taken.")
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(group, item, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="batcher")
        return await answer

    async def close(self) -> None:
        """Commits what was handed in, and takes nothing more."""
        self._closed = True
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        while self._waiting:
            jobs, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            began = time.perf_counter()
            try:
                await self._commit(jobs)
            except BaseException as error:
                # Whoever waits must hear of it, whatever it is.
                _refuse(jobs, StoreUnavailable(f"The batch was interrupted: {type(error).__name__}"))
                raise
            self._observe(len(jobs), time.perf_counter() - began)

    async def _commit(self, jobs: Sequence[_Job]) -> None:
        try:
            try:
                answers = await self._run(_together, jobs)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  any failure of one item must not fail the others
                if len(jobs) > 1:
                    log.warning("batch_replayed_singly", items=len(jobs), error=type(error).__name__)
                answers = await self._run(_singly, jobs)
        except StoreUnavailable as away:
            _refuse(jobs, away)
            return
        _answer(jobs, answers)

    async def _run(
        self, save: Callable[[Connection, Sequence[_Job]], list[Any]], jobs: Sequence[_Job]
    ) -> list[Any]:
        return await until_no_deadlock(
            lambda: self._database.transact(lambda connection: save(connection, jobs))
        )


def _together(connection: Connection, jobs: Sequence[_Job]) -> list[Any]:
    answers: dict[int, Any] = {}
    for group, members in _by_group(jobs):
        results = group.take(connection, [job.item for job in members])
        answers.update(zip(map(id, members), results, strict=True))
    return [answers[id(job)] for job in jobs]


def _singly(connection: Connection, jobs: Sequence[_Job]) -> list[Any]:
    answers: list[Any] = []
    for job in jobs:
        try:
            with connection.begin_nested():
                answers.extend(job.group.take(connection, [job.item]))
        except Exception as error:
            if outage(error):
                raise
            answers.append(_rescued(connection, job, error))
    return answers


def _rescued(connection: Connection, job: _Job, error: Exception) -> Any:
    try:
        with connection.begin_nested():
            return job.group.rescue(connection, job.item, error)
    except Exception as final:
        if outage(final):
            raise
        return _Raised(final)


@dataclass(frozen=True, slots=True)
class _Raised:
    """An answer that is an exception."""

    error: Exception


def _by_group(jobs: Sequence[_Job]) -> list[tuple[Group[Any, Any], list[_Job]]]:
    groups: dict[int, tuple[Group[Any, Any], list[_Job]]] = {}
    for job in jobs:
        groups.setdefault(id(job.group), (job.group, []))[1].append(job)
    return list(groups.values())


def _answer(jobs: Sequence[_Job], answers: Sequence[Any]) -> None:
    results = {id(job): answer for job, answer in zip(jobs, answers, strict=True)}
    for group, members in _by_group(jobs):
        saved = [job for job in members if not isinstance(results[id(job)], _Raised)]
        group.committed([job.item for job in saved], [results[id(job)] for job in saved])
    for job in jobs:
        answer = results[id(job)]
        if job.answer.done():  # whoever asked is gone; what they asked is done all the same
            continue
        if isinstance(answer, _Raised):
            job.answer.set_exception(answer.error)
        else:
            job.answer.set_result(answer)


def _refuse(jobs: Sequence[_Job], error: StoreUnavailable) -> None:
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(error)
