"""OAuth mode on the switchboard: links are made as bot/accounts/linking.py makes them, pages aside, with
tokens that the fake PagerDuty knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr

from bot.command.parked import Parked
from bot.command.run import Runner
from bot.model import Person, SlackUser
from bot.pagerduty.oauth import Granted
from bot.sandbox.pagerduty.access import Token
from bot.sandbox.pagerduty.server import FakePagerDuty
from bot.store.accounts import AccountStore

ASKED = frozenset(
    {"openid", "users.read", "incidents.read", "incidents.write", "oncalls.read", "services.read"}
)
PERSON_OF = {"U0ALICE": "PALICE1", "U0BOB": "PBOB002", "U0CAROL": "PCAROL3", "U0OLIVE": "POLIVE6"}


@dataclass(frozen=True)
class Offer:
    """What a Link button carries."""

    url: str
    ticket: str


@dataclass
class Offers:
    """Hands out links, and remembers to whom and for which intent."""

    made: list[tuple[SlackUser, int | None]] = field(default_factory=list)

    async def offer(self, user: SlackUser, intent_id: int | None = None, *, seconds: float = 900.0) -> Offer:
        assert seconds > 0
        self.made.append((user, intent_id))
        ticket = f"ticket-{len(self.made)}"
        return Offer(f"https://pager.example.com/pagerduty/link?ticket={ticket}", ticket)


@dataclass
class Links:
    """Who is linked."""

    store: AccountStore
    pagerduty: FakePagerDuty
    offers: Offers = field(default_factory=Offers)

    async def link(
        self, user_id: str, *, scopes: frozenset[str] = ASKED, refresh: str | None = "made-up-refresh"
    ) -> Person:
        """Link somebody to their own PagerDuty user; nobody is told of it."""
        known = self.pagerduty.state.people[PERSON_OF[user_id]]
        person = Person(PERSON_OF[user_id], known.name, known.email)
        token = self.pagerduty.access.issue(
            Token(person.id, scopes, None, delegation=f"consent of {person.id}")
        )
        granted = Granted(SecretStr(token), SecretStr(refresh) if refresh else None, scopes, 86_400.0)
        await self.store.link(SlackUser("T0ACME", user_id), person, granted)
        return person

    async def link_and_tell(self, runner: Runner, user_id: str, *, scopes: frozenset[str] = ASKED) -> None:
        """Link somebody, and let this process know."""
        person = await self.link(user_id, scopes=scopes)
        await Parked(runner).on_linked(SlackUser("T0ACME", user_id), person)
        await runner.tasks.settle()
