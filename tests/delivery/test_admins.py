"""What the admins are told once is said again when it reached nobody."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.delivery.admins import Admins
from bot.model import SlackUser
from bot.slack.workspaces import Workspaces
from bot.store.notices import Notices
from tests.delivery.office import Office
from tests.store.seeding import TEAM

ALICE, BOB = SlackUser(TEAM, "U0ALICE"), SlackUser(TEAM, "U0BOB")


def admins(office: Office, *people: SlackUser) -> Admins:
    async def named() -> Sequence[SlackUser]:
        return people

    return Admins(Workspaces([office.slack]), Notices(office.database), people=named, channel_id=None)


def heard(office: Office, user: SlackUser = ALICE) -> list[str]:
    return [message.text for message in office.direct(user.id)]


async def test_it_is_said_once(office: Office) -> None:
    for _ in range(2):
        await admins(office, ALICE, BOB).tell_once("webhook", "It is broken.")
    assert heard(office) == heard(office, BOB) == ["It is broken."]


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        pytest.param("rate_limit", {}, id="limited"),
        pytest.param("error", {"error": "service_unavailable"}, id="unreachable"),
        pytest.param("error", {"error": "invalid_auth"}, id="refused"),
    ],
)
async def test_what_reached_nobody_is_said_the_next_time(
    office: Office, mode: str, more: dict[str, object]
) -> None:
    told = admins(office, ALICE, BOB)
    office.fake.fault("chat.postMessage", mode, count=2, **more)
    assert not await told.tell_once("webhook", "It is broken.")
    assert heard(office) == []
    assert await told.tell_once("webhook", "It is broken.")
    assert heard(office) == heard(office, BOB) == ["It is broken."]


@pytest.mark.parametrize("mode", ["rate_limit", "drop_after"])
async def test_what_may_have_reached_somebody_is_not_said_twice(office: Office, mode: str) -> None:
    told = admins(office, ALICE, BOB) if mode == "rate_limit" else admins(office, ALICE)
    office.fake.fault("chat.postMessage", mode)
    for _ in range(2):
        await told.tell_once("webhook", "It is broken.")
    assert len(heard(office)) + len(heard(office, BOB)) == 1


async def test_with_nobody_named_the_log_has_to_do(office: Office) -> None:
    await admins(office).tell_once("webhook", "It is broken.")
    assert await Notices(office.database).told("webhook") == ["webhook"]
