"""The data model as it began; bot/store/tables.py says what each column means.

Follows nothing. Expand first, contract a release later: old replicas keep running.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("person_name", sa.Text(), nullable=False),
        sa.Column("person_email", sa.Text(), nullable=True),
        sa.Column("access_token", sa.Text(), nullable=True),
        sa.Column("refresh_token", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("linked_at", sa.Double(), nullable=False),
        sa.Column("refreshed_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("team_id", "user_id", name="pk_accounts"),
    )
    op.create_index(
        "ix_accounts_person",
        "accounts",
        ["team_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("access_token IS NOT NULL"),
        postgresql_where=sa.text("access_token IS NOT NULL"),
    )
    op.create_index("ix_accounts_expires_at", "accounts", ["expires_at"])
    op.create_table(
        "audit",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("intent_id", KEY, nullable=True),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("subjects", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("accepted_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_accepted_at", "audit", ["accepted_at"])
    op.create_index("ix_audit_intent_id", "audit", ["intent_id"])
    op.create_index("ix_audit_team_id_user_id", "audit", ["team_id", "user_id"])
    op.create_table(
        "channels",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("closed_since", sa.Double(), nullable=True),
        sa.Column("storm_since", sa.Double(), nullable=True),
        sa.Column("calm_since", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("team_id", "channel_id", name="pk_channels"),
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursors"),
    )
    op.create_table(
        "event_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_event_keys"),
    )
    op.create_table(
        "events",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=True),
        sa.Column("subscription_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.Double(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("event_id", name="uq_events_event_id"),
        sa.UniqueConstraint("webhook_id", name="uq_events_webhook_id"),
    )
    op.create_index("ix_events_incident_id_occurred_at", "events", ["incident_id", "occurred_at"])
    op.create_index("ix_events_subscription_id", "events", ["subscription_id"])
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("urgency", sa.Text(), nullable=True),
        sa.Column("service_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=True),
        sa.Column("snapshot", sa.Text(), nullable=True),
        sa.Column("event_at", sa.Double(), nullable=True),
        sa.Column("rest_at", sa.Double(), nullable=True),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("read_at", sa.Double(), nullable=True),
        sa.Column("heard_at", sa.Double(), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stale_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("read_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("read_after", sa.Double(), nullable=True),
        sa.Column("touched", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_accepted_at", "incidents", ["accepted_at"])
    op.create_index("ix_incidents_number", "incidents", ["number"])
    op.create_index("ix_incidents_read_at", "incidents", ["read_at"])
    op.create_index(
        "ix_incidents_stale",
        "incidents",
        ["read_after"],
        sqlite_where=sa.text("stale_seq > read_seq"),
        postgresql_where=sa.text("stale_seq > read_seq"),
    )
    op.create_index("ix_incidents_status", "incidents", ["status"])
    op.create_table(
        "intents",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("thread_ts", sa.Text(), nullable=True),
        sa.Column("message_ts", sa.Text(), nullable=True),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=True),
        sa.Column("response_url", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
        sa.UniqueConstraint("key", name="uq_intents_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_intents_state_lease_until", "intents", ["state", "lease_until"])
    op.create_index(
        "ix_intents_parked",
        "intents",
        ["team_id", "user_id"],
        sqlite_where=sa.text("state = 'linking'"),
        postgresql_where=sa.text("state = 'linking'"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "notices",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("told_at", sa.Double(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_notices"),
    )
    op.create_table(
        "pace",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("blocked_until", sa.Double(), nullable=True),
        sa.Column("factor", sa.Double(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("team_id", "bucket", name="pk_pace"),
    )
    op.create_table(
        "people",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "person_id", name="pk_people"),
        sa.UniqueConstraint("team_id", "user_id", name="uq_people_team_id_user_id"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Text(), nullable=False),
        sa.Column("target_name", sa.Text(), nullable=False),
        sa.Column("urgencies", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("priorities", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("mention", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("broken_since", sa.Double(), nullable=True),
        sa.Column("broken_reason", sa.Text(), nullable=True),
        sa.Column("told_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint(
            "team_id",
            "channel_id",
            "kind",
            "target_id",
            name="uq_subscriptions_team_id_channel_id_kind_target_id",
        ),
    )
    op.create_index("ix_subscriptions_kind_target_id", "subscriptions", ["kind", "target_id"])
    op.create_table(
        "workspaces",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("enterprise_id", sa.Text(), nullable=True),
        sa.Column("is_organisation", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=True),
        sa.Column("bot_user_id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("bot_token", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("installed_by", sa.Text(), nullable=True),
        sa.Column("installed_at", sa.Double(), nullable=False),
        sa.Column("broken_since", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("team_id", name="pk_workspaces"),
    )
    op.create_table(
        "install_states",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_install_states"),
    )
    op.create_table(
        "usage",
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("hour", sa.Double(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identity", "hour", name="pk_usage"),
    )
    op.create_index("ix_usage_hour", "usage", ["hour"])
    op.create_table(
        "link_tickets",
        sa.Column("ticket_hash", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("intent_id", KEY, nullable=True),
        sa.Column("response_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.id"], name="fk_link_tickets_intent_id"),
        sa.PrimaryKeyConstraint("ticket_hash", name="pk_link_tickets"),
    )
    op.create_index("ix_link_tickets_expires_at", "link_tickets", ["expires_at"])
    op.create_index("ix_link_tickets_team_id_user_id", "link_tickets", ["team_id", "user_id"])
    op.create_table(
        "link_states",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("ticket_hash", sa.Text(), nullable=False),
        sa.Column("browser_hash", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("person_name", sa.Text(), nullable=True),
        sa.Column("person_email", sa.Text(), nullable=True),
        sa.Column("access_token", sa.Text(), nullable=True),
        sa.Column("refresh_token", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("token_expires_at", sa.Double(), nullable=True),
        sa.Column("confirmed_at", sa.Double(), nullable=True),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket_hash"], ["link_tickets.ticket_hash"], name="fk_link_states_ticket_hash"
        ),
        sa.PrimaryKeyConstraint("state_hash", name="pk_link_states"),
    )
    op.create_index("ix_link_states_expires_at", "link_states", ["expires_at"])
    op.create_table(
        "messages",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.Column("posting_since", sa.Double(), nullable=True),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("gone", sa.Double(), nullable=True),
        sa.Column("reposts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mention", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("mentioned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_messages_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint(
            "team_id", "channel_id", "incident_id", name="uq_messages_team_id_channel_id_incident_id"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_incident_id", "messages", ["incident_id"])
    op.create_index(
        "ix_messages_open_question",
        "messages",
        ["id"],
        sqlite_where=sa.text("ts IS NULL OR posting_since IS NOT NULL OR next_try_at IS NOT NULL"),
        postgresql_where=sa.text("ts IS NULL OR posting_since IS NOT NULL OR next_try_at IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_storms",
        "messages",
        ["team_id", "channel_id"],
        sqlite_where=sa.text("kind <> 'incident' AND gone IS NULL"),
        postgresql_where=sa.text("kind <> 'incident' AND gone IS NULL"),
    )
    op.create_index("ix_messages_team_id_channel_id_ts", "messages", ["team_id", "channel_id", "ts"])
    op.create_table(
        "shown",
        sa.Column("message_id", KEY, nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("shown_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_shown_incident_id"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_shown_message_id"),
        sa.PrimaryKeyConstraint("message_id", "incident_id", name="pk_shown"),
    )
    op.create_index("ix_shown_incident_id", "shown", ["incident_id"])
    op.create_table(
        "thread_lines",
        sa.Column("message_id", KEY, nullable=False),
        sa.Column("event_id", KEY, nullable=False),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.Column("posting_since", sa.Double(), nullable=True),
        sa.Column("dropped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_thread_lines_event_id"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_thread_lines_message_id"),
        sa.PrimaryKeyConstraint("message_id", "event_id", name="pk_thread_lines"),
    )
    op.create_index("ix_thread_lines_ts_dropped", "thread_lines", ["ts", "dropped"])
    op.create_index("ix_thread_lines_event_id", "thread_lines", ["event_id"])
