"""With the source check on: PagerDuty comes in, nobody else does, and a change of the list is told."""

from __future__ import annotations

from bot.sandbox.pagerduty.safelists import HERE
from tests.stories.office import InProcess, Office, settled
from tests.stories.slack_eyes import Place
from tests.stories.waiting import until

ELSEWHERE = "192.0.2.7"


def checked(office: Office) -> InProcess:
    return InProcess(
        office, webhook_source_check=True, safelist_url=office.sandbox.pagerduty_url, safelist_seconds=0.5
    )


async def test_a_list_that_changes_loses_no_event_and_the_admins_hear_of_it(empty_office: Office) -> None:
    office, lists = empty_office, empty_office.pagerduty.safelists
    direct = Place(office.slack, office.slack.workspace.direct_messages("U0CAROL").id)
    async with checked(office):
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        # Until the first list is there, the one in the code counts, and this machine is not on it.
        incident = await office.trigger("Disk full")
        message = await office.checkout.expect_message("Disk full")

        lists.publish([ELSEWHERE])
        told = await direct.expect_message("come from other addresses now")
        assert ELSEWHERE in told.words
        office.pagerduty.act(incident.id, "acknowledge", by="PBOB002")
        await until(lambda: refused(office), "nothing was refused")
        assert "Acknowledged" not in message.words

        asked = lists.asked
        lists.say("<html>Sign in</html>")
        await until(lambda: lists.asked > asked, "the list is not asked for")
        lists.publish([ELSEWHERE, *HERE])
        await message.expect("Acknowledged", "Bob Brown")
        await settled(office)
        subscription = office.webhook_subscription
    assert office.pagerduty.subscription(subscription).temporarily_disabled is False


def refused(office: Office) -> bool:
    """Whether a delivery was answered 503."""
    return any(one.status == 503 for one in office.pagerduty.journal if one.direction == "out")
