"""Installed workspaces: sealed tokens, who is let in, organisations, what an uninstall leaves; states."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import insert, select

from bot.model import Channel, ScopeKind, Subscription
from bot.store.database import Database
from bot.store.installs import MOST_STATES, Install, Installs, InstallStates, Served
from bot.store.people_tables import install_states, workspaces
from bot.store.sealing import Sealer
from bot.store.subscriptions import Subscriptions
from bot.store.wake import Wake
from bot.store.workspaces import KnownWorkspaces, Workspace

KEY = Fernet.generate_key().decode()


def install(team: str = "T0LABS", token: str = "xoxb-one", **more: object) -> Install:
    given = {"name": "Acme Labs", "bot_user_id": "U0PAGER", "bot_id": "B0PAGER", "scopes": "commands"}
    return Install(team_id=team, token=SecretStr(token), **(given | more))  # type: ignore[arg-type]


def whole(token: str = "xoxb-org") -> Install:
    return install("E0ACME", token, enterprise_id="E0ACME", is_organisation=True)


@pytest.fixture
def installs(database: Database) -> Installs:
    return Installs(database, Sealer([KEY]), welcome={"T0LABS", "E0ACME"})


async def served(installs: Installs) -> dict[str, str]:
    return {one.team_id: one.token.get_secret_value() for one in await installs.living()}


async def test_an_installed_workspace_is_served_by_its_token(installs: Installs) -> None:
    await installs.save(install())
    assert await installs.find("T0LABS") == Served("T0LABS", SecretStr("xoxb-one"))
    assert await served(installs) == {"T0LABS": "xoxb-one"}
    assert await installs.find("T0NONE") is None


async def test_a_token_is_sealed_at_rest(installs: Installs, database: Database) -> None:
    await installs.save(install())
    async with database.read() as connection:
        (row,) = (await connection.execute(select(workspaces))).all()
    assert "xoxb" not in str(row)
    assert Sealer([KEY]).open(row.bot_token) == "xoxb-one"
    assert "xoxb" not in repr(await installs.find("T0LABS"))


async def test_installed_again_the_new_token_counts(installs: Installs) -> None:
    await installs.save(install())
    await installs.save(install(token="xoxb-two"))
    assert await served(installs) == {"T0LABS": "xoxb-two"}


async def test_a_workspace_that_is_no_longer_named_is_no_longer_served(
    installs: Installs, database: Database
) -> None:
    await installs.save(install())
    strict = Installs(database, Sealer([KEY]), welcome={"T0ACME"})
    assert await strict.living() == []
    assert await strict.find("T0LABS") is None


async def test_a_token_whose_key_is_gone_serves_nobody(installs: Installs, database: Database) -> None:
    await installs.save(install())
    other = Installs(database, Sealer([Fernet.generate_key()]), welcome={"T0LABS"})  # type: ignore[list-item]
    assert await other.living() == []
    assert "T0LABS was sealed with a key" in other.problems()[0]
    assert installs.problems() == []


async def test_an_uninstall_erases_the_token_and_keeps_the_rest(
    installs: Installs, database: Database
) -> None:
    await installs.save(install())
    holding = await installs.holding("T0LABS")
    assert holding is not None
    assert await installs.end(holding) == ["T0LABS"]
    assert await installs.living() == []
    async with database.read() as connection:
        (row,) = (await connection.execute(select(workspaces))).all()
    assert (row.name, row.bot_token) == ("Acme Labs", None)
    assert row.broken_since is not None
    await installs.save(install(token="xoxb-two"))
    assert await served(installs) == {"T0LABS": "xoxb-two"}


async def test_an_uninstall_that_was_overtaken_by_a_reinstall_ends_nothing(installs: Installs) -> None:
    await installs.save(install())
    holding = await installs.holding("T0LABS")
    await installs.save(install(token="xoxb-two"))
    assert holding is not None
    assert await installs.end(holding) is None
    assert await served(installs) == {"T0LABS": "xoxb-two"}


async def test_an_organisation_serves_the_workspaces_that_joined(installs: Installs) -> None:
    await installs.save(whole())
    assert await served(installs) == {}, "the organisation itself is no workspace"
    assert await installs.find("T0TEAM") is None
    joined = await installs.join("T0TEAM", "E0ACME")
    assert joined == Served("T0TEAM", SecretStr("xoxb-org"), by_organisation=True)
    assert await installs.find("T0TEAM") == joined
    assert await served(installs) == {"T0TEAM": "xoxb-org"}


async def test_nobody_joins_what_is_not_installed(installs: Installs) -> None:
    assert await installs.join("T0TEAM", "E0ACME") is None
    await installs.save(install())
    assert await installs.join("T0TEAM", "T0NONE") is None


async def test_a_workspace_with_a_token_of_its_own_keeps_it_in_its_organisation(installs: Installs) -> None:
    await installs.save(install(enterprise_id="E0ACME"))
    await installs.save(whole())
    await installs.join("T0LABS", "E0ACME")
    assert await served(installs) == {"T0LABS": "xoxb-one"}


async def test_an_organisation_that_leaves_takes_its_workspaces_along_and_brings_them_back(
    installs: Installs,
) -> None:
    await installs.save(whole())
    await installs.join("T0TEAM", "E0ACME")
    holding = await installs.holding("E0ACME")
    assert holding is not None
    assert await installs.end(holding) == ["T0TEAM"]
    assert await served(installs) == {}
    await installs.save(whole("xoxb-back"))
    assert await served(installs) == {"T0TEAM": "xoxb-back"}


async def test_the_workspace_of_the_settings_is_none_of_the_installed(
    installs: Installs, database: Database
) -> None:
    known = KnownWorkspaces(database)
    await known.remember(Workspace("T0ACME", "Acme", "U0PAGER", "B0PAGER"))
    await installs.save(install())
    assert await installs.living() == [Served("T0LABS", SecretStr("xoxb-one"))]
    own = await known.own()
    assert own is not None
    assert own.team_id == "T0ACME"


async def test_the_channels_of_a_workspace_are_its_own(installs: Installs, database: Database) -> None:
    rules = Subscriptions(database, Wake(database))
    for team in ("T0ACME", "T0LABS"):
        await rules.add(Subscription(Channel(team, "C0CHECK"), ScopeKind.ALL, None, made_by="U0ALICE"))
    await rules.add(Subscription(Channel("T0ACME", "C0SEARCH"), ScopeKind.ALL, None, made_by="U0ALICE"))
    assert await installs.channels("T0LABS") == [Channel("T0LABS", "C0CHECK")]


# ----------------------------------------------------------------------------------------------- states


async def test_a_state_works_once(database: Database) -> None:
    states = InstallStates(database)
    state = await states.issue()
    assert await states.consume(state) is True
    assert await states.consume(state) is False
    assert await states.consume("made up") is False


async def test_a_state_is_good_for_ten_minutes(database: Database) -> None:
    states = InstallStates(database)
    late, gone = await states.issue(), await states.issue()
    database.clock_offset = 590.0
    assert await states.consume(late) is True
    database.clock_offset = 610.0
    assert await states.consume(gone) is False


async def test_only_the_hash_of_a_state_is_kept(database: Database) -> None:
    state = await InstallStates(database).issue()
    async with database.read() as connection:
        (row,) = (await connection.execute(select(install_states))).all()
    assert state not in str(row)


async def test_nobody_can_fill_the_table(database: Database) -> None:
    states = InstallStates(database)
    later = datetime(2100, 1, 1, tzinfo=UTC)
    async with database.write() as connection:
        rows = [
            {"state_hash": f"h{n}", "created_at": float(n), "expires_at": later}
            for n in range(MOST_STATES + 50)
        ]
        await connection.execute(insert(install_states), rows)
    newest = await states.issue()
    async with database.read() as connection:
        left = (await connection.execute(select(install_states.c.state_hash))).scalars().all()
    assert len(left) == MOST_STATES
    assert await states.consume(newest) is True
