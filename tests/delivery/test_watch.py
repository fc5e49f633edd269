"""Whether PagerDuty still tells us: what is switched on again, what is explained, and how often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from bot.delivery.watch import FLAPPING, State, Trouble, Watch, judge
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import AccountKey
from bot.pagerduty.http import PagerDutyHttp, open_session
from bot.pagerduty.subscriptions import webhook_subscription
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme
from bot.store.database import Database
from bot.store.leases import Leases
from bot.store.notices import Notices
from tests.store.seeding import opened

URL = "https://pager.acme.example/pagerduty/webhook"


@dataclass
class Told:
    """The admins, who remember what they were told."""

    notices: Notices
    heard: list[str] = field(default_factory=list)

    async def tell_once(self, key: str, text: str) -> None:
        if await self.notices.claim(key):
            await self.tell(text)

    async def tell(self, text: str) -> None:
        self.heard.append(text)

    async def settle(self, key: str, *, after: float = 0.0) -> bool:
        return await self.notices.drop(key, older_than=after)


@dataclass
class Scene:
    database: Database
    fake: FakePagerDuty
    client: PagerDuty
    admins: Told
    healed: int = 0
    known: frozenset[str] = frozenset()

    def watch(self, holder: str = "first", url: str | None = URL) -> Watch:
        async def heard_from() -> frozenset[str]:
            return self.known

        return Watch(
            self.client,
            Leases(self.database, holder),
            self.admins,
            url=url,
            heard_from=heard_from,
            heal=self.heal,
        )

    def heal(self) -> None:
        self.healed += 1

    async def look(self) -> State | None:
        """A period later."""
        self.database.clock_offset += 60
        return await self.watch().once()


@pytest.fixture
async def scene(sqlite_url: str) -> AsyncIterator[Scene]:
    fake = FakePagerDuty(acme())
    await fake.start()
    async with opened(sqlite_url) as database, open_session() as session:
        client = PagerDuty(PagerDutyHttp(session, fake.origin), AccountKey(SecretStr(fake.api_key)))
        yield Scene(database, fake, client, Told(Notices(database)))
    await fake.stop()


async def test_while_all_is_well_nobody_is_told(scene: Scene) -> None:
    scene.fake.subscribe_webhook(URL)
    assert await scene.look() == State()
    assert scene.admins.heard == []
    assert scene.healed == 0


async def test_what_pagerduty_disabled_is_switched_on_again_and_told_once_each_way(scene: Scene) -> None:
    id_, _ = scene.fake.subscribe_webhook(URL)
    scene.fake.webhooks.disable(scene.fake.subscription(id_))
    state = await scene.look()
    assert state == State(Trouble.REFUSED, (id_,))
    (subscription,) = await scene.client.webhook_subscriptions()
    assert not subscription.is_disabled
    assert scene.healed == 1
    assert await scene.look() == State()
    assert len(scene.admins.heard) == 1  # it may be refused again any moment
    assert "switched them on again" in scene.admins.heard[0]
    scene.database.clock_offset += FLAPPING
    assert await scene.look() == State()
    assert len(scene.admins.heard) == 2
    assert "again" in scene.admins.heard[1]
    assert scene.healed == 2
    await scene.look()
    assert len(scene.admins.heard) == 2


async def test_a_missing_one_is_explained_once_and_its_return_heals(scene: Scene) -> None:
    scene.fake.subscribe_webhook("https://other.example/hook")
    for _ in range(2):
        assert await scene.look() == State(Trouble.MISSING)
    (told,) = scene.admins.heard
    assert URL in told
    assert "Create one" in told
    scene.fake.subscribe_webhook(URL)
    assert await scene.look() == State()
    assert len(scene.admins.heard) == 2
    assert scene.healed == 1


async def test_a_replica_that_comes_late_leaves_it_to_the_other(scene: Scene) -> None:
    scene.fake.subscribe_webhook(URL)
    assert await scene.watch("first").once() == State()
    assert await scene.watch("second").once() is None


async def test_without_a_public_url_ours_is_known_by_what_it_sent(scene: Scene) -> None:
    id_, _ = scene.fake.subscribe_webhook("https://anywhere.example/pagerduty/webhook")
    scene.known = frozenset({id_})
    scene.database.clock_offset += 60
    assert await scene.watch(url=None).once() == State()


@pytest.mark.parametrize(
    ("subscriptions", "state"),
    [
        ([], State(Trouble.MISSING)),
        ([{"id": "P1", "active": True, "delivery_method": {"url": URL}}], State()),
        ([{"id": "P1", "active": False, "delivery_method": {"url": URL}}], State(Trouble.SWITCHED_OFF)),
        ([{"id": "P1", "delivery_method": None}], State(Trouble.MISSING)),
        (
            [
                {"id": "P1", "active": False, "delivery_method": {"url": URL}},
                {"id": "P2", "active": True, "delivery_method": {"url": URL}},
            ],
            State(),
        ),
        (
            [
                {"id": "P1", "delivery_method": {"url": URL, "temporarily_disabled": True}},
                {"id": "P2", "active": True, "delivery_method": {"url": URL}},
            ],
            State(Trouble.REFUSED, ("P1",)),
        ),
    ],
)
def test_what_is_wrong(subscriptions: list[dict[str, object]], state: State) -> None:
    found = [one for body in subscriptions if (one := webhook_subscription(body))]
    assert judge(found, url=URL, heard_from=frozenset()) == state
