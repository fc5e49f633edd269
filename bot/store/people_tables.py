"""The tables of people: what they ask for, what they did, who they are, how they are linked; workspaces.

Migrations build it (bot/store/migrations); a test holds the two equal. Every Slack id stands with its
`team_id`; whatever is secret is sealed (bot/store/sealing.py).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from bot.store.columns import Key, Moment, new_metadata

people_metadata = new_metadata()

intents = Table(
    "intents",
    people_metadata,
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
    # Few at any time: what waits for its asker to link.
    Index(
        "ix_intents_parked",
        "team_id",
        "user_id",
        sqlite_where=text("state = 'linking'"),
        postgresql_where=text("state = 'linking'"),
    ),
    sqlite_autoincrement=True,  # the audit keeps these ids for longer than the rows live
)

audit = Table(
    "audit",
    people_metadata,
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
    Column("status", Integer),  # PagerDuty's HTTP status to the act's last write
    Column("request_id", Text),  # PagerDuty's
    Column("calls", Text),  # every call to PagerDuty that was made for it, as JSON (bot/store/made_calls.py)
    Column("accepted_at", Moment, nullable=False),
    Column("done_at", Moment),
    Index("ix_audit_accepted_at", "accepted_at"),
    Index("ix_audit_intent_id", "intent_id"),
    Index("ix_audit_team_id_user_id", "team_id", "user_id"),
    sqlite_autoincrement=True,  # ids grow, also after all was deleted
)

people = Table(
    "people",
    people_metadata,
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
    people_metadata,
    Column("team_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),  # PagerDuty's
    Column("person_name", Text, nullable=False),
    Column("person_email", Text),
    Column("access_token", Text),  # sealed; null: the link has ended, and why stands in ended_why
    Column("refresh_token", Text),  # sealed
    Column("scopes", Text, nullable=False),  # as granted, space-separated
    Column("expires_at", Moment),  # of the access token
    Column("generation", BigInteger, nullable=False, server_default="0"),  # grows with every new pair
    Column("linked_at", Moment, nullable=False),
    Column("refreshed_at", Moment),
    Column("ended_at", Moment),
    Column("ended_why", Text),
    # One Slack user per PagerDuty user, as long as the link lives.
    Index(
        "ix_accounts_person",
        "team_id",
        "person_id",
        unique=True,
        sqlite_where=text("access_token IS NOT NULL"),
        postgresql_where=text("access_token IS NOT NULL"),
    ),
    Index("ix_accounts_expires_at", "expires_at"),
)

link_tickets = Table(
    "link_tickets",
    people_metadata,
    Column("ticket_hash", Text, primary_key=True),  # of what stands in the link that Slack shows
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("intent_id", Key, ForeignKey("intents.id")),  # what was asked for, when something was
    Column("response_url", Text),  # sealed: of the message with the link, once it was pressed
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("done_at", Moment),
    Index("ix_link_tickets_expires_at", "expires_at"),
    Index("ix_link_tickets_team_id_user_id", "team_id", "user_id"),
)

link_states = Table(
    "link_states",
    people_metadata,
    Column("state_hash", Text, primary_key=True),  # of OAuth's `state`
    Column("ticket_hash", Text, ForeignKey("link_tickets.ticket_hash"), nullable=False),
    Column("browser_hash", Text, nullable=False),  # of the cookie: only this browser may come back with it
    Column("verifier", Text, nullable=False),  # PKCE, sealed
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),  # came back from PagerDuty: never a second time
    # What PagerDuty gave, until the person (and whoever must) has confirmed it.
    Column("person_id", Text),
    Column("person_name", Text),
    Column("person_email", Text),
    Column("access_token", Text),  # sealed
    Column("refresh_token", Text),  # sealed
    Column("scopes", Text),
    Column("token_expires_at", Moment),
    Column("confirmed_at", Moment),  # by the person, on the page: since then an admin's word is waited for
    Column("asked", Text),  # which messages asked the admins, as JSON: [[channel, ts], …]
    Column("settled_at", Moment),
    Column("outcome", Text),  # linked, refused, late, expired
    Column("decided_by", Text),  # the admin, by Slack user id
    Index("ix_link_states_expires_at", "expires_at"),
)

workspaces = Table(
    "workspaces",
    people_metadata,
    Column("team_id", Text, primary_key=True),  # the enterprise's id for an organisation-wide install
    Column("enterprise_id", Text),
    Column("is_organisation", Boolean, nullable=False, server_default=false()),
    Column("name", Text, nullable=False),
    Column("app_id", Text),
    Column("bot_user_id", Text, nullable=False),
    Column("bot_id", Text, nullable=False),
    Column("bot_token", Text),  # sealed; null: the token of the settings
    Column("scopes", Text, nullable=False, server_default=text("''")),
    Column("installed_by", Text),
    Column("installed_at", Moment, nullable=False),
    Column("broken_since", Moment),  # uninstalled, or its token was revoked
)

install_states = Table(
    "install_states",
    people_metadata,
    Column("state_hash", Text, primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

usage = Table(
    "usage",
    people_metadata,
    Column("identity", Text, primary_key=True),  # account, or team:user
    Column("hour", Moment, primary_key=True),  # its first second
    Column("calls", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),  # of these, answered 401 or 403
    Index("ix_usage_hour", "hour"),
)

event_keys = Table(
    "event_keys",
    people_metadata,
    Column("name", Text, primary_key=True),  # as people type it
    Column("routing_key", Text, nullable=False),  # sealed
    Column("added_at", Moment, nullable=False),
)

notices = Table(
    "notices",
    people_metadata,
    Column("key", Text, primary_key=True),  # what was told once, to whom: never said twice
    Column("told_at", Moment, nullable=False),
    Column("detail", Text),  # what is needed to take it back: a message's ts
)

safelists = Table(
    "safelists",
    people_metadata,
    Column("region", Text, primary_key=True),  # us, eu; "told:us" is what the admins know of
    Column("addresses", Text, nullable=False),  # addresses and CIDR ranges, space-separated
    Column("fetched_at", Moment, nullable=False),
)

webhook_secrets = Table(
    "webhook_secrets",
    people_metadata,
    Column("subscription_id", Text, primary_key=True),
    Column("secret", Text, nullable=False),  # sealed
    Column("added_at", Moment, nullable=False),
)

key_uses = Table(
    "key_uses",
    people_metadata,
    Column("setting", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),  # reveals nothing (bot/store/key_uses.py)
    Column("first_used_at", Moment, nullable=False),
)
