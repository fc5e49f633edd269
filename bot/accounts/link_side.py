"""All of linking, built together from what bot/wiring opened."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import SecretStr

from bot.accounts.approval import Admins, Approvals
from bot.accounts.completing import Completion, OnLinked, Start
from bot.accounts.confirming import Confirming
from bot.accounts.faces import Faces
from bot.accounts.linking import Linking
from bot.accounts.members import Members
from bot.accounts.proof import Proof
from bot.model import Person
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.credentials import UserToken
from bot.pagerduty.oauth import Granted, PagerDutyOAuth
from bot.settings import Settings
from bot.slack.sign_in import SignIn
from bot.slack.workspaces import Workspaces
from bot.store.accounts import AccountStore
from bot.store.database import Database
from bot.store.links import Links
from bot.store.pending_links import PendingLinks
from bot.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class LinkSide:
    """What browsers and Slack's presses reach, and what admins decide (its `run` is a loop)."""

    linking: Linking
    confirming: Confirming
    approvals: Approvals


def build_link_side(
    settings: Settings,
    *,
    database: Database,
    sealer: Sealer,
    accounts: AccountStore,
    oauth: PagerDutyOAuth,
    reader: PagerDuty,
    members: Members,
    workspaces: Workspaces,
    admins: Admins,
    sign_in: SignIn | None,
    start: Start,
    on_linked: OnLinked,
) -> LinkSide:
    """`reader` is any PagerDuty client; whoever consented is asked for with their own new token."""

    async def who_is(granted: Granted) -> Person:
        return await replace(reader, credentials=UserToken(granted.access), sender=None).me()

    def missing(scopes: frozenset[str]) -> frozenset[str]:
        return oauth.missing_scopes(Granted(SecretStr(""), None, scopes, 0.0))

    pending = PendingLinks(database, sealer)
    completion = Completion(
        pending,
        accounts,
        oauth,
        workspaces,
        slash=settings.slash_command,
        start=start,
        on_linked=on_linked,
    )
    approvals = Approvals(
        pending,
        completion,
        admins,
        members,
        workspaces,
        accounts=accounts,
        channel_id=settings.admin_channel,
        slash=settings.slash_command,
    )
    faces = Faces(members, workspaces, slash=settings.slash_command)
    confirming = Confirming(
        pending,
        faces,
        Proof(workspaces, accounts),
        completion,
        approvals,
        sign_in=sign_in,
        missing=missing,
        slash=settings.slash_command,
    )
    linking = Linking(
        links=Links(database, sealer),
        pending=pending,
        accounts=accounts,
        oauth=oauth,
        who_is=who_is,
        faces=faces,
        completion=completion,
        confirming=confirming,
        public_url=settings.public_url or "",
        slash=settings.slash_command,
        region=settings.pagerduty_region,
    )
    return LinkSide(linking, confirming, approvals)
