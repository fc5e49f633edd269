"""What an interaction gives the bot: a trigger id (one use, 3 s), a response URL (5 uses, 30 min)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.answers import SlackError

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    """Lets the bot open one view for `user`; `from_view` is the view it was pressed in, if any."""

    id: str
    user: str
    expires_at: float
    from_view: str | None = None
    used: bool = False


@dataclass
class ResponseUrl:
    """Lets the bot answer where `user` acted. `message` is the ts of the message acted on, if any."""

    token: str
    user: str
    channel: str
    expires_at: float
    message: str | None = None
    ephemeral: bool = False
    thread_ts: str | None = None
    uses_left: int = RESPONSE_URL_USES


class Tickets:
    """Issues and redeems both kinds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}
        self._response_urls: dict[str, ResponseUrl] = {}
        self._issued = 0
        self.trigger_seconds = TRIGGER_SECONDS  # more, where a busy machine is no matter

    def trigger(self, user: str, from_view: str | None = None) -> str:
        self._issued += 1
        name = f"{self._issued}.{int(self._clock())}.{secrets.token_hex(16)}"
        self._triggers[name] = Trigger(name, user, self._clock() + self.trigger_seconds, from_view)
        return name

    def has_response_url(self, token: str) -> bool:
        """Whether it was issued here."""
        return token in self._response_urls

    def redeem(self, trigger_id: str) -> Trigger:
        """Raises `invalid_trigger_id`, `expired_trigger_id` or `exchanged_trigger_id`."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if self._clock() > trigger.expires_at:
            raise SlackError("expired_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        trigger.used = True
        return trigger

    def response_url(
        self,
        user: str,
        channel: str,
        *,
        message: str | None = None,
        ephemeral: bool = False,
        thread_ts: str | None = None,
    ) -> ResponseUrl:
        ticket = ResponseUrl(
            secrets.token_urlsafe(18),
            user,
            channel,
            self._clock() + RESPONSE_URL_SECONDS,
            message,
            ephemeral,
            thread_ts,
        )
        self._response_urls[ticket.token] = ticket
        return ticket

    def use_response_url(self, token: str) -> ResponseUrl:
        """Raises `expired_url` or `used_url`; a token never issued is `no_service`."""
        ticket = self._response_urls.get(token)
        if ticket is None:
            raise SlackError("no_service")
        if self._clock() > ticket.expires_at:
            raise SlackError("expired_url")
        if ticket.uses_left < 1:
            raise SlackError("used_url")
        ticket.uses_left -= 1
        return ticket
