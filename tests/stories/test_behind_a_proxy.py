"""Two bots behind the proxy of deploy/, one stopped and started after the other: nobody outside notices."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.proxy import proxied
from tests.stories.office import HOST, Office, OwnProcess, settled
from tests.stories.waiting import until


async def test_one_stops_the_other_goes_on(
    empty_postgresql_office: Office, tmp_path: Path, haproxy: str
) -> None:
    office, port = empty_postgresql_office, empty_postgresql_office.ports.take()
    await office.migrate()
    bots = [OwnProcess(office, tmp_path, public_url=f"http://{HOST}:{port}") for _ in range(2)]
    try:
        await asyncio.gather(*(bot.start() for bot in bots))
        async with proxied(haproxy, tmp_path, port=port, bots=[bot.port for bot in bots]):
            office.connect(port)
            await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
            busy = asyncio.create_task(triggers(office))
            for bot in bots:
                assert await bot.stop() == 0
                await bot.start()
            busy.cancel()
            made = [one.number for one in office.pagerduty.state.incidents.values()]
            await until(lambda: all(office.checkout.names(one) for one in made), "an incident is missing")
            message = office.checkout.messages()[0]
            await message.press("Acknowledge", by="U0ALICE")
            await message.expect("Acknowledged", "Alice Anderson")
            await settled(office)
            webhooks = [one.status for one in office.pagerduty.journal if one.direction == "out"]
            assert set(webhooks) == {202}
    finally:
        for bot in bots:
            await bot.kill()


async def triggers(office: Office) -> None:
    """Something breaks twice a second."""
    for number in range(1000):
        await office.trigger(f"Trouble {number}")
        await asyncio.sleep(0.5)
