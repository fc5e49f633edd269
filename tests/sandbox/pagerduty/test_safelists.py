"""The fake's published lists: this machine at first, then what a test says, and no key asked for."""

from __future__ import annotations

import json

import aiohttp

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.world import acme


async def test_lists_are_served_by_kind_and_region() -> None:
    fake = FakePagerDuty(acme())
    await fake.start()
    try:
        async with aiohttp.ClientSession(f"{fake.origin}/ip-safelists/") as session:

            async def answer(name: str) -> tuple[int, str]:
                async with session.get(name) as got:
                    return got.status, await got.text()

            status, text = await answer("webhooks-us-service-region-json")
            assert (status, json.loads(text)) == (200, ["127.0.0.1"])
            fake.safelists.publish(["192.0.2.7"], region="eu")
            assert json.loads((await answer("webhooks-eu-service-region-json"))[1]) == ["192.0.2.7"]
            fake.safelists.say("<html>", status=503, kind="rest-api")
            assert await answer("rest-api-us-service-region-json") == (503, "<html>")
            assert (await answer("webhooks-mars-service-region-json"))[0] == 404
            assert fake.safelists.asked == 4
    finally:
        await fake.stop()
