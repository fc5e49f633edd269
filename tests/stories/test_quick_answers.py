"""However slow PagerDuty is, Slack gets its answer first. How quickly is measured by the bench."""

from __future__ import annotations

import asyncio

from tests.stories.office import Office
from tests.stories.waiting import until

HANGS = 12.0  # seconds; far beyond what an answer takes on a busy machine
LINES = ("list", "oncall checkout", "ack", "show 1234", "escalate 1234", "whoami", "help", "nonsense")


async def test_slack_is_answered_in_time_while_pagerduty_hangs(office: Office) -> None:
    await office.trigger("Disk full on db-1")
    message = await office.checkout.expect_message("Disk full on db-1")
    office.pagerduty.outage("slow", seconds=HANGS)
    answers = await asyncio.gather(
        *(office.slack.command("U0ALICE", office.checkout.id, line) for line in LINES),
        *(
            office.slack.action(
                "U0BOB", one.action_id, channel=message.channel, message=message.ts, value=one.value
            )
            for one in message.controls
            if one.option is None
        ),
    )
    assert len(answers) > len(LINES)
    assert [answer.failure for answer in answers if answer.failure] == []
    assert max(answer.milliseconds for answer in answers) < 1000 * HANGS
    # And what was asked is answered in the end.
    office.pagerduty.outage("off")
    await until(
        lambda: len(office.checkout.answers("U0ALICE")) >= len(LINES) or None,
        lambda: str([one.words for one in office.checkout.answers("U0ALICE")]),
    )
