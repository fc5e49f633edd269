"""The tables of incidents and of what Slack shows of them, one schema for SQLite and PostgreSQL.

Migrations build it (bot/store/migrations); a test holds the two equal. Every Slack id stands with its
`team_id`. What people ask for, and who they are, is in people_tables.py.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from bot.store.columns import Key, Moment, new_metadata

metadata = new_metadata()

# ---------------------------------------------------------------------------------------- what PagerDuty says

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BigInteger),
    Column("status", Text),  # null with the snapshot: heard of, never seen
    Column("urgency", Text),
    Column("priority_rank", Integer),  # 0 is the most severe; null: no priority, or its rank is not known
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
    Column("kind", Text, nullable=False),  # incident; in a storm page, news; afterwards summary
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
    # Few at any time: the pages and news of storms.
    Index(
        "ix_messages_storms",
        "team_id",
        "channel_id",
        sqlite_where=text("kind <> 'incident' AND gone IS NULL"),
        postgresql_where=text("kind <> 'incident' AND gone IS NULL"),
    ),
    # Few at any time: messages that need a look whatever their incident does.
    Index(
        "ix_messages_open_question",
        "id",
        sqlite_where=text("ts IS NULL OR posting_since IS NOT NULL OR next_try_at IS NOT NULL"),
        postgresql_where=text("ts IS NULL OR posting_since IS NOT NULL OR next_try_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,  # Slack keeps these ids in old messages: they are never given twice
)

shown = Table(
    "shown",
    metadata,
    Column("message_id", Key, ForeignKey("messages.id"), primary_key=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column(
        "revision", BigInteger, nullable=False
    ),  # the revision that was rendered, not the newest; 0: its page does not show it yet
    Column("hash", Text, nullable=False),  # of what was rendered: equal renders are not sent again
    Column("shown_at", Moment),
    Index("ix_shown_incident_id", "incident_id"),  # or each incident that retention deletes costs a full scan
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
    Index(
        "ix_thread_lines_ts",
        "ts",
        sqlite_where=text("ts IS NOT NULL"),
        postgresql_where=text("ts IS NOT NULL"),
    ),
    # What stands nowhere yet, message by message: the question goes through it.
    Index(
        "ix_thread_lines_waiting",
        "message_id",
        "event_id",
        sqlite_where=text("ts IS NULL AND dropped = 0"),
        postgresql_where=text("ts IS NULL AND NOT dropped"),
    ),
    Index("ix_thread_lines_event_id", "event_id"),  # as ix_shown_incident_id, for events
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
    Column("broken_reason", Text),  # with told_at kept while posts are only tried again
    Column("told_at", Moment),  # its maker was told: the newest post's time in Slack then, or the moment
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
    Column("calm_since", Moment),  # in storm, but calm: what is open gets its own message
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

list_changes = Table(
    "list_changes",
    metadata,
    Column("name", Text, primary_key=True),  # of what is kept of PagerDuty: services, policies, on_calls …
    Column("revision", BigInteger, nullable=False),  # grows with every change that one of us heard of or made
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("position", BigInteger, nullable=False, server_default="0"),
)
