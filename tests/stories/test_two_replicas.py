"""Two bots on one PostgreSQL: whoever Slack and PagerDuty happen to reach, everything is done once."""

from __future__ import annotations

import asyncio

from tests.stories.office import InProcess, Office, settled
from tests.stories.waiting import until


async def test_whoever_is_reached_it_is_done_once(empty_postgresql_office: Office) -> None:
    office = empty_postgresql_office
    async with InProcess(office) as first, InProcess(office) as second:
        office.connect(first.port)
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        made = []
        for number in range(8):
            office.connect((first, second)[number % 2].port)
            made.append(await office.trigger(f"Trouble {number}"))
        messages = [await office.checkout.expect_message(one.title) for one in made]
        await messages[0].expect("level 1 of 3")

        # Slack got no answer from one of them and asks the other one the same again.
        await messages[0].press("Acknowledge", by="U0ALICE")
        office.connect(first.port)
        await office.slack.repeat("block_actions")
        await messages[0].expect("Acknowledged", "Alice Anderson")
        writes = [one for one in office.pagerduty.journal if one.method == "PUT"]
        assert len(writes) == 1

        # Two people, two bots, one escalation.
        await messages[1].expect("level 1 of 3")
        pressed = len(office.slack.journal.deliveries())
        alice = asyncio.create_task(messages[1].press("Escalate", by="U0ALICE"))
        await until(lambda: len(office.slack.journal.deliveries()) > pressed, "Alice's press was not sent")
        office.connect(second.port)
        await asyncio.gather(alice, messages[1].press("Escalate", by="U0BOB"))
        await messages[1].expect("level 2 of 3")
        assert office.truth(made[1]).level == 2

        # A command to one, its news to the other.
        await office.bob.types(f"resolve {made[2].number}", office.checkout)
        office.connect(first.port)
        await messages[2].expect("Resolved", "Bob Brown")
        await settled(office)

    async with InProcess(office):
        office.pagerduty.act(made[3].id, "resolve", by="PBOB002")
        await messages[3].expect("Resolved")
        await until(lambda: len(office.checkout.messages()) == 8, "there are more or fewer than 8 messages")
