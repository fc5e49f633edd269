"""Which of the driver's many errors mean "the database cannot take or tell anything right now".

bot/store/database.py turns those into StoreUnavailable at its border; every other error is about what we
sent, and stays itself. SQLSTATE classes: PostgreSQL's documentation, appendix A.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from asyncpg.exceptions import ClientConfigurationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.errors import StoreUnavailable

DEADLOCK_STATES = frozenset({"40P01", "40001"})
# Connection, authorisation, no such database, killed by a timeout, resources, intervention, system.
AWAY_CLASSES = ("08", "28", "3D", "25P0", "53", "55P03", "57", "58")
MESSAGE_LENGTH = 200
DEADLOCK_TRIES = 6
DEADLOCK_PAUSE = 0.02  # seconds; doubled each time, with full jitter

Result = TypeVar("Result")

OUTAGES = (DBAPIError, OSError, TimeoutError, PoolTimeoutError)
"""What `outage` has a say in."""


class Deadlocked(StoreUnavailable):
    """The transaction was rolled back because of another one: the same again may well succeed at once."""


async def until_no_deadlock(transaction: Callable[[], Awaitable[Result]]) -> Result:
    """Runs the whole transaction again when it lost against another one. Raises Deadlocked after the last
    time.
    """
    for tried in range(DEADLOCK_TRIES - 1):
        try:
            return await transaction()
        except Deadlocked:
            await asyncio.sleep(random.uniform(0, DEADLOCK_PAUSE * 2**tried))
    return await transaction()


def outage(error: BaseException) -> StoreUnavailable | None:
    """What the error means when it is about the database; None when it is about what we sent."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state in DEADLOCK_STATES:
            return Deadlocked(_words(error))
        if error.connection_invalidated or state.startswith(AWAY_CLASSES) or _is_operational(error):
            return StoreUnavailable(_words(error))
        return None
    return StoreUnavailable(_words(error)) if isinstance(error, OUTAGES) else None


def _is_operational(error: DBAPIError) -> bool:
    if isinstance(error, InterfaceError):
        # asyncpg reports an argument it cannot encode with the same class as a connection that is closed,
        # or settings of the connection that it cannot follow.
        cause = error.orig and error.orig.__cause__
        return isinstance(cause, ClientConfigurationError) or not isinstance(cause, ValueError)
    return isinstance(error, OperationalError)


def _words(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    first = (str(cause).strip().splitlines() or [""])[0]
    # SQLAlchemy's adapter puts the driver's class in front: "<class '...'>: words".
    words = first.rpartition(">: ")[2][:MESSAGE_LENGTH] or type(cause).__name__
    return f"The database cannot be used right now: {words}"
