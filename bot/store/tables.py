"""Every table, in one schema for SQLite and PostgreSQL. Migrations build it (bot/store/migrations); a test
holds the two equal.

Moments are stored as `Moment`: UTC seconds since 1970 with microseconds, one representation on both
databases, so that comparing and adding are plain arithmetic and the database's own clock (`Database.now_sql`)
speaks the same language. Every Slack id stands with its `team_id`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.types import TypeDecorator, TypeEngine


class Moment(TypeDecorator[datetime]):
    """An aware datetime as UTC epoch seconds (double precision: microseconds until the year 2255)."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Aware datetimes become seconds; numbers pass (the clock's SQL expression adds seconds). Naive
        datetimes are a bug.
        """
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError("a naive datetime reached the database")
            return value.timestamp()
        return None if value is None else float(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Seconds become an aware UTC datetime."""
        return None if value is None else datetime.fromtimestamp(float(value), UTC)


class TextList(TypeDecorator[Sequence[str]]):
    """A list of texts as one parameter: an array for PostgreSQL, JSON for SQLite. No column has this type."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL's own array where there is one."""
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """SQLite's json_each reads it as a table."""
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


Key = BigInteger().with_variant(Integer, "sqlite")
"""Row ids that count up by themselves on both databases."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# ---------------------------------------------------------------------------------------- what PagerDuty says

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BigInteger),
    Column("status", Text),  # null with the snapshot: heard of, never seen
    Column("urgency", Text),
    Column("service_id", Text),
    Column("created_at", Moment),
    Column("snapshot", Text),  # model.Incident as JSON
    Column("event_at", Moment),  # PagerDuty's clock: the largest occurred_at applied
    Column("rest_at", Moment),  # PagerDuty's clock: updated_at of the last saved reading
    Column("accepted_at", Moment),  # the database's clock: when the last event or write was taken
    Column("read_at", Moment),  # the database's clock: when the last saved reading began
    Column("heard_at", Moment),  # the database's clock: when we first heard of it
    Column(
        "revision", BigInteger, nullable=False, server_default="0"
    ),  # grows only when something a message shows has changed
    Column("stale_seq", BigInteger, nullable=False, server_default="0"),  # marks set
    Column(
        "read_seq", BigInteger, nullable=False, server_default="0"
    ),  # marks answered; stale while behind stale_seq
    Column("read_after", Moment),  # the database's clock: not re-read before (a read that failed backs off)
    Column(
        "touched", Boolean, nullable=False, server_default=false()
    ),  # a person acted on it: keeps its single message in a storm
    Index("ix_incidents_number", "number"),
    Index("ix_incidents_status", "status"),
    Index("ix_incidents_accepted_at", "accepted_at"),
    Index("ix_incidents_read_at", "read_at"),
    Index(
        "ix_incidents_stale",
        "read_after",
        sqlite_where=text("stale_seq > read_seq"),
        postgresql_where=text("stale_seq > read_seq"),
    ),
)

events = Table(
    "events",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("webhook_id", Text, unique=True),
    Column("subscription_id", Text),
    Column("type", Text, nullable=False),
    Column("incident_id", Text),
    Column("occurred_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("applied", Boolean, nullable=False),
    Column("line", Text),  # events.StoryLine as JSON
    Column("raw", Text, nullable=False),
    Column("error", Text),  # why it could not be folded: kept raw, answered all the same
    Index("ix_events_incident_id_occurred_at", "incident_id", "occurred_at"),
    Index("ix_events_subscription_id", "subscription_id"),
)

# ------------------------------------------------------------------------------------------- what Slack shows

messages = Table(
    "messages",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("team_id", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # incident, page, summary
    Column("incident_id", Text, ForeignKey("incidents.id")),  # null for the other kinds
    Column("ts", Text),
    Column(
        "posting_since", Moment
    ),  # committed before a post: with no ts, its outcome is unknown and is looked up
    Column("made_at", Moment, nullable=False),
    Column("gone", Moment),  # not written any more: deleted by a person, or its channel closed
    Column("reposts", Integer, nullable=False, server_default="0"),
    Column("next_try_at", Moment),  # a call failed: not before
    Column("tries", Integer, nullable=False, server_default="0"),
    Column(
        "mention", Boolean, nullable=False, server_default=true()
    ),  # may its first post notify the assignee
    Column("mentioned", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("team_id", "channel_id", "incident_id"),
    Index("ix_messages_incident_id", "incident_id"),
    Index("ix_messages_team_id_channel_id_ts", "team_id", "channel_id", "ts"),
    # Few at any time: messages that need a look whatever their incident does.
    Index(
        "ix_messages_open_question",
        "id",
        sqlite_where=text("ts IS NULL OR posting_since IS NOT NULL OR next_try_at IS NOT NULL"),
        postgresql_where=text("ts IS NULL OR posting_since IS NOT NULL OR next_try_at IS NOT NULL"),
    ),
)

shown = Table(
    "shown",
    metadata,
    Column("message_id", Key, ForeignKey("messages.id"), primary_key=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("revision", BigInteger, nullable=False),  # the revision that was rendered, not the newest
    Column("hash", Text, nullable=False),  # of what was rendered: equal renders are not sent again
    Column("shown_at", Moment),
)

thread_lines = Table(
    "thread_lines",
    metadata,
    Column("message_id", Key, ForeignKey("messages.id"), primary_key=True),
    Column("event_id", Key, ForeignKey("events.id"), primary_key=True),
    Column("ts", Text),
    Column("posting_since", Moment),
    Column(
        "dropped", Boolean, nullable=False, server_default=false()
    ),  # its message is gone, or nothing was left to say
    Column("next_try_at", Moment),
    Column("tries", Integer, nullable=False, server_default="0"),
    Index("ix_thread_lines_ts_dropped", "ts", "dropped"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("team_id", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # service, team, all
    Column("target_id", Text, nullable=False),  # empty for all
    Column("target_name", Text, nullable=False),
    Column("urgencies", Text, nullable=False, server_default=text("''")),  # comma-separated; empty: every one
    Column("priorities", Text, nullable=False, server_default=text("''")),  # one to a line
    Column("mention", Boolean, nullable=False, server_default=true()),
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("broken_since", Moment),
    Column("broken_reason", Text),
    Column("told_at", Moment),  # when its maker was told that it is broken
    UniqueConstraint("team_id", "channel_id", "kind", "target_id"),
    Index("ix_subscriptions_kind_target_id", "kind", "target_id"),
)

channels = Table(
    "channels",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("channel_id", Text, primary_key=True),
    Column("closed_since", Moment),  # Slack refused it: archived, or the bot was removed
    Column("storm_since", Moment),  # its incidents go into pages
)

pace = Table(
    "pace",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("bucket", Text, primary_key=True),  # a method, or post:<channel>
    Column("tokens", Double, nullable=False),
    Column("at", Moment, nullable=False),  # when tokens were last counted
    Column("blocked_until", Moment),  # Slack's Retry-After
    Column(
        "factor", Double, nullable=False, server_default="1"
    ),  # learnt: below 1 after a 429, recovers with quiet
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Moment, nullable=False),
    Column("fence", BigInteger, nullable=False),
)

# ---------------------------------------------------------------------------------------- what people ask for

intents = Table(
    "intents",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),  # Slack's own: trigger id, mention ts, view id + hash
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("channel_id", Text),
    Column("thread_ts", Text),
    Column("message_ts", Text),
    Column("surface", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("fields", Text),  # a form's values as JSON
    Column("response_url", Text),  # sealed
    Column("state", Text, nullable=False),  # waiting, started, done, failed, expired, linking
    Column("holder", Text),
    Column("lease_until", Moment),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("expires_at", Moment, nullable=False),
    Column("outcome", Text),  # the reply's plain text
    Index("ix_intents_state_lease_until", "state", "lease_until"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("intent_id", Key),
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("person_id", Text),  # PagerDuty's
    Column("identity", Text, nullable=False),  # email, oauth, account
    Column("surface", Text, nullable=False),
    Column("channel_id", Text),
    Column("verb", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("subjects", Text, nullable=False, server_default=text("''")),  # incident ids, comma-separated
    Column("outcome", Text),  # null: begun, not known how it ended
    Column("detail", Text),
    Column("request_id", Text),
    Column("accepted_at", Moment, nullable=False),
    Column("done_at", Moment),
    Index("ix_audit_accepted_at", "accepted_at"),
)

people = Table(
    "people",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),  # PagerDuty's
    Column("user_id", Text, nullable=False),  # Slack's
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("seen_at", Moment, nullable=False),
    UniqueConstraint("team_id", "user_id"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("access_token", Text, nullable=False),  # sealed
    Column("refresh_token", Text),  # sealed
    Column("scopes", Text, nullable=False),
    Column("expires_at", Moment),
    Column("linked_at", Moment, nullable=False),
    Column("refreshed_at", Moment),
    UniqueConstraint("team_id", "person_id"),
)

link_states = Table(
    "link_states",
    metadata,
    Column("state_hash", Text, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("browser_hash", Text),
    Column("verifier", Text, nullable=False),  # sealed
    Column("intent_id", Key, ForeignKey("intents.id")),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("enterprise_id", Text),
    Column("name", Text, nullable=False),
    Column("bot_user_id", Text, nullable=False),
    Column("bot_id", Text, nullable=False),
    Column("bot_token", Text),  # sealed; null: the token of the settings
    Column("scopes", Text, nullable=False, server_default=text("''")),
    Column("installed_at", Moment, nullable=False),
    Column("broken_since", Moment),
)

notices = Table(
    "notices",
    metadata,
    Column("key", Text, primary_key=True),  # what was told once, to whom: never said twice
    Column("told_at", Moment, nullable=False),
)
