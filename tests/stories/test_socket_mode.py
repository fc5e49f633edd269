"""No door to the inside: Slack over a websocket that the bot opened, and is sent away from now and then."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from tests.stories.office import InProcess, Office
from tests.stories.waiting import until


@pytest.fixture
async def office(empty_office: Office) -> AsyncIterator[Office]:
    """Its bot listens through a socket."""
    office = empty_office
    async with InProcess(
        office, slack_app_token=SecretStr(office.slack.app_token), slack_signing_secret=None
    ):
        await connected(office)
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        yield office


SETTLED = 2.0  # seconds in which no connection comes or goes


async def connected(office: Office) -> None:
    """And done with changing connections: what is sent over one that is just given up meets nobody, and Slack
    shows that to who pressed.
    """
    sockets = office.slack.delivery.sockets
    seen: list[object] = []
    since = time.monotonic()

    def settled() -> bool:
        nonlocal seen, since
        if sockets._open != seen:
            seen, since = list(sockets._open), time.monotonic()
        return bool(seen) and time.monotonic() - since > SETTLED

    await until(settled, "the bot keeps no socket open")


async def test_from_trigger_to_resolve_with_a_goodbye_in_the_middle(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.expect("level 1 of 3", "Alice Anderson")
    await message.press("Acknowledge", by="U0ALICE")
    await message.expect("Acknowledged", "Alice Anderson")

    await office.slack.socket("warning")
    await office.bob.asks("list", office.checkout, "Disk full")
    await office.slack.socket("refresh_requested", every=True)
    await connected(office)

    await message.press("Add note", by="U0BOB")
    await office.bob.fills(text="Rotated the logs")
    await until(lambda: office.truth(incident).notes, "the form was lost")
    await office.bob.mentions("resolve", office.checkout, message.ts)
    await message.expect("Resolved", "Bob Brown", buttons=[])
    await office.bob.types("trigger", office.checkout)
    assert await office.bob.is_offered("field:service", "paym") == ["Payments API"]
    spaces = await office.slack.submit("U0BOB", values={"service": "PSVCCHK", "title": " "})
    assert spaces.body["errors"]["title"] == "Please fill this in."
    assert office.slack.journal.deliveries()
    assert {one.method for one in office.slack.journal.deliveries()} == {"WS"}
