"""An admin's word on a link, pressed: who may, and what stands on record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import select

from bot.command.request import Request, Surface
from bot.command.run import Runner
from bot.command.tasks import TrackedTasks
from bot.model import SlackUser
from bot.store.people_tables import audit
from tests.command.switchboard import Switchboard


@dataclass
class Decisions:
    """Knows one link; the first word on it counts."""

    words: list[str] = field(default_factory=list)

    async def approve(self, link_id: str, admin: SlackUser) -> str:
        return self._decided(f"Approved {link_id}.")

    async def refuse(self, link_id: str, admin: SlackUser) -> str:
        return self._decided(f"Refused {link_id}.")

    def _decided(self, word: str) -> str:
        self.words.append(word)
        return word if len(self.words) == 1 else ""


@pytest.mark.parametrize("word", ["Approved", "Refused"])
async def test_only_an_admins_press_counts_and_the_record_says_whose_counted(
    board: Switchboard, word: str
) -> None:
    decisions = Decisions()
    runner = Runner(replace(board.services, link_decisions=decisions), TrackedTasks())
    verbs = {"Approved": "link-approve", "Refused": "link-refuse"}
    for number, (user, verb) in enumerate(
        [
            ("U0ALICE", verbs[word]),
            ("U0GUEST", verbs[word]),
            ("U0CAROL", verbs[word]),
            ("U0CAROL", "link-refuse"),
        ]
    ):
        press = Request(
            key=f"press:{number}",
            user=SlackUser("T0ACME", user),
            surface=Surface.BUTTON,
            text=f"{verb} umas-link",
            channel_id="C0CHECK",
        )
        await runner.accept(press)
        await runner.tasks.settle()
    assert decisions.words == [f"{word} umas-link.", "Refused umas-link."]
    async with board.database.read() as connection:
        rows = (await connection.execute(select(audit).order_by(audit.c.id))).all()
    assert [(row.user_id, row.outcome, row.detail) for row in rows] == [
        ("U0ALICE", "not_allowed", None),
        ("U0GUEST", "not_allowed", None),
        ("U0CAROL", "done", f"{word} umas-link."),
    ]
