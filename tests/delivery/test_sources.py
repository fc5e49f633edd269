"""The list of PagerDuty's addresses: fetched by one replica, known to all, and never replaced by nonsense."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bot.delivery.sources import PublishedSources
from bot.errors import PagerDutyFailure
from bot.pagerduty.http import open_session
from bot.pagerduty.safelist import SNAPSHOT, Network, fetch, networks, words
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.notices import Notices
from bot.store.safelists import Safelists
from tests.store.seeding import opened

HOUR = 3600.0


@dataclass
class Told:
    """The admins, who remember what they were told, unless they are `away`."""

    notices: Notices
    heard: list[str] = field(default_factory=list)
    away: bool = False

    async def tell_once(self, key: str, text: str) -> bool:
        if self.away:
            return False
        if await self.notices.claim(key):
            self.heard.append(text)
        return True

    async def settle(self, key: str, *, after: float = 0.0) -> bool:
        return await self.notices.drop(key, older_than=after)


class Scene:
    """A PagerDuty that publishes, and replicas that fetch."""

    def __init__(self, database: Database, fake: FakePagerDuty) -> None:
        self.database = database
        self.fake = fake
        self.admins = Told(Notices(database))

    def replica(self, holder: str = "first") -> PublishedSources:
        async def published() -> tuple[Network, ...]:
            async with open_session() as session:
                return await fetch(session, self.fake.origin, "webhooks", "us")

        return PublishedSources(
            published,
            Safelists(self.database),
            Leases(self.database, holder),
            self.admins,
            region="us",
            seconds=HOUR,
        )

    async def later(self, replica: PublishedSources) -> tuple[str, ...]:
        """What the replica knows a period later."""
        self.database.clock_offset += HOUR
        await replica.once()
        return words(replica.networks())


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    fake = FakePagerDuty(acme())
    await fake.start()
    async with opened(database_url) as database:
        yield Scene(database, fake)
    await fake.stop()


async def test_until_the_first_was_fetched_the_list_in_the_code_counts(scene: Scene) -> None:
    replica = scene.replica()
    assert replica.networks() == networks(SNAPSHOT["us"])
    scene.fake.safelists.say("<html>Maintenance</html>")
    with pytest.raises(PagerDutyFailure, match="no list of addresses"):
        await replica.once()
    assert replica.networks() == networks(SNAPSHOT["us"])


async def test_a_change_is_taken_over_and_the_admins_are_told_once(scene: Scene) -> None:
    lists, first, second = scene.fake.safelists, scene.replica(), scene.replica("second")
    lists.publish(["192.0.2.7", "192.0.2.8"])
    assert await scene.later(first) == ("192.0.2.7", "192.0.2.8")
    assert scene.admins.heard == []  # nothing was known before
    lists.publish(["192.0.2.8", "2001:db8::/48"])
    assert await scene.later(second) == ("192.0.2.8", "2001:db8::/48")
    assert await scene.later(first) == ("192.0.2.8", "2001:db8::/48")
    (told,) = scene.admins.heard
    assert "New: 2001:db8::/48. Gone: 192.0.2.7." in told
    assert "python -m bot safelist" in told
    lists.publish(["192.0.2.7", "192.0.2.8"])
    await scene.later(first)
    assert len(scene.admins.heard) == 2  # back again is a change too


async def test_a_change_that_reached_nobody_counts_and_is_told_later(scene: Scene) -> None:
    lists, first, second = scene.fake.safelists, scene.replica(), scene.replica("second")
    lists.publish(["192.0.2.7"])
    await scene.later(first)
    scene.admins.away = True
    lists.publish(["192.0.2.8"])
    assert await scene.later(first) == ("192.0.2.8",)
    assert await scene.later(second) == ("192.0.2.8",)
    lists.publish(["192.0.2.9"])
    await scene.later(first)
    scene.admins.away = False
    await scene.replica("restarted").once()  # no period passes before the next try
    await second.once()
    (told,) = scene.admins.heard
    assert "New: 192.0.2.9. Gone: 192.0.2.7." in told
    await scene.later(first)
    assert len(scene.admins.heard) == 1


async def test_nobody_is_told_of_what_was_taken_back_before_they_were_reached(scene: Scene) -> None:
    lists, replica = scene.fake.safelists, scene.replica()
    lists.publish(["192.0.2.7"])
    await scene.later(replica)
    scene.admins.away = True
    lists.publish(["192.0.2.8"])
    assert await scene.later(replica) == ("192.0.2.8",)
    lists.publish(["192.0.2.7"])
    scene.admins.away = False
    assert await scene.later(replica) == ("192.0.2.7",)
    assert scene.admins.heard == []


async def test_one_replica_fetches_each_period_and_the_others_read(scene: Scene) -> None:
    scene.fake.safelists.publish(["192.0.2.7"])
    replicas = [scene.replica(str(number)) for number in range(4)]
    for replica in replicas:
        await replica.once()
    assert scene.fake.safelists.asked == 1
    assert {words(replica.networks()) for replica in replicas} == {("192.0.2.7",)}
    assert words(scene.replica("restarted").networks()) != ("192.0.2.7",)


@pytest.mark.parametrize("nonsense", ["[]", "", "<html>Sign in</html>", '["0.0.0.0/0"]'])
async def test_nonsense_is_never_applied(scene: Scene, nonsense: str) -> None:
    scene.fake.safelists.publish(["192.0.2.7"])
    replica = scene.replica()
    await scene.later(replica)
    scene.fake.safelists.say(nonsense)
    with pytest.raises(PagerDutyFailure):
        await scene.later(replica)
    assert words(replica.networks()) == ("192.0.2.7",)
    assert await Safelists(scene.database).get("us") == ("192.0.2.7",)
    assert scene.admins.heard == []
    scene.fake.safelists.publish(["192.0.2.9"])
    await replica.once()  # the lease was given back: no period passes before the next try
    assert words(replica.networks()) == ("192.0.2.9",)


async def test_a_fetch_that_fails_keeps_what_another_replica_had(scene: Scene) -> None:
    scene.fake.safelists.publish(["192.0.2.7"])
    await scene.later(scene.replica())
    await scene.fake.stop()
    other = scene.replica("other")
    with pytest.raises(PagerDutyFailure, match="did not answer"):
        await scene.later(other)
    assert words(other.networks()) == ("192.0.2.7",)
