"""What a person's verbs share: who they are to Slack, the way to the bot, and what they see when it fails."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.delivery import Delivered, Delivery, Kind, Parcel
from bot.sandbox.slack.state import SLACKBOT, Channel, Message, Workspace
from bot.sandbox.slack.tickets import ResponseUrl, Tickets
from bot.sandbox.slack.tokens import Tokens
from bot.sandbox.slack.views import Views


class CannotAct(LookupError):
    """A person cannot do this in Slack either: nothing was sent. The message says what there is to act on."""


@dataclass
class Acting:
    """The stores a person's acts touch, and the way to the bot."""

    workspace: Workspace
    views: Views
    tickets: Tickets
    tokens: Tokens
    delivery: Delivery
    origin: str = ""
    failures: list[Json] = field(default_factory=list)

    def identity(self, user: str) -> Json:
        """`user`, `team` and the other fields every interaction starts with."""
        world = self.workspace.world
        person = self.workspace.person(user)
        enterprise = self.workspace.enterprise_id
        return {
            "user": {
                "id": user,
                "username": person.handle,
                "name": person.handle,
                "team_id": person.slack_team,
            },
            "team": {"id": world.slack_team_id, "domain": world.slack_domain},
            "enterprise": {"id": enterprise, "name": enterprise} if enterprise else None,
            "is_enterprise_install": self.workspace.by_organisation,
            "api_app_id": world.app_id,
            "token": self.tokens.verification_token,
        }

    def where(self, channel: Channel) -> Json:
        """`channel` as interactions carry it: direct messages and private channels hide their names."""
        name = {"im": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)
        return {"id": channel.id, "name": name}

    def url_of(self, ticket: ResponseUrl) -> str:
        return f"{self.origin}/response/{ticket.token}"

    async def interaction(self, name: str, payload: Json, user: str, kind: Kind = "interactive") -> Delivered:
        return await self.delivery.send(Parcel(kind, name, payload, user))

    def failed(self, user: str, error: str, *, channel: str | None, what: str) -> None:
        """Show the person that the app did not answer, the way Slack does."""
        self.failures.append({"user": user, "error": error, "channel": channel, "what": what})
        if channel is not None:
            ts = self.workspace.next_ts()
            text = f'{what} failed with the error "{error}"'
            message = Message(channel, ts, SLACKBOT, text, seen_by=user)
            self.workspace.put(self.workspace.channel(channel), message)
