"""Where PagerDuty's webhooks come from, and their sealed secrets; which calls an act made; since when keys
are used; what changed of PagerDuty's lists; how severe an incident is, out of its snapshot.

bot/store/tables.py and people_tables.py say what each column means.

Follows 0001. Expand first, contract a release later: old replicas keep running.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RANKS = {
    "sqlite": "UPDATE incidents SET priority_rank = json_extract(snapshot, '$.priority.rank')",
    "postgresql": "UPDATE incidents SET priority_rank = (snapshot::json #>> '{priority,rank}')::integer",
}


def upgrade() -> None:
    op.create_table(
        "safelists",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("region", name="pk_safelists"),
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", name="pk_webhook_secrets"),
    )
    op.add_column("audit", sa.Column("calls", sa.Text(), nullable=True))
    op.create_table(
        "key_uses",
        sa.Column("setting", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("setting", "fingerprint", name="pk_key_uses"),
    )
    op.create_table(
        "list_changes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_list_changes"),
    )
    op.add_column("incidents", sa.Column("priority_rank", sa.Integer(), nullable=True))
    op.execute(RANKS[op.get_context().dialect.name])
    op.drop_index("ix_thread_lines_ts_dropped", "thread_lines")
    op.create_index(
        "ix_thread_lines_ts",
        "thread_lines",
        ["ts"],
        sqlite_where=sa.text("ts IS NOT NULL"),
        postgresql_where=sa.text("ts IS NOT NULL"),
    )
    op.create_index(
        "ix_thread_lines_waiting",
        "thread_lines",
        ["message_id", "event_id"],
        sqlite_where=sa.text("ts IS NULL AND dropped = 0"),
        postgresql_where=sa.text("ts IS NULL AND NOT dropped"),
    )
