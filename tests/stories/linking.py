"""What stories of linking share: the words on the way, and a person walking all of it."""

from __future__ import annotations

from bot.sandbox.visitor import Visitor
from tests.stories.office import Office
from tests.stories.slack_eyes import Person, Seen

LINK = "Link my PagerDuty account"
CONTINUE, ALLOW, DENY, CONFIRM = "Continue to PagerDuty", "Allow", "Deny", "Link them"
ASK_AN_ADMIN, SIGN_IN = "Ask an admin", "Sign in with Slack"


async def consents(browser: Visitor, url: str) -> None:
    """From the Link button to the page with both names."""
    await browser.opens(url)
    await browser.presses(CONTINUE)
    await browser.presses(ALLOW)


async def links_by(offer: Seen, person: Person) -> str:
    """The person presses the Link button of a private message and agrees; what the last page says."""
    url = await offer.follow(LINK, by=person.id)
    async with person.browser() as browser:
        await consents(browser, url)
        await browser.presses(CONFIRM)
        assert browser.status == 200, browser.words
        return browser.words


def callback_of(browser: Visitor) -> str:
    """The address PagerDuty sent this browser to, with code and state."""
    return next(one for one in reversed(browser.visited) if "/pagerduty/callback?" in one)


def doers(office: Office, title: str, kind: str) -> list[str]:
    """Who did this to the incident, as PagerDuty's history has it (`acknowledge`, `resolve`, …)."""
    log = office.find(title).log
    return [one.agent.id for one in log if one.type == kind and one.agent is not None]
