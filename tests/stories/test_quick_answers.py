"""However slow PagerDuty is, Slack gets its answer well inside the three seconds it allows."""

from __future__ import annotations

import asyncio

from tests.stories.office import Office
from tests.stories.slack_eyes import Seen
from tests.stories.waiting import until, until_async

SLACK_ALLOWS = 3000.0  # milliseconds
HANGS = 12.0  # seconds
LINES = ("list", "oncall checkout", "ack", "show 1234", "escalate 1234", "whoami", "help", "nonsense")


async def slowest(office: Office, message: Seen) -> float:
    """Everything at once, each answered: the milliseconds that the last answer took."""
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
    return max(answer.milliseconds for answer in answers)


async def test_slack_is_answered_in_time_while_pagerduty_hangs(office: Office) -> None:
    await office.trigger("Disk full on db-1")
    message = await office.checkout.expect_message("Disk full on db-1")
    office.pagerduty.outage("slow", seconds=HANGS)

    async def in_time() -> bool:
        """Again on a machine that was busy just then; who waits for PagerDuty is never in time."""
        return await slowest(office, message) < SLACK_ALLOWS

    await until_async(in_time, "Slack was kept waiting")
    # And what was asked is answered in the end.
    office.pagerduty.outage("off")
    await until(
        lambda: len(office.checkout.answers("U0ALICE")) >= len(LINES) or None,
        lambda: str([one.words for one in office.checkout.answers("U0ALICE")]),
    )
