"""A process that delivers, as the tests of turns drive it by hand."""

from __future__ import annotations

from bot.model import Channel
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.messages import Messages
from bot.store.outcomes import Outcomes
from bot.store.pace import Pace, PaceLimits
from bot.store.rows import Message, ThreadLine
from bot.store.turns import NotNow, Turn, Turns
from tests.store.seeding import CHECKOUT

LEASE = 15.0
SETTLED = 20.0


class Replica:
    """One process that delivers."""

    def __init__(self, database: Database, name: str = "us", limits: PaceLimits | None = None) -> None:
        leases = Leases(database, name)
        self.messages = Messages(database)
        self.turns = Turns(database, leases, Pace(database, limits), lease_seconds=LEASE)
        self.outcomes = Outcomes(database, leases)

    async def message(self, channel: Channel = CHECKOUT) -> Message:
        """The due message of the channel."""
        found = [one.message for one in await self.messages.due(SETTLED) if one.message.channel == channel]
        return found[0]

    async def line(self) -> ThreadLine:
        return (await self.messages.due_lines(SETTLED))[0]

    async def posting(self, channel: Channel = CHECKOUT) -> Turn:
        return a_turn(await self.turns.begin_post(await self.message(channel)))


def a_turn(begun: Turn | NotNow | None) -> Turn:
    assert isinstance(begun, Turn)
    return begun
