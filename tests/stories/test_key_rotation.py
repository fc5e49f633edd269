"""A new encryption key, while people work: nobody links again, and in the end the old key opens nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from pydantic import SecretStr

from bot.sandbox.pagerduty.state import Incident
from bot.store.sealing import new_key
from tests.stories.office import ROOT, InProcess, Office
from tests.stories.slack_eyes import Person

PERSON_OF = {"U0ALICE": "PALICE1", "U0BOB": "PBOB002"}


async def rekey(office: Office, folder: Path, *keys: str) -> tuple[int, str]:
    """`python -m bot rekey`, as a person runs it: exit status, and what it prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {"DATABASE_URL": office.database_url, "ENCRYPTION_KEYS": ",".join(keys)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "rekey",
        cwd=folder,
        env=kept | settings | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_keys_are_exchanged_while_people_work(empty_linking_office: Office, tmp_path: Path) -> None:
    office, old, new = empty_linking_office, empty_linking_office.keys, new_key()
    people = (office.alice, office.bob)

    def bot(*keys: str) -> InProcess:
        return InProcess(office, encryption_keys=tuple(SecretStr(key) for key in keys))

    async def acts(person: Person, title: str, *, renew: bool = True) -> Incident:
        """By default their token has just run out, so that a new pair is sealed and stored for it."""
        incident = await office.trigger(title)
        if renew:
            office.pagerduty.access.expire(PERSON_OF[person.id])
        await person.asks(f"ack {incident.number}", office.checkout, "Acknowledged")
        return incident

    async with bot(old):
        await office.links(*people)
        await acts(office.alice, "Before")

    async with bot(new, old):
        rekeying = asyncio.ensure_future(rekey(office, tmp_path, new, old))
        number = 0
        while not rekeying.done() or number < 6:
            await acts(people[number % 2], f"Meanwhile {number}", renew=number % 4 < 2)
            number += 1
            await asyncio.wait([rekeying], timeout=0.1)
        status, told = await rekeying
        assert status == 0, told
        assert "you may remove key 2 of ENCRYPTION_KEYS" in told

    async with bot(new):
        for person in people:
            incident = await acts(person, f"After, {person.id}")
            (agent,) = [one.agent for one in office.truth(incident).log if one.type == "acknowledge"]
            assert agent is not None
            assert agent.id == PERSON_OF[person.id]
    status, told = await rekey(office, tmp_path, new)
    assert (status, told.splitlines()[0]) == (0, "Sealed again with the first key: 0 values.")
