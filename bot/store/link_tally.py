"""How the links of everybody stand, in numbers: for `python -m bot check`. Opens no token but to see whether
it opens.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Double, func, select, type_coerce

from bot.store.database import Database
from bot.store.people_tables import accounts
from bot.store.sealing import Sealer, Unsealable


@dataclass(frozen=True, slots=True)
class LinkTally:
    """People, over all workspaces. `fading` of the `linked` will have to link again soon, `unreadable` ones
    at once: no key opens their tokens.
    """

    linked: int
    ended: int
    fading: int
    unreadable: int


async def tally_links(database: Database, sealer: Sealer | None, *, soon: float, idle: float) -> LinkTally:
    """`soon` (seconds): an access token that nothing can renew and that ends within them fades; `idle`: so
    does one that was not renewed for so long. Without a sealer nothing is tried. Raises StoreUnavailable.
    """
    now = database.now_sql()
    renewed = type_coerce(func.coalesce(accounts.c.refreshed_at, accounts.c.linked_at), Double)
    ends = type_coerce(accounts.c.expires_at, Double)
    query = select(
        accounts.c.access_token,
        (accounts.c.refresh_token.is_(None) & (ends < now + soon)).label("runs_out"),
        (renewed < now - idle).label("is_idle"),
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    living = [row for row in rows if row.access_token is not None]
    return LinkTally(
        linked=len(living),
        ended=len(rows) - len(living),
        fading=sum(1 for row in living if row.runs_out or row.is_idle),
        unreadable=sum(1 for row in living if sealer is not None and not _opens(sealer, row.access_token)),
    )


async def granted_scopes(database: Database) -> frozenset[str]:
    """What the living tokens carry, all together. Raises StoreUnavailable."""
    query = select(accounts.c.scopes).where(accounts.c.access_token.is_not(None)).distinct()
    async with database.read() as connection:
        rows = (await connection.execute(query)).scalars().all()
    return frozenset(scope for row in rows for scope in row.split())


def _opens(sealer: Sealer, sealed: str) -> bool:
    try:
        sealer.open(sealed)
    except Unsealable:
        return False
    return True
