"""Every setting with its name, default and help. `Settings(...)` is a value: it reads nothing from outside.

bot/environment.py fills it for `run` and the other verbs; the sandbox builds it from explicit values. The
names, defaults and help here are the one source of the README's table and of `.env.example`. Values never
appear in an error or a repr (`hide_input_in_errors`, `SecretStr`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from bot.setting_kinds import (
    LOOPBACK,
    DatabaseUrl,
    Keys,
    Lower,
    Networks,
    Secret,
    Secrets,
    Upper,
    Url,
    Words,
)

REGIONS: Mapping[str, Mapping[str, str]] = {
    "us": {"api": "https://api.pagerduty.com", "events": "https://events.pagerduty.com"},
    "eu": {"api": "https://api.eu.pagerduty.com", "events": "https://events.eu.pagerduty.com"},
}
IDENTITY = "https://identity.pagerduty.com"  # one host serves both regions

SEALED = "sealed"  # stands where a webhook secret would, and is none


def is_outside(url: str) -> bool:
    """Whether it leads away from this machine: only then may proxy variables count."""
    return urlsplit(url).hostname not in LOOPBACK


class Settings(BaseModel):
    """What the people who run the bot decide. Units are in each field's help."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True, allow_inf_nan=False)

    slack_bot_token: Secret | None = Field(
        None, description="Bot token (`xoxb-…`): *OAuth & Permissions* of your Slack app."
    )
    slack_signing_secret: Secret | None = Field(
        None, description="Signing secret: *Basic Information* of your Slack app. Not needed in Socket Mode."
    )
    slack_app_token: Secret | None = Field(
        None,
        description="App-level token (`xapp-…`, scope `connections:write`). Set: Socket Mode.",
    )
    slack_api_url: Url = Field("https://slack.com/api/", description="Where Slack's Web API lives.")
    slack_client_id: str | None = Field(
        None,
        description="Set: the workspaces of `SLACK_WORKSPACES` may install the bot at `/slack/install`, and "
        "people prove who they are by Sign in with Slack. *Basic Information* of your Slack app.",
    )
    slack_client_secret: Secret | None = Field(None, description="Goes with `SLACK_CLIENT_ID`.")
    slack_workspaces: Words = Field(
        (),
        description="Ids of workspaces (`T…`) and Enterprise Grid organisations (`E…`) that may install the "
        "bot at `/slack/install`, beside the one of `SLACK_BOT_TOKEN`; everybody else is turned away.",
    )
    slash_command: str = Field(
        "/pager", description="The slash command. `/pd` belongs to PagerDuty's own Slack app."
    )

    pagerduty_api_key: Secret | None = Field(
        None, description="General access REST API key (not read-only): *Integrations → API Access Keys*."
    )
    pagerduty_region: Annotated[Literal["us", "eu"], Lower] = Field(
        "us", description="Service region of your PagerDuty account: `us` or `eu`."
    )
    pagerduty_api_url: Url | None = Field(None, description="Origin of the REST API; follows the region.")
    pagerduty_events_url: Url | None = Field(
        None, description="Origin of the Events API; follows the region."
    )
    pagerduty_routing_key: Secret | None = Field(
        None,
        description="Integration Key of an Events API v2 integration, for `event` and `change` where no "
        "other is named. Nothing else needs it.",
    )
    pagerduty_identity_url: Url | None = Field(None, description="Origin of PagerDuty's OAuth server.")
    pagerduty_client_id: str | None = Field(
        None,
        description="Your PagerDuty OAuth app. Set: everyone links their own account and acts by their own "
        "token; unset: people are matched by e-mail.",
    )
    pagerduty_client_secret: Secret | None = Field(None, description="Goes with `PAGERDUTY_CLIENT_ID`.")
    pagerduty_oauth: Annotated[Literal["scoped", "classic"], Lower] = Field(
        "scoped", description="Kind of your PagerDuty OAuth app: `scoped` or `classic` (read and write)."
    )
    pagerduty_webhook_secrets: Secrets = Field(
        (),
        description="Secret of the V3 webhook subscription, shown at its creation. Several while rotating. "
        "`sealed`: those that `python -m bot webhooks` keeps in the database; they count in any case.",
    )

    pagerduty_v2_secrets: Secrets = Field(
        (),
        description="Set: generic V2 webhooks are taken too, when they carry one of these (docs/network.md).",
    )
    webhook_source_check: bool = Field(
        False, description="Take webhooks from PagerDuty's published addresses only (docs/network.md)."
    )
    trusted_proxies: Networks = Field(
        (),
        description="Addresses or CIDR ranges of your own proxies: only their `X-Forwarded-For` is believed.",
    )
    safelist_url: Url = Field(
        "https://developer.pagerduty.com", description="Where PagerDuty publishes its addresses."
    )
    safelist_seconds: float = Field(
        21600.0, gt=0, description="How often they are fetched for the source check, in seconds."
    )

    public_url: Url | None = Field(
        None, description="Where the bot is reached from outside, e.g. `https://pager.example.com`."
    )
    bind_host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3000, ge=0, le=65535, description="Port to listen on.")
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Own port for `/metrics`. Unset: on `PORT`, to loopback only."
    )
    database_url: DatabaseUrl = Field(
        SecretStr("sqlite:///pagerline.db"),
        description="`sqlite:///file.db` for one process, `postgresql://…` for several.",
    )
    encryption_keys: Keys = Field(
        (),
        description="Fernet keys, comma-separated, the first seals. On SQLite one is made beside the file; "
        "needed on PostgreSQL. `python -m bot key` prints a new one.",
    )

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = Field(
        "INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`."
    )
    log_format: Annotated[Literal["console", "json"], Lower] = Field(
        "console", description="`console` for people, `json` for machines."
    )
    admins: Words = Field(
        (),
        description="Slack user ids (`U…`) or user group ids (`S…`) of the people who run the bot (`T…:U…` "
        "in another workspace): told when something breaks, allowed to see the audit and to approve links.",
    )
    admin_channel: str | None = Field(
        None,
        description="Slack channel id for notes to the admins, instead of direct messages (`T…:C…` in "
        "another workspace).",
    )
    allow_guests: bool = Field(False, description="Let guests of your workspace act. Refused by default.")
    allow_strangers: bool = Field(
        False, description="Let people from other organisations in shared channels act. Refused by default."
    )
    allow_bots: bool = Field(False, description="Let bots and workflows ask. Refused by default.")
    allow_deactivated: bool = Field(
        False, description="Let accounts that were deactivated in Slack finish. Refused by default."
    )
    subscribers: Words = Field(
        ("everyone",),
        description="Who may subscribe channels: `everyone`, `admins`, or Slack user and user group ids.",
    )
    lookups_without_seat: bool = Field(
        True, description="Let people without a PagerDuty user look up who is on call and what is open."
    )
    trigger_without_seat: bool = Field(
        False, description="Let people without a PagerDuty user trigger incidents (by the Events API)."
    )
    trigger_without_seat_channels: Words = Field(
        (),
        description="Only in these channels (`C…`, or `T…:C…` of another workspace); empty: wherever they "
        "can reach the bot.",
    )
    trigger_without_seat_hourly: int = Field(5, ge=1, description="How often in an hour each of them may.")
    remind_unlinked: bool = Field(
        True, description="Remind people who are not linked the day before they go on call."
    )
    audit_days: int = Field(400, ge=0, description="How many days the audit is kept; 0: for ever.")
    events_days: int = Field(
        90,
        ge=0,
        description="How many days events, and incidents resolved since then with their messages' rows, are "
        "kept; 0: for ever. What Slack shows stays there.",
    )

    gameday_service: str | None = Field(
        None,
        description="Id or name of a *test* service: the only one that `python -m bot gameday` touches "
        "(docs/gameday.md).",
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
    storm_calm_seconds: float = Field(
        120.0,
        gt=0,
        description="After a storm: how long nothing may happen in a channel before what is still open gets "
        "its own message, in seconds.",
    )
    slack_call_seconds: float = Field(
        5.0, gt=0, description="Longest wait for an answer from Slack, in seconds."
    )
    lease_seconds: float = Field(
        15.0, gt=0, description="How long one replica holds a channel or a command, in seconds."
    )
    look_up_seconds: float = Field(
        15.0,
        gt=0,
        description="How long after an unanswered call it is looked up, in seconds.",
    )
    poll_seconds: float = Field(
        2.0,
        gt=0,
        description="How often the database is asked what to deliver when nothing hints, in seconds.",
    )
    sweep_seconds: float = Field(
        300.0, gt=0, description="How often open incidents are read again from PagerDuty, in seconds."
    )
    watch_seconds: float = Field(
        60.0, gt=0, description="How often PagerDuty is asked whether it still delivers to us, in seconds."
    )
    follow_seconds: float = Field(
        5.0,
        gt=0,
        description="How often PagerDuty's log is read where no webhook is set up (Socket Mode without "
        "`PAGERDUTY_WEBHOOK_SECRETS`), in seconds.",
    )
    as_of_seconds: float = Field(
        20.0,
        gt=0,
        description="How long PagerDuty must not answer before channels are told as of when they are true, "
        "in seconds.",
    )
    shutdown_seconds: float = Field(
        20.0, gt=0, description="How long a stop waits for accepted work, in seconds."
    )

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        bare = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in bare.items() if value != ""}

    @field_validator("slash_command")
    @classmethod
    def _command_is_slacks(cls, value: str) -> str:
        if not re.fullmatch(r"/[^\sA-Z/]{1,31}", value):
            raise ValueError("must be a slash, then up to 31 lower-case characters without spaces")
        return value

    @field_validator("slack_workspaces")
    @classmethod
    def _workspaces_are_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[TE][A-Z0-9]+", one) for one in value):
            raise ValueError("must be ids of workspaces (T…) or organisations (E…), comma-separated")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _ends_in_a_slash(cls, value: str) -> str:
        return value if value.endswith("/") else value + "/"

    @model_validator(mode="after")
    def _periods_fit(self) -> Self:
        # PagerDuty repeats a delivery for 48 hours: a forgotten event would be taken for a new one.
        if 0 < self.events_days < 7:
            raise ValueError("EVENTS_DAYS must be 7 or more, or 0 to keep them for ever")
        if self.lease_seconds < 2 * self.slack_call_seconds:
            raise ValueError(
                "LEASE_SECONDS must be at least twice SLACK_CALL_SECONDS, or a lease ends during a call"
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
    def webhook_secrets(self) -> tuple[SecretStr, ...]:
        """Those that stand in the settings themselves."""
        return tuple(one for one in self.pagerduty_webhook_secrets if one.get_secret_value() != SEALED)

    @property
    def socket_mode(self) -> bool:
        """Slack reaches us through a websocket we opened."""
        return self.slack_app_token is not None

    @property
    def links_people(self) -> bool:
        """OAuth mode: everyone acts by their own token."""
        return self.pagerduty_client_id is not None

    @property
    def installs(self) -> bool:
        """Several workspaces may install the bot."""
        return self.slack_client_id is not None

    @property
    def names_user_groups(self) -> bool:
        """Whether ADMINS or SUBSCRIBERS name a Slack user group (`S…`, or `T…:S…` of another workspace)."""
        return any(one.rpartition(":")[2].startswith("S") for one in (*self.admins, *self.subscribers))

    @property
    def on_sqlite(self) -> bool:
        """One process, one file."""
        return self.database_url.get_secret_value().startswith("sqlite")

    def missing(self, names: Iterable[str]) -> list[str]:
        """One line for each of these settings that has no value."""
        return [
            f"{name.upper()} is missing: {Settings.model_fields[name].description}"
            for name in dict.fromkeys(names)
            if getattr(self, name) in (None, (), "")
        ]


TO_RUN = ("slack_bot_token", "pagerduty_api_key")


def needed_to_run(settings: Settings) -> tuple[str, ...]:
    """The settings `run` cannot do without, given the others: a signing secret and PagerDuty's deliveries
    unless Socket Mode (then nothing need reach us), shared keys on PostgreSQL, an address to come back to
    where people link or install. Workspaces that install the bot bring their own token.
    """
    needs: tuple[str, ...] = TO_RUN
    if settings.links_people:
        needs += ("pagerduty_client_secret", "public_url")
    if settings.installs:
        needs += ("slack_client_secret", "public_url")
        if settings.slack_bot_token is None:
            needs = (*(name for name in needs if name != "slack_bot_token"), "slack_workspaces")
    if not settings.socket_mode:
        needs += ("slack_signing_secret", "pagerduty_webhook_secrets")
    if not settings.on_sqlite:
        needs += ("encryption_keys",)
    return needs
