"""The workspace as Slack would store it: people, channels, messages. Calls and people's acts change it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.journal import Changes
from bot.sandbox.world import Person, World

SLACKBOT = "USLACKBOT"


@dataclass
class Message:
    """A message; with `seen_by` it is ephemeral and exists for that user only (and not in any history)."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    by_bot: bool = False
    subtype: str | None = None
    edited_ts: str | None = None
    edits: int = 0
    seen_by: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Channel:
    """A conversation. `kind` is public, private or im; `user` is the other side of an im."""

    id: str
    name: str
    kind: str
    created: int
    members: list[str]
    topic: str = ""
    is_archived: bool = False
    user: str | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, dict[str, Message]] = field(default_factory=dict)

    def replies(self, parent: str) -> list[Message]:
        """The replies below this parent, oldest first."""
        return list(self.threads.get(parent, {}).values())

    def add(self, message: Message) -> None:
        self.messages[message.ts] = message
        if message.is_reply and message.thread_ts:
            self.threads.setdefault(message.thread_ts, {})[message.ts] = message

    def discard(self, message: Message) -> None:
        self.messages.pop(message.ts, None)
        self.threads.get(message.thread_ts or "", {}).pop(message.ts, None)


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str]


class Workspace:
    """Everything Slack remembers about one team. Times are UNIX seconds of the given clock."""

    def __init__(self, world: World, clock: Callable[[], float], changes: Changes) -> None:
        self.world = world
        self.clock = clock
        self.changes = changes
        self.people: dict[str, Person] = {p.slack_id: p for p in world.people}
        self.bot = world.bot_user_id
        self.enterprise_id: str | None = None  # of the organisation it belongs to
        self.by_organisation = False  # the app was installed for the whole organisation
        self.channels: dict[str, Channel] = {}
        self.usergroups = {g.id: UserGroup(g.id, g.handle, g.name, list(g.people)) for g in world.groups}
        self.posted: list[
            Message
        ] = []  # every message the bot ever posted, deleted ones too: doubles are found here
        self._counter = itertools.count(1)
        self._last_ts = 0
        for channel in world.channels:
            members = [p.slack_id for p in world.people if p.kind not in ("bot", "deleted")]
            if channel.bot_is_member:
                members.append(self.bot)
            kind = "private" if channel.private else "public"
            self.channels[channel.id] = Channel(
                channel.id, channel.name, kind, int(clock()), members, topic=channel.topic
            )

    def next_id(self, prefix: str) -> str:
        """A new id that looks like Slack's, such as `V0000001A7`: unique within this workspace."""
        return f"{prefix}{next(self._counter):04d}{secrets.token_hex(3).upper()}"

    def next_ts(self) -> str:
        """A message timestamp, `seconds.micros`, larger than all before it: it is the message's id."""
        micros = max(int(self.clock() * 1_000_000), self._last_ts + 1)
        self._last_ts = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def person(self, user: str) -> Person:
        """Raises `user_not_found`."""
        try:
            return self.people[user]
        except KeyError:
            raise SlackError("user_not_found") from None

    def channel(self, channel: str) -> Channel:
        """Raises `channel_not_found`."""
        try:
            return self.channels[channel]
        except KeyError:
            raise SlackError("channel_not_found") from None

    def visible_channel(self, channel: str) -> Channel:
        """The channel if the bot may know of it: a private one it is not in does not exist for it."""
        found = self.channel(channel)
        if found.kind != "public" and self.bot not in found.members:
            raise SlackError("channel_not_found")
        return found

    def direct_messages(self, user: str) -> Channel:
        """The app's conversation with this user, made if needed. Raises `user_not_found`, `cannot_dm_bot`."""
        person = self.person(user)
        if person.kind == "bot":
            raise SlackError("cannot_dm_bot")
        for channel in self.channels.values():
            if channel.user == user:
                return channel
        dm = Channel(
            "D0" + user.removeprefix("U0"),
            "directmessage",
            "im",
            int(self.clock()),
            [user, self.bot],
            user=user,
        )
        self.channels[dm.id] = dm
        self.changes.publish("channel", channel=dm.id)
        return dm

    def message(self, channel: Channel, ts: str) -> Message:
        """Raises `message_not_found`."""
        try:
            return channel.messages[ts]
        except KeyError:
            raise SlackError("message_not_found") from None

    def put(self, channel: Channel, message: Message) -> Message:
        """Store a new message where it is seen, and tell the page."""
        message.blocks = self.with_ids(message.blocks)
        for attachment in message.attachments:
            if "blocks" in attachment:
                attachment["blocks"] = self.with_ids(attachment["blocks"])
        if message.seen_by:
            channel.ephemerals[message.ts] = message
        else:
            channel.add(message)
            if message.by_bot:
                self.posted.append(message)
        self.changes.publish("message", channel=channel.id, ts=message.ts, user=message.seen_by)
        return message

    def touch(self, message: Message) -> None:
        """The message was edited, or its thread grew."""
        self.changes.publish("message", channel=message.channel, ts=message.ts, user=message.seen_by)

    def remove(self, message: Message) -> None:
        """Delete a message or an ephemeral one; the replies of a deleted parent stay, as in Slack."""
        channel = self.channels[message.channel]
        if message.seen_by:
            channel.ephemerals.pop(message.ts, None)
        else:
            channel.discard(message)
        self.changes.publish("message_deleted", channel=channel.id, ts=message.ts, user=message.seen_by)

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """The blocks with a block_id each and an action_id per element: Slack makes up those left out."""
        made = []
        for block in blocks:
            elements = [e for e in block.get("elements", []) if isinstance(e, dict)] + [
                block[key] for key in ("accessory", "element") if isinstance(block.get(key), dict)
            ]
            if block.get("type") in ("actions", "section", "input"):
                for element in elements:
                    if element.get("type") != "image":
                        element.setdefault("action_id", secrets.token_urlsafe(4))
            made.append({**block, "block_id": block.get("block_id") or secrets.token_urlsafe(4)})
        return made

    def doubles(self, key: str | None = None, *, existing: bool = True) -> list[list[Message]]:
        """Messages of the bot in one channel with the same metadata: each group is one thing posted twice.

        With `key` only that field of the metadata's `event_payload` is compared (the bot's row id). With
        `existing=False` deleted messages count too.
        """
        groups: dict[tuple[str, str, str], list[Message]] = {}
        for message in self.posted:
            if message.metadata is None:
                continue
            if existing and message.ts not in self.channels[message.channel].messages:
                continue
            payload = message.metadata.get("event_payload", {})
            compared = payload if key is None else payload.get(key)
            if compared:
                name = str(message.metadata.get("event_type"))
                groups.setdefault((message.channel, name, repr(compared)), []).append(message)
        return [group for group in groups.values() if len(group) > 1]
