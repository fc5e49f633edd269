"""Everyone acts as themselves, or is told in one sentence why not."""

from __future__ import annotations

from tests.stories.office import Office

REFUSED = {
    "U0DANA": "dana@acme.example",  # nobody in PagerDuty has her e-mail
    "U0GUEST": "You are a guest",
    "U0OLIVE": "Your PagerDuty role is Observer",  # whom PagerDuty itself would not stop
    "U0STRANG": "You belong to another organisation",  # from a shared channel
}


async def test_who_may_not_act_is_told_why(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    for user, words in REFUSED.items():
        await message.answers("Acknowledge", user, words)
    assert office.truth(incident).status == "triggered"


async def test_the_history_of_pagerduty_names_the_person_who_pressed(office: Office) -> None:
    incident = await office.trigger("Disk full")
    message = await office.checkout.expect_message("Disk full")
    await message.press("Acknowledge", by="U0BOB")
    await message.expect("Acknowledged", "Bob Brown")
    entry = [one for one in office.truth(incident).log if one.type == "acknowledge"][-1]
    assert entry.agent is not None
    assert entry.agent.id == "PBOB002"


async def test_an_observer_may_look(office: Office) -> None:
    await office.trigger("Disk full")
    await office.checkout.expect_message("Disk full")
    await office.olive.asks("list", office.checkout, "Disk full")
    await office.olive.asks("oncall checkout", office.checkout, "Alice Anderson")
