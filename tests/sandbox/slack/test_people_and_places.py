"""Who people are and which conversations there are, as far as the token may know."""

from __future__ import annotations

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from tests.sandbox.slack.listening_bot import ListeningBot
from tests.sandbox.slack.refusal import refused


async def test_the_token_says_who_it_is_and_what_it_may_do(slack: FakeSlack, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("U0PAGER", "B0PAGER", "T0ACME")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_tokens_that_do_not_work(slack: FakeSlack, client: AsyncWebClient) -> None:
    assert await refused(client.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    assert await refused(AsyncWebClient("xoxb-no", base_url=client.base_url).auth_test()) == "invalid_auth"
    assert await refused(AsyncWebClient(base_url=client.base_url).auth_test()) == "not_authed"
    slack.token("account_inactive")
    assert await refused(client.auth_test()) == "account_inactive"
    slack.token(None)
    assert (await client.auth_test())["ok"]


async def test_a_missing_scope_names_itself(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.scopes(revoked=["chat:write"])
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {slack.bot_token}"}) as session:
        url = f"{client.base_url}chat.postMessage"
        async with session.post(url, data={"channel": "C0CHECK", "text": "x"}) as response:
            answer = await response.json()
    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
    assert "users:read" in answer["provided"]


async def test_each_kind_of_account_shows(client: AsyncWebClient) -> None:
    people = {u["id"]: u for u in (await client.users_list())["members"]}
    assert people["U0ALICE"]["profile"]["email"] == "alice@acme.example"
    assert people["U0ALICE"]["is_email_confirmed"] is True
    assert people["U0CAROL"]["is_admin"] is True
    assert people["U0GUEST"]["is_restricted"] is True
    assert people["U0STRANG"]["is_stranger"] is True
    assert people["U0STRANG"]["team_id"] == "T0OTHER"
    assert people["U0PAGER"]["is_bot"] is True
    assert people["U0GONE"]["deleted"] is True


async def test_emails_need_their_own_scope(slack: FakeSlack, client: AsyncWebClient) -> None:
    found = await client.users_lookupByEmail(email="BOB@acme.example")
    assert found["user"]["id"] == "U0BOB"
    assert await refused(client.users_lookupByEmail(email="gone@acme.example")) == "users_not_found"
    slack.scopes(revoked=["users:read.email"])
    assert "email" not in (await client.users_info(user="U0BOB"))["user"]["profile"]
    assert await refused(client.users_lookupByEmail(email="bob@acme.example")) == "missing_scope"


async def test_channels_are_listed_by_kind_and_page(client: AsyncWebClient) -> None:
    names = []
    async for page in await client.conversations_list(types="public_channel,private_channel", limit=2):
        names += [c["name"] for c in page["channels"]]
    assert names == ["checkout", "search", "incidents", "general", "war-room"]
    mine = await client.users_conversations(types="public_channel")
    assert [c["name"] for c in mine["channels"]] == ["checkout", "search", "incidents"]
    assert await refused(client.conversations_list(types="secret")) == "invalid_types"


async def test_joining_works_for_public_channels_and_is_announced(
    slack: FakeSlack, client: AsyncWebClient, bot: ListeningBot
) -> None:
    assert (await client.conversations_info(channel="C0GENERAL"))["channel"]["is_member"] is False
    await client.conversations_join(channel="C0GENERAL")
    assert (await client.conversations_info(channel="C0GENERAL"))["channel"]["is_member"] is True
    await bot.wait_for(1)
    assert bot.last["event"]["type"] == "member_joined_channel"
    private = client.conversations_join(channel="G0PRIV")
    assert await refused(private) == "method_not_supported_for_channel_type"


async def test_opening_direct_messages_gives_the_same_channel_each_time(client: AsyncWebClient) -> None:
    first = await client.conversations_open(users="U0ALICE")
    again = await client.conversations_open(users=["U0ALICE"])
    assert first["channel"]["id"] == again["channel"]["id"]
    assert await refused(client.conversations_open(users="U0PAGER")) == "cannot_dm_bot"
    assert await refused(client.conversations_open(users="U0NOBODY")) == "user_not_found"


async def test_user_groups_are_replaced_as_a_whole(client: AsyncWebClient) -> None:
    group = (await client.usergroups_create(name="On call", handle="oncall"))["usergroup"]["id"]
    await client.usergroups_users_update(usergroup=group, users="U0BOB")
    assert (await client.usergroups_users_list(usergroup=group))["users"] == ["U0BOB"]
    nobody = client.usergroups_users_update(usergroup=group, users=[])
    assert await refused(nobody) == "no_users_provided"


async def test_the_world_has_a_group_of_admins(client: AsyncWebClient) -> None:
    (bare,) = (await client.usergroups_list())["usergroups"]
    assert (bare["id"], bare["handle"], "users" in bare) == ("S0ONCALL", "on-call-admins", False)
    (whole,) = (await client.usergroups_list(include_users=True))["usergroups"]
    assert whole["users"] == ["U0CAROL"]
    assert (await client.usergroups_users_list(usergroup="S0ONCALL"))["users"] == ["U0CAROL"]


async def test_unknown_methods_are_refused(client: AsyncWebClient) -> None:
    assert await refused(client.api_call("chat.postMassage")) == "unknown_method"
    assert await refused(client.api_call("users.info")) == "invalid_arguments"
