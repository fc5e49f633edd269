"""A second workspace of the sample company, made to be confused with the first.

Its ids are the first one's: the same channel, user and bot ids name other channels and other people here.
What keeps the two apart is the workspace's id alone.
"""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox.world import Channel, Person, World

TEAM = "T0LABS"

_PEOPLE = (
    # Alice's id at Acme, and Bob's e-mail address: whoever mixes the workspaces up acts as the wrong one.
    Person(
        "Bob Brown",
        "bob",
        "U0ALICE",
        "bob@acme.example",
        "full",
        "PBOB002",
        "limited_user",
        "America/New_York",
        slack_team=TEAM,
    ),
    Person("Dana Diaz", "dana", "U0BOB", "dana@acme.example", "full", slack_team=TEAM),
    Person(
        "Olive Ortiz",
        "olive",
        "U0CAROL",
        "olive@acme.example",
        "admin",
        "POLIVE6",
        "observer",
        "Europe/Madrid",
        slack_team=TEAM,
    ),
    Person("Pagerline", "pagerline", "U0PAGER", "", "bot", tz="UTC", slack_team=TEAM),
)
_CHANNELS = (
    Channel("C0CHECK", "robots", bot_is_member=False, topic="Not the checkout"),
    Channel("C0INCID", "experiments", bot_is_member=False),
)


def labs(beside: World) -> World:
    """The workspace Acme Labs, of the same company with the same PagerDuty."""
    return replace(
        beside,
        people=_PEOPLE,
        channels=_CHANNELS,
        slack_team_id=TEAM,
        slack_team_name="Acme Labs",
        slack_domain="acme-labs",
    )
