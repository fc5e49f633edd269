"""PagerDuty takes somebody's link back: they hear of it at their next act, and at once if on call."""

from __future__ import annotations

from tests.stories.linking import LINK, links_by
from tests.stories.office import Office
from tests.stories.slack_eyes import Place
from tests.stories.waiting import until

ENDED = "has ended, and you are on call"


def own(office: Office, user: str) -> Place:
    """What the bot writes to this person alone."""
    return Place(office.slack, office.slack.workspace.direct_messages(user).id)


async def test_who_is_on_call_is_told_and_links_from_there(linking_office: Office) -> None:
    office, mine = linking_office, own(linking_office, "U0ALICE")
    incident = await office.trigger("Disk full")
    office.pagerduty.oauth.revoke_all_of("PALICE1")
    await office.alice.asks(f"ack {incident.number}", office.checkout, "15 minutes")
    message = await mine.expect_message(ENDED)
    assert message.buttons == [LINK]
    await links_by(message, office.alice)
    await until(lambda: office.truth(incident).status == "acknowledged", "what waited was not done")


async def test_who_is_not_on_call_hears_of_it_when_they_act(linking_office: Office) -> None:
    office = linking_office
    await office.links(office.uma)
    incident = await office.trigger("Disk full")
    office.pagerduty.oauth.revoke_all_of("PUMA007")
    offer = await office.uma.asks(f"ack {incident.number}", office.checkout, "15 minutes")
    await links_by(offer, office.uma)
    await until(lambda: office.truth(incident).status == "acknowledged", "what waited was not done")
    assert [one.text for one in own(office, "U0UMA").messages() if ENDED in one.text] == []
