"""The calls the bot makes to one Slack workspace, in its own values: posts, edits, history, people, forms.

Used by delivery (living messages), by commands (answers, forms) and by `check`. Timeouts, errors and what
may be repeated are bot/slack/connection.py's; pace is the callers' (bot/store/pace.py): replicas share it.
`ts` is Slack's message id: seconds and microseconds as text, unique in its channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.model import SlackProfile, SlackUser
from bot.slack.connection import Connection, OnCall
from bot.slack.failures import OutcomeUnknown, UserUnreachable
from bot.slack.marks import Mark, read_mark

Blocks = Sequence[Mapping[str, Any]]
PAGE = 200
"""Entries per page: Slack recommends at most 200 for every method with a cursor."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the token is: `auth.test`. `scopes` as the answer's header grants them."""

    team_id: str
    team_name: str
    enterprise_id: str | None
    bot_user_id: str
    bot_id: str
    scopes: frozenset[str]
    url: str


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message ended up; `thread_ts` None for one that stands in the channel."""

    channel_id: str
    ts: str
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A message of ours in a channel's history; `mark` None when it carries no metadata of ours. `text` is
    its plain text, escaped as Slack keeps it.
    """

    ts: str
    mark: Mark | None
    thread_ts: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A conversation as `conversations.info` tells it."""

    id: str
    name: str
    is_member: bool
    is_archived: bool


class Slack:
    """One workspace. Every method raises a kind of bot/slack/failures.py when Slack does not do it."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token: SecretStr,
        *,
        base_url: str,
        team_id: str = "",
        by_organisation: bool = False,
        on_call: OnCall | None = None,
    ) -> None:
        """`by_organisation`: the token is an organisation's, so that every call names the workspace it is
        about (Slack's "Enterprise organizations: using an org-ready token").
        """
        always = {"team_id": team_id} if by_organisation else None
        self._connection = Connection(session, token, base_url=base_url, on_call=on_call, always=always)
        self._identity: Identity | None = None
        self.team_id = team_id

    def __repr__(self) -> str:
        return f"Slack({self.team_id or 'unknown workspace'})"

    async def identity(self) -> Identity:
        """Ask who the token is; always a call. Sets `team_id` when it was not known."""
        body, headers = await self._connection.call("auth.test", repeatable=True)
        granted = headers.get("x-oauth-scopes") or ""
        self._identity = Identity(
            team_id=str(body["team_id"]),
            team_name=str(body.get("team") or ""),
            enterprise_id=body.get("enterprise_id"),
            bot_user_id=str(body.get("user_id") or ""),
            bot_id=str(body.get("bot_id") or ""),
            scopes=frozenset(scope.strip() for scope in granted.split(",") if scope.strip()),
            url=str(body.get("url") or ""),
        )
        self.team_id = self.team_id or self._identity.team_id
        return self._identity

    async def who_we_are(self) -> Identity:
        """The identity, asked once."""
        return self._identity or await self.identity()

    async def teams(self) -> list[str]:
        """The workspaces that an organisation's token may be used in, every page."""
        return [str(team["id"]) for team in await self._all("auth.teams.list", "teams")]

    async def revoke(self) -> None:
        """Give the token back: it works no more, anywhere."""
        await self._connection.write("auth.revoke", repeatable=True)

    # ------------------------------------------------------------------------------------------- messages

    async def post(
        self,
        channel_id: str,
        text: str,
        blocks: Blocks | None = None,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        mark: Mark | None = None,
    ) -> Posted:
        """Post a message; never repeated by us or the SDK. OutcomeUnknown: it may stand there nevertheless.

        Slack posts into the channel when the thread's parent is gone: then `thread_ts` of the answer is None.
        """
        body = await self._connection.write(
            "chat.postMessage",
            repeatable=False,
            channel=channel_id,
            text=text,
            blocks=_blocks(blocks),
            thread_ts=thread_ts,
            reply_broadcast=True if broadcast and thread_ts else None,
            metadata=mark.metadata() if mark else None,
            unfurl_links=False,
            unfurl_media=False,
        )
        message = body.get("message")
        parent = message.get("thread_ts") if isinstance(message, Mapping) else None
        ts = str(body.get("ts") or "")
        if not ts:
            raise OutcomeUnknown("not_json", method="chat.postMessage")
        return Posted(str(body.get("channel") or channel_id), ts, parent if parent != ts else None)

    async def update(
        self,
        channel_id: str,
        ts: str,
        text: str,
        blocks: Blocks | None = None,
        *,
        mark: Mark | None = None,
        repeatable: bool = True,
    ) -> None:
        """Replace what a message of ours shows; without blocks the old go. Its mark stays unless given.

        Made once more when its connection broke; not `repeatable`: whoever calls has to know that it did,
        for the first one may still be carried out, after the second.
        """
        await self._connection.write(
            "chat.update",
            repeatable=repeatable,
            channel=channel_id,
            ts=ts,
            text=text,
            blocks=[] if blocks is None else _blocks(blocks),
            metadata=mark.metadata() if mark else None,
        )

    async def delete(self, channel_id: str, ts: str) -> None:
        """Take a message of ours away. MessageGone: it was gone already."""
        await self._connection.write("chat.delete", repeatable=True, channel=channel_id, ts=ts)

    async def ephemeral(
        self,
        channel_id: str,
        user_id: str,
        text: str,
        blocks: Blocks | None = None,
        *,
        thread_ts: str | None = None,
    ) -> None:
        """Show something to one person in a channel they are in; Slack does not promise that it arrives."""
        await self._connection.write(
            "chat.postEphemeral",
            repeatable=False,
            channel=channel_id,
            user=user_id,
            text=text,
            blocks=_blocks(blocks),
            thread_ts=thread_ts,
        )

    async def respond(
        self,
        response_url: str,
        *,
        text: str,
        blocks: Blocks | None = None,
        replace_original: bool = False,
        in_channel: bool = False,
        thread_ts: str | None = None,
    ) -> None:
        """Answer an interaction at its own address: 5 uses within 30 minutes. ViewExpired afterwards."""
        body: dict[str, Any] = {
            "text": text,
            "response_type": "in_channel" if in_channel else "ephemeral",
            "replace_original": replace_original,
        }
        if blocks is not None:
            body["blocks"] = _blocks(blocks)
        if thread_ts is not None:
            body["thread_ts"] = thread_ts
        await self._connection.respond(response_url, body)

    async def direct_message(self, user_id: str, text: str, blocks: Blocks | None = None) -> Posted:
        """Write to one person. UserUnreachable when Slack has no such person or they cannot be written to."""
        return await self.post(user_id, text, blocks)

    # -------------------------------------------------------------------------------------------- history

    async def history(self, channel_id: str, *, oldest: float, latest: float | None = None) -> list[Found]:
        """Our own messages in the channel after `oldest` (UTC epoch seconds), newest first, every page.

        ScopeMissing without the (optional) history scopes.
        """
        return await self._found(
            "conversations.history",
            channel=channel_id,
            oldest=_moment(oldest),
            latest=None if latest is None else _moment(latest),
        )

    async def replies(self, channel_id: str, ts: str, *, oldest: float) -> list[Found]:
        """Our own replies below `ts` after `oldest` (UTC epoch seconds). MessageGone: no such thread."""
        found = await self._found("conversations.replies", channel=channel_id, ts=ts, oldest=_moment(oldest))
        return [message for message in found if message.ts != ts]

    async def _found(self, method: str, **params: Any) -> list[Found]:
        us = await self.who_we_are()
        return [
            Found(
                str(message["ts"]),
                read_mark(message.get("metadata")),
                message.get("thread_ts"),
                str(message.get("text") or ""),
            )
            for message in await self._all(method, "messages", include_all_metadata=True, **params)
            if message.get("user") == us.bot_user_id or message.get("bot_id") == us.bot_id
        ]

    # ---------------------------------------------------------------------------------------------- forms

    async def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> str:
        """Open a form within 3 s of the person's act; returns its id. ViewExpired when too late."""
        return await self._view("views.open", trigger_id=trigger_id, view=view)

    async def update_view(self, view_id: str, view: Mapping[str, Any], hash: str | None = None) -> None:  # noqa: A002 - Slack's own name
        """Change an open form. ViewExpired when it was closed, or when `hash` is not its newest any more."""
        await self._view("views.update", view_id=view_id, view=view, hash=hash)

    async def _view(self, method: str, **arguments: Any) -> str:
        body = await self._connection.write(method, repeatable=False, **arguments)
        view = body.get("view")
        return str(view.get("id") or "") if isinstance(view, Mapping) else ""

    # ----------------------------------------------------------------------------------- people and places

    async def profile(self, user_id: str) -> SlackProfile:
        """Who a person is. UserUnreachable when the workspace cannot see them."""
        body = await self._connection.read("users.info", user=user_id)
        return self._profile(body["user"])

    async def user_by_email(self, email: str) -> SlackProfile | None:
        """The person with this e-mail address, None when there is none."""
        try:
            body = await self._connection.read("users.lookupByEmail", email=email)
        except UserUnreachable:
            return None
        return self._profile(body["user"])

    async def users(self) -> list[SlackProfile]:
        """Everybody in the workspace, every page."""
        return [self._profile(user) for user in await self._all("users.list", "members")]

    async def usergroup_members(self, group_id: str) -> list[str]:
        """The user ids in a user group. ScopeMissing without the (optional) usergroups:read."""
        found = (await self._connection.read("usergroups.users.list", usergroup=group_id)).get("users")
        return [str(one) for one in found] if isinstance(found, list) else []

    async def channel(self, channel_id: str) -> ChannelInfo:
        """A conversation the bot can see. ChannelClosed when it cannot."""
        found = (await self._connection.read("conversations.info", channel=channel_id))["channel"]
        return ChannelInfo(
            id=str(found["id"]),
            name=str(found.get("name") or ""),
            is_member=bool(found.get("is_member") or found.get("is_im")),
            is_archived=bool(found.get("is_archived")),
        )

    def _profile(self, user: Mapping[str, Any]) -> SlackProfile:
        own = user.get("profile")
        own = own if isinstance(own, Mapping) else {}
        real = own.get("real_name") or user.get("real_name") or ""
        name = own.get("display_name") or real or user.get("name")
        return SlackProfile(
            user=SlackUser(self.team_id, str(user["id"])),
            name=str(name or user["id"]),
            email=own.get("email") or None,
            email_confirmed=bool(user.get("is_email_confirmed", False)),
            time_zone=user.get("tz") or None,
            home_team=self._home_team(user),
            is_bot=bool(user.get("is_bot")) or user["id"] == "USLACKBOT",
            is_deleted=bool(user.get("deleted")),
            is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            is_stranger=bool(user.get("is_stranger")),
            is_admin=bool(user.get("is_admin") or user.get("is_owner")),
            real_name=str(real),
        )

    def _home_team(self, user: Mapping[str, Any]) -> str | None:
        """In an organisation a person is of several workspaces, and `team_id` names one of them."""
        inside = user.get("enterprise_user")
        teams = inside.get("teams") if isinstance(inside, Mapping) else None
        if isinstance(teams, list) and self.team_id in teams:
            return self.team_id
        return user.get("team_id")

    async def _all(self, method: str, key: str, **params: Any) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        cursor: str | None = None
        while True:
            body = await self._connection.read(method, limit=PAGE, cursor=cursor, **params)
            found.extend(body.get(key) or ())
            further = body.get("response_metadata")
            cursor = (further.get("next_cursor") or None) if isinstance(further, Mapping) else None
            if cursor is None:
                return found


def _blocks(blocks: Blocks | None) -> list[dict[str, Any]] | None:
    return None if blocks is None else [dict(block) for block in blocks]


def _moment(seconds: float) -> str:
    return f"{max(0.0, seconds):.6f}"
