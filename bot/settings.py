"""Every setting with its name, default and help. `Settings(...)` is a value: it reads nothing from outside.

bot/environment.py fills it for `run` and the other verbs; the sandbox builds it from explicit values. The
names, defaults and help here are the one source of the README's table and of `.env.example`. Values never appear in an error or a
repr (`hide_input_in_errors`, `SecretStr`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
REGIONS: Mapping[str, Mapping[str, str]] = {
    "us": {"api": "https://api.pagerduty.com", "events": "https://events.pagerduty.com"},
    "eu": {"api": "https://api.eu.pagerduty.com", "events": "https://events.eu.pagerduty.com"},
}
IDENTITY = "https://identity.pagerduty.com"  # one host serves both regions


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _split_secrets(value: Any) -> Any:
    words = _split(value)
    return tuple(SecretStr(word) if isinstance(word, str) else word for word in words)


def _blank_is_unset(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_secrets)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_is_unset)]


class Settings(BaseModel):
    """What the people who run the bot decide. Units are in each field's help."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True)

    slack_bot_token: OptionalSecret = Field(
        None, description="Bot token (`xoxb-…`): *OAuth & Permissions* of your Slack app."
    )
    slack_signing_secret: OptionalSecret = Field(
        None, description="Signing secret: *Basic Information* of your Slack app. Not needed in Socket Mode."
    )
    slack_app_token: OptionalSecret = Field(
        None,
        description="App-level token (`xapp-…`, scope `connections:write`). Set: Socket Mode.",
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Where Slack's Web API lives.")
    slack_client_id: OptionalText = Field(
        None,
        description="For installing into several workspaces; not used by this release.",
    )
    slack_client_secret: OptionalSecret = Field(
        None, description="Goes with `SLACK_CLIENT_ID`; not used by this release."
    )
    slash_command: str = Field(
        "/pager", description="The slash command. `/pd` belongs to PagerDuty's own Slack app."
    )

    pagerduty_api_key: OptionalSecret = Field(
        None, description="General access REST API key (not read-only): *Integrations → API Access Keys*."
    )
    pagerduty_region: Literal["us", "eu"] = Field(
        "us", description="Service region of your PagerDuty account: `us` or `eu`."
    )
    pagerduty_api_url: OptionalText = Field(None, description="Origin of the REST API; follows the region.")
    pagerduty_events_url: OptionalText = Field(
        None, description="Origin of the Events API; follows the region."
    )
    pagerduty_identity_url: OptionalText = Field(None, description="Origin of PagerDuty's OAuth server.")
    pagerduty_client_id: OptionalText = Field(
        None, description="PagerDuty OAuth app; not used by this release (people are matched by e-mail)."
    )
    pagerduty_client_secret: OptionalSecret = Field(
        None, description="Goes with `PAGERDUTY_CLIENT_ID`; not used by this release."
    )
    pagerduty_webhook_secrets: Secrets = Field(
        (),
        description="Secret of the V3 webhook subscription, shown at its creation. Several while rotating.",
    )

    public_url: OptionalText = Field(
        None, description="Where the bot is reached from outside, e.g. `https://pager.example.com`."
    )
    bind_host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3000, ge=0, le=65535, description="Port to listen on.")
    metrics_port: Annotated[int | None, BeforeValidator(_blank_is_unset)] = Field(
        None, ge=0, le=65535, description="Own port for `/metrics`. Unset: on `PORT`, to loopback only."
    )
    database_url: SecretStr = Field(
        SecretStr("sqlite:///pagerline.db"),
        description="`sqlite:///file.db` for one process, `postgresql://…` for several.",
    )
    encryption_keys: Secrets = Field(
        (),
        description="Fernet keys, comma-separated, the first seals. On SQLite one is made beside the file; "
        "needed on PostgreSQL. `python -m bot key` prints a new one.",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="`console` for people, `json` for machines."
    )
    admins: Words = Field(
        (),
        description="Slack user ids of the people who run the bot: told when something breaks.",
    )
    admin_channel: OptionalText = Field(
        None, description="Slack channel id for notes to the admins, instead of direct messages."
    )
    allow_guests: bool = Field(False, description="Let guests of your workspace act. Refused by default.")
    allow_strangers: bool = Field(
        False, description="Let people from other organisations in shared channels act. Refused by default."
    )

    pace_channel_per_second: float = Field(
        1.0, gt=0, description="Posts per second in one channel (Slack allows about 1)."
    )
    pace_channel_burst: int = Field(
        3, ge=1, description="Posts at once in one channel before that pace holds."
    )
    pace_posts_per_minute: int = Field(300, ge=1, description="Posts per minute in the workspace.")
    pace_updates_per_minute: int = Field(
        50, ge=1, description="Edits per minute in the workspace; a fifth is kept for clicks."
    )
    slack_call_seconds: float = Field(
        5.0, gt=0, description="Longest wait for an answer from Slack, in seconds."
    )
    lease_seconds: float = Field(15.0, gt=0, description="How long one replica holds a channel, in seconds.")
    poll_seconds: float = Field(
        2.0,
        gt=0,
        description="How often the database is asked what to deliver when nothing hints, in seconds.",
    )
    sweep_seconds: float = Field(
        300.0, gt=0, description="How often open incidents are read again from PagerDuty, in seconds."
    )
    shutdown_seconds: float = Field(
        20.0, gt=0, description="How long a stop waits for accepted work, in seconds."
    )

    @field_validator("slash_command")
    @classmethod
    def _command_has_a_slash(cls, value: str) -> str:
        if (
            not value.startswith("/")
            or not 2 <= len(value) <= 32
            or any(c.isspace() or c.isupper() for c in value)
        ):
            raise ValueError("a slash, then up to 31 lower-case characters without spaces, such as /pager")
        return value

    @field_validator(
        "slack_api_url", "pagerduty_api_url", "pagerduty_events_url", "pagerduty_identity_url", "public_url"
    )
    @classmethod
    def _url_is_safe(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme == "http" and parts.hostname in LOOPBACK:
            return value
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("an https:// address (http:// only towards this machine itself)")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _ends_in_a_slash(cls, value: str) -> str:
        return value if value.endswith("/") else value + "/"

    @field_validator("database_url")
    @classmethod
    def _database_is_known(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().split(":", 1)[0].split("+", 1)[0] not in (
            "sqlite",
            "postgres",
            "postgresql",
        ):
            raise ValueError("sqlite:///file.db or postgresql://user:password@host/name")
        return value

    @model_validator(mode="after")
    def _periods_fit(self) -> Self:
        if self.lease_seconds < 2 * self.slack_call_seconds:
            raise ValueError(
                "LEASE_SECONDS: at least twice SLACK_CALL_SECONDS, or a lease ends during a call"
            )
        return self

    @property
    def api_url(self) -> str:
        """Origin of the REST API."""
        return (self.pagerduty_api_url or REGIONS[self.pagerduty_region]["api"]).rstrip("/")

    @property
    def events_url(self) -> str:
        """Origin of the Events API."""
        return (self.pagerduty_events_url or REGIONS[self.pagerduty_region]["events"]).rstrip("/")

    @property
    def identity_url(self) -> str:
        """Origin of the OAuth server."""
        return (self.pagerduty_identity_url or IDENTITY).rstrip("/")

    @property
    def socket_mode(self) -> bool:
        """Slack reaches us through a websocket we opened."""
        return self.slack_app_token is not None

    @property
    def on_sqlite(self) -> bool:
        """One process, one file."""
        return self.database_url.get_secret_value().startswith("sqlite")

    def missing(self, names: Iterable[str]) -> list[str]:
        """One line for each of these settings that has no value."""
        return [
            f"{name.upper()} is missing: {Settings.model_fields[name].description}"
            for name in names
            if getattr(self, name) in (None, (), "")
        ]


TO_RUN = ("slack_bot_token", "pagerduty_api_key", "pagerduty_webhook_secrets")


def needed_to_run(settings: Settings) -> tuple[str, ...]:
    """The settings `run` cannot do without, given the others: a signing secret unless Socket Mode, shared
    keys on PostgreSQL.
    """
    needs: tuple[str, ...] = TO_RUN
    if not settings.socket_mode:
        needs += ("slack_signing_secret",)
    if not settings.on_sqlite:
        needs += ("encryption_keys",)
    return needs
