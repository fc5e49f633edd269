"""The pages of an install, from the button to how it ended, and what a stranger's workspace is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot.render.web import document, identities, link, note, paragraph

NOT_CONNECTED = "This Slack workspace is not connected to me. Ask whoever runs this bot to let it in."
AGAIN = "Open the install page again to start over."


@dataclass(frozen=True, slots=True)
class Ending:
    """How an install ended that brought nothing; `status` is the page's."""

    title: str
    said: str
    then: str
    status: int = 400


DENIED = Ending("Not installed", "You did not allow it in Slack, so nothing was changed.", AGAIN, 200)
WRONG_BROWSER = Ending(
    "Not installed",
    "This browser did not begin the install, or it does not keep cookies, so nothing was changed.",
    "Open the install page in the browser in which you are signed in to Slack, and go on there.",
)
EXPIRED = Ending(
    "Not installed", "The install took longer than ten minutes, or this page was opened twice.", AGAIN
)
NOT_ACCEPTED = Ending("Not installed", "Slack does not accept what came back, so nothing was changed.", AGAIN)
SLACK_AWAY = Ending(
    "Not installed", "Slack did not answer, so I do not know whether it installed me.", AGAIN, 502
)
CANNOT_REMEMBER = Ending(
    "Not installed",
    "I cannot reach my database, so I cannot remember this workspace.",
    "Wait a minute, then open the install page again.",
    503,
)
BUSY = Ending(
    "Just a moment", "Too many installs were begun within a minute.", "Wait a minute, then try again.", 429
)
ROTATES = Ending(
    "Not installed",
    "This Slack app rotates its tokens, and I cannot work with tokens that expire.",
    "Whoever runs this bot has to make the Slack app anew from its manifest, with token rotation off.",
)


def not_welcome(name: str, team_id: str, *, revoked: bool) -> Ending:
    """Somebody's workspace that nobody has named in the settings."""
    left = (
        "I gave my access back and kept nothing."
        if revoked
        else "I kept nothing, but Slack has not taken my access back: remove the app in your workspace."
    )
    return Ending(
        "This workspace is not let in",
        f"This bot works for the workspaces that its keeper has named, and {name or team_id} is not one of "
        f"them. {left}",
        f"Should it be one? Ask whoever runs this bot to add {team_id} to SLACK_WORKSPACES, then install it "
        "again.",
        403,
    )


def invitation_page(url: str) -> str:
    """Where an install begins; `url` leads to Slack."""
    return document(
        "Install Pagerline in Slack",
        paragraph(
            "Slack asks in which workspace, and shows what the bot may do there. You have to be allowed to "
            "install apps in it."
        ),
        paragraph("Only workspaces that the keeper of this bot has named are let in.", soft=True),
        link("Choose a workspace in Slack", url),
    )


def installed_page(name: str, place: str, *, slash: str, already: bool = False) -> str:
    """It is in; `already`: the settings' own token serves this workspace, and nothing had to be kept."""
    said = (
        "This workspace was connected already, by the token in the bot's settings. That stays so."
        if already
        else "The bot answers there from now on."
    )
    return document(
        "Installed",
        identities((place, name, ())),
        paragraph(said),
        note(f"Next: invite it to a channel (/invite @pagerline), then type {slash} subscribe there."),
        paragraph("You can close this page.", soft=True),
    )


def ending_page(ending: Ending, install_url: str) -> str:
    """What happened, and the way back to the start."""
    return document(
        ending.title,
        paragraph(ending.said),
        paragraph(ending.then),
        link("Open the install page", install_url),
    )
