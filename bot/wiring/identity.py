"""Who people are, opened: the mode they act in, what they may, and in OAuth mode where they link.

PAGERDUTY_CLIENT_ID decides the mode.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog

from bot.accounts.acting import Accounts
from bot.accounts.by_email import AccountsByEmail
from bot.accounts.by_link import AccountsByLink
from bot.accounts.completing import OnLinked, Start
from bot.accounts.keeping_fresh import KeepFresh
from bot.accounts.link_side import LinkSide, build_link_side
from bot.accounts.linking import CALLBACK_PATH, SIGN_IN_PATH
from bot.accounts.members import Allowed, Members
from bot.accounts.tokens import Tokens
from bot.command.ended_links import EndedLinks
from bot.command.tasks import Stopping, TrackedTasks
from bot.errors import UserError
from bot.pagerduty.oauth import PagerDutyOAuth
from bot.slack.sign_in import SignIn
from bot.store.accounts import AccountStore
from bot.wiring.parts import Parts

log = structlog.get_logger("pagerline.app")


@dataclass(frozen=True, slots=True)
class Linked:
    """OAuth mode: where people link, and what keeps their tokens fresh."""

    side: LinkSide
    fresh: KeepFresh


@dataclass(frozen=True, slots=True)
class Identity:
    """`linked` None: people are matched by e-mail address."""

    accounts: Accounts
    linked: Linked | None


def open_identity(parts: Parts, tasks: TrackedTasks, on_linked: OnLinked, stack: AsyncExitStack) -> Identity:
    """`on_linked` is told of every new link. Raises UserError when a setting of the mode is missing."""
    settings, store, slack, pagerduty = parts.settings, parts.store, parts.slack, parts.pagerduty
    allowed = Allowed(
        guests=settings.allow_guests,
        strangers=settings.allow_strangers,
        bots=settings.allow_bots,
        deactivated=settings.allow_deactivated,
    )
    members = Members(slack.workspaces, allowed=allowed)
    if settings.pagerduty_client_id is None:
        return Identity(AccountsByEmail(members, pagerduty.directory, pagerduty.reader), None)

    app = _pagerduty_app(parts)
    links = AccountStore(store.database, store.sealer)
    side = build_link_side(
        settings,
        database=store.database,
        sealer=store.sealer,
        accounts=links,
        oauth=app,
        reader=pagerduty.reader,
        members=members,
        workspaces=slack.workspaces,
        admins=parts.permissions,
        sign_in=_sign_in(parts),
        start=_starting(tasks),
        on_linked=on_linked,
    )
    ended = EndedLinks(
        links,
        pagerduty.directory,
        side.linking,
        slack.workspaces,
        store.notices,
        slash=settings.slash_command,
    )
    tokens = Tokens(links, store.leases, app, on_ended=ended.tell, count=parts.metrics.token_refresh)
    stack.push_async_callback(tokens.close)
    accounts = AccountsByLink(members, links, tokens, app, pagerduty.reader, asked=app.scopes)
    return Identity(accounts, Linked(side, KeepFresh(tokens, links, store.leases)))


def _pagerduty_app(parts: Parts) -> PagerDutyOAuth:
    settings = parts.settings
    client_id, secret, url = (
        settings.pagerduty_client_id,
        settings.pagerduty_client_secret,
        settings.public_url,
    )
    if client_id is None or secret is None or url is None:
        raise UserError("PAGERDUTY_CLIENT_ID needs PAGERDUTY_CLIENT_SECRET and PUBLIC_URL beside it.")
    return PagerDutyOAuth(
        parts.pagerduty.session,
        identity_url=settings.identity_url,
        client_id=client_id,
        client_secret=secret,
        redirect_uri=url.rstrip("/") + CALLBACK_PATH,
        kind=settings.pagerduty_oauth,
        scopes={command.scope for command in parts.catalog if command.scope is not None},
        on_call=parts.metrics.pagerduty_call,
    )


def _sign_in(parts: Parts) -> SignIn | None:
    settings = parts.settings
    client_id, secret, url = settings.slack_client_id, settings.slack_client_secret, settings.public_url
    if client_id is None or secret is None or url is None:
        return None
    return SignIn(
        parts.slack.session,
        base_url=settings.slack_api_url,
        client_id=client_id,
        client_secret=secret,
        redirect_uri=url.rstrip("/") + SIGN_IN_PATH,
        on_call=parts.metrics.slack_call,
    )


def _starting(tasks: TrackedTasks) -> Start:
    def start(work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            tasks.start(work, name=name)
        except Stopping:
            log.info("left_for_later", work=name)  # the store knows of it

    return start
