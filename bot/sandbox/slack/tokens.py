"""The sandbox's tokens and what they may do: scopes can be taken away and a token can die."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from bot.sandbox.slack.answers import SlackError

DEFAULT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:join",
        "channels:manage",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "groups:write",
        "im:history",
        "im:read",
        "im:write",
        "mpim:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "usergroups:write",
        "users:read",
        "users:read.email",
    }
)
HISTORY_SCOPES = frozenset({"channels:history", "groups:history", "mpim:history"})


@dataclass
class Tokens:
    """`dead` is the error that every call with the bot token gets, such as `token_revoked`; None: alive.

    The client id and secret prove the app itself, which may send browsers to its `redirect_uris` alone.
    `former` tokens were taken back; an organisation's works in each of its workspaces.
    """

    bot_token: str = field(default_factory=lambda: f"xoxb-sandbox-{secrets.token_hex(12)}")
    app_token: str = field(default_factory=lambda: f"xapp-1-A0PAGER-{secrets.token_hex(12)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12))
    client_id: str = "1234567890.9876543210"
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    redirect_uris: set[str] = field(default_factory=set)
    scopes: set[str] = field(default_factory=lambda: set(DEFAULT_SCOPES))
    dead: str | None = None
    former: set[str] = field(default_factory=set)
    organisation_token: str = ""

    def of_the_same_app(self) -> Tokens:
        """For another workspace: the app is the same, and not installed there yet."""
        return Tokens(
            app_token=self.app_token,
            signing_secret=self.signing_secret,
            verification_token=self.verification_token,
            client_id=self.client_id,
            client_secret=self.client_secret,
            redirect_uris=self.redirect_uris,
            dead="account_inactive",
        )

    def renew(self) -> None:
        """Installed anew: the token of before stays dead."""
        self.former.add(self.bot_token)
        self.bot_token = f"xoxb-sandbox-{secrets.token_hex(12)}"
        self.dead = None

    def knows(self, token: str) -> bool:
        """Whether it is, or was, a token of this workspace."""
        return bool(token) and token in {self.bot_token, self.organisation_token, *self.former}

    def prove(self, client_id: str, client_secret: str) -> None:
        """Raises `invalid_client_id`, `bad_client_secret`."""
        if client_id != self.client_id:
            raise SlackError("invalid_client_id")
        if not hmac.compare_digest(client_secret.encode(), self.client_secret.encode()):
            raise SlackError("bad_client_secret")

    def scopes_of(self, token: str, *, app_level: bool) -> set[str]:
        """Its scopes. Raises `not_authed`, `invalid_auth`, `not_allowed_token_type`, or `dead`."""
        if not token:
            raise SlackError("not_authed")
        if token in self.former:
            raise SlackError("token_revoked")
        if token not in (self.bot_token, self.app_token, self.organisation_token):
            raise SlackError("invalid_auth")
        if (token == self.app_token) != app_level:
            raise SlackError("not_allowed_token_type")
        if self.dead and token == self.bot_token:
            raise SlackError(self.dead)
        return {"connections:write"} if app_level else self.scopes
