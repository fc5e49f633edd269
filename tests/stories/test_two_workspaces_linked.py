"""Everyone acts by their own token, in two workspaces whose user ids are the same: no link counts in both."""

from __future__ import annotations

from bot.sandbox.slack.pressing import url_buttons
from bot.sandbox.visitor import Visitor
from tests.stories.office import InProcess
from tests.stories.slack_eyes import Seen
from tests.stories.two_workspaces import TwoOffices, two_offices
from tests.stories.waiting import until


async def linked(office: TwoOffices, asked: Seen, by: str, *, as_pagerduty_user: str) -> str:
    """Press the Link button of Labs' private answer, and agree in the browser of whoever PagerDuty knows."""
    message = office.labs.workspace.channels["C0CHECK"].ephemerals[asked.ts]
    action, url = next(iter(url_buttons(message.blocks).items()))
    await office.labs.action(by, action, channel="C0CHECK", message=asked.ts)
    async with Visitor(as_pagerduty_user) as browser:
        await (await browser.opens(url)).agrees()
        return f"{browser.status} {browser.words}"


async def test_the_same_id_in_two_workspaces_is_two_people_with_two_links(database_url: str) -> None:
    async with two_offices(database_url, "oauth") as office, InProcess(office):
        await office.carol.asks("subscribe Checkout", office.checkout, "Checkout")
        await office.labs_are_set_up()
        first = await office.trigger("Disk full")
        at_labs = await office.robots.expect_message("Disk full")

        # U0ALICE of Acme links; that is no link of U0ALICE of Labs.
        await office.links(office.alice)
        before = {one.ts for one in office.robots.private("U0ALICE")}
        await at_labs.press("Acknowledge", by="U0ALICE")
        asked = await until(
            lambda: next((m for m in office.robots.answers("U0ALICE") if m.ts not in before), None),
            "nobody was asked to link",
        )
        assert office.truth(first).status == "triggered"

        said = await linked(office, asked, "U0ALICE", as_pagerduty_user="U0BOB")
        assert "Bob Brown" in said
        await at_labs.expect("Acknowledged", "Bob Brown")
        at_acme = await office.checkout.expect_message("Disk full")
        await at_acme.press("Resolve", by="U0ALICE")
        await at_acme.expect("Resolved", "Alice Anderson")

        # One goes; the other stays.
        await office.lab_bob.asks("unlink", office.robots, "")
        second = await office.trigger("Disk slow")
        here = await office.checkout.expect_message("Disk slow")
        await here.press("Acknowledge", by="U0ALICE")
        await here.expect("Acknowledged", "Alice Anderson")
        assert office.truth(second).status == "acknowledged"
