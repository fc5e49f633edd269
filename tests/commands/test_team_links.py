"""`team-links`: who goes on call and is not linked, in both modes, and *Remind them*."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.accounts.members import Members
from bot.command.people import PeopleSync
from bot.command.reminding import Reminders
from bot.command.run import Runner
from bot.model import SlackUser
from bot.sandbox.pagerduty.state import Person as RealPerson
from bot.store.notices import Notices
from bot.store.people import People
from tests.command.switchboard import Switchboard, switchboard
from tests.stories.slack_eyes import Place


async def matched(board: Switchboard) -> None:
    """As the loop of bot/command/people.py does."""
    await PeopleSync(board.directory, board.workspaces, People(board.database)).once()
    board.calls()


async def test_matched_by_email_everybody_is_known(board: Switchboard) -> None:
    await matched(board)
    told = await board.types("team-links", by="U0CAROL")
    assert "All 3 people on the rotas of the next two weeks are matched" in told
    assert board.newest("U0CAROL").buttons == []


async def test_one_call_per_hundred_and_no_other(board: Switchboard) -> None:
    await matched(board)
    await board.types("team-links", by="U0CAROL")
    assert board.calls() == ["GET /oncalls"]
