"""Which secrets a delivery may be signed with: the settings', and sealed ones as they come and go."""

from __future__ import annotations

from pydantic import SecretStr

from bot.inbound.pagerduty import PATH
from bot.inbound.secrets import FRESH_SECONDS, LOOK_GAP, Secrets
from tests.inbound.doors import serving
from tests.inbound.webhook_door import WRONG, Door, signed, told


class Shelf:
    """Sealed secrets that change, and how often they were asked for."""

    def __init__(self) -> None:
        self.sealed: list[str] = []
        self.looks = 0
        self.clock = 0.0

    async def all(self) -> list[SecretStr]:
        self.looks += 1
        return [SecretStr(one) for one in self.sealed]

    def secrets(self) -> Secrets:
        return Secrets([SecretStr("fixed")], self.all, clock=lambda: self.clock)


async def test_both_kinds_count_while_two_live() -> None:
    shelf = Shelf()
    secrets = shelf.secrets()
    assert await secrets.now() == ("fixed",)
    shelf.sealed = ["new"]
    assert await secrets.newer() == ()  # looked a moment ago
    shelf.clock += LOOK_GAP
    assert await secrets.newer() == ("new",)
    assert await secrets.now() == ("fixed", "new")


async def test_a_forgotten_one_counts_no_more_within_a_minute() -> None:
    shelf = Shelf()
    shelf.sealed = ["old"]
    secrets = shelf.secrets()
    assert await secrets.now() == ("fixed", "old")
    shelf.sealed = []
    assert await secrets.now() == ("fixed", "old")
    shelf.clock += FRESH_SECONDS
    assert await secrets.now() == ("fixed",)


async def test_without_a_store_the_settings_count() -> None:
    secrets = Secrets([SecretStr("fixed")])
    assert (await secrets.now(), await secrets.newer()) == (("fixed",), ())


async def test_a_sealed_secret_opens_the_door_and_strangers_make_no_work() -> None:
    door = Door(sealed=["sealed in the store"])
    async with serving(("POST", PATH, door.handler().__call__)) as door.origin:
        headers = {"X-PagerDuty-Signature": signed(told(), "sealed in the store")}
        assert (await door.post(told(), headers))[0] == 202
        for _ in range(20):
            assert (await door.post(told(), {"X-PagerDuty-Signature": WRONG}))[0] == 503
            assert (await door.post(told(), {}))[0] == 401
    assert door.looks <= 3
