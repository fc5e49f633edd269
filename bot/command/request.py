"""What reached us from Slack, as one value whatever the door: typed, mentioned, pressed, chosen or submitted.

bot/inbound/slack.py makes requests from payloads; bot/command/run.py carries them out. A request that acts is
stored as an intent, and can be made again from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model import Channel, SlackUser
from bot.slack.marks import Mark


class Surface(StrEnum):
    """Where the words came from; it decides how an answer goes back."""

    SLASH = "slash"  # has a reply address, which may replace its own earlier answer
    MENTION = "mention"  # `@pagerline …`: a thread gives context; no reply address, no trigger
    DIRECT = "direct"  # a message in the bot's own conversation with somebody
    BUTTON = "button"  # a control on a message of ours
    DIALOG = "dialog"  # a control in an open view: the answer takes the view's place
    FORM = "form"  # a submitted form: it closed, answers go to where it was opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`key` is Slack's own name for this one act (trigger id; team, channel and ts of a message; view id and
    hash), the same when Slack repeats itself. `text` is the whole line, verb first; `fields` the values by
    argument, of a form or a control that carries them.
    """

    key: str
    user: SlackUser
    surface: Surface
    text: str
    fields: Mapping[str, str] | None = None
    channel_id: str = ""
    thread_ts: str | None = None
    message_ts: str | None = None  # the message that was pressed
    response_url: str | None = None
    trigger_id: str | None = None
    view_id: str | None = None
    on_private_reply: bool = False  # the control stands on an answer of ours, which the next may replace
    mark: Mark | None = None  # what the pressed message's metadata says it is
    asked_at: datetime | None = None  # of one that was interrupted: the database's clock

    @property
    def act(self) -> str:
        """The key without what tells two submissions of one form apart (`view:V1#hash`)."""
        return self.key.partition("#")[0]

    @property
    def channel(self) -> Channel:
        """The conversation; its id is empty where there is none."""
        return Channel(self.user.team_id, self.channel_id)

    @property
    def in_direct_message(self) -> bool:
        """In the bot's conversation with one person, where everything is private."""
        return self.channel_id.startswith("D")

    @property
    def from_control(self) -> bool:
        """Words that we wrote ourselves; a control that carries values carries a person's words."""
        return self.surface in (Surface.BUTTON, Surface.DIALOG) and self.fields is None
