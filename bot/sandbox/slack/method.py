"""What a Web API method is, and what it gets: its arguments, the stores, and the scopes of the token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.installing import Installing
from bot.sandbox.slack.sign_in import SignIn
from bot.sandbox.slack.state import Channel, Workspace
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.tokens import Tokens
from bot.sandbox.slack.views import Views

TIER_2, TIER_3, TIER_4, SPECIAL = 20, 50, 100, 300  # calls a minute
_READ = {"public": "channels:read", "private": "groups:read", "im": "im:read"}
_HISTORY = {"public": "channels:history", "private": "groups:history", "im": "im:history"}


@dataclass
class Call:
    """One call by the bot. Handlers put what Slack would tell the bot about it into `events`."""

    arguments: Arguments
    workspace: Workspace
    views: Views
    tickets: Tickets
    scopes: set[str]
    origin: str
    open_socket: Callable[[], str]
    sign_in: SignIn
    installing: Installing
    tokens: Tokens
    token: str = ""
    events: list[Json] = field(default_factory=list)

    def need(self, *scopes: str) -> None:
        """Raises `missing_scope` unless the token has one of these."""
        if scopes and not self.scopes.intersection(scopes):
            raise SlackError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(self.scopes)))

    def readable(self, channel: Channel) -> None:
        """Raises `missing_scope` unless conversations of this kind may be looked up."""
        self.need(_READ[channel.kind])

    def history_of(self, channel: Channel) -> None:
        """Raises `missing_scope` or `not_in_channel` unless messages there may be read."""
        self.need(_HISTORY[channel.kind])
        if self.workspace.bot not in channel.members:
            raise SlackError("not_in_channel")


@dataclass(frozen=True)
class Method:
    """A method's handler, the scopes of which any is enough, its pace, and how its arguments may arrive.

    `proof`: the app's tokens, the app's client id and secret, or what a person gave by signing in.
    """

    handler: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    per_minute: int = TIER_3
    json_input: bool = True
    app_token: bool = False
    proof: Literal["token", "app", "person"] = "token"
