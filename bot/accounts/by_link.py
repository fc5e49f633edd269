"""OAuth mode: everyone acts by their own token, which they gave by linking their PagerDuty account.

PagerDuty itself then knows who acts and what their role allows. Reads go by the account's key. The warm path
asks neither PagerDuty nor Slack: the profile is known, link and token are one row of the database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal, Protocol

from bot.accounts.acting import Acting, Ended, Link
from bot.accounts.completing import REPLACED
from bot.accounts.members import Members
from bot.accounts.tokens import EXPIRED, REFUSED, Held, SignIn
from bot.errors import NotLinked
from bot.model import Person, SlackProfile, SlackUser
from bot.pagerduty.client import PagerDuty
from bot.store.accounts import AccountStore

WHY_ENDED = {
    REFUSED: "PagerDuty no longer accepts it: it was revoked, or not used for too long.",
    EXPIRED: "It ran out, and PagerDuty gave no way to renew it.",
    REPLACED: "Another Slack user is linked to that PagerDuty user now.",
}


class Holder(Protocol):
    """bot/accounts/tokens.py."""

    async def held(self, user: SlackUser) -> Held:
        """The person's link and a fresh token. Raises NotLinked, PagerDutyUnavailable."""


class AccountsByLink:
    """See bot/accounts/acting.py for what it answers. `asked`: the scopes people are asked for."""

    mode: Literal["email", "oauth"] = "oauth"

    def __init__(
        self,
        members: Members,
        links: AccountStore,
        tokens: Holder,
        sign_in: SignIn,
        account: PagerDuty,
        *,
        asked: Collection[str] = (),
    ) -> None:
        self._members = members
        self._links = links
        self._tokens = tokens
        self._sign_in = sign_in
        self._account = account
        self._asked = sorted(set(asked) - {"openid"})

    def reader(self) -> PagerDuty:
        """The account key's client, for reads only."""
        return self._account

    async def member(self, user: SlackUser) -> SlackProfile:
        """A person this bot answers: of this workspace, a full member, alive. Raises NotAllowed."""
        return await self._members.member(user)

    async def person(self, profile: SlackProfile) -> Person:
        """The PagerDuty user they have linked. Raises NotLinked, PagerDutyUnavailable."""
        return (await self._tokens.held(profile.user)).account.person

    async def act_as(self, user: SlackUser, scope: str) -> Acting:
        """A client with their own token. Raises NotAllowed, or NotLinked when there is no link (any more), or
        one that does not cover `scope`; PagerDutyUnavailable when their token cannot be renewed now.
        """
        profile = await self.member(user)
        held = await self._tokens.held(user)
        if not covers(held.account.scopes, scope):
            raise NotLinked(
                f"Your link to PagerDuty does not cover this: the scope {scope} was not granted. "
                "Link again and allow it; if it stays away, ask whoever runs this bot."
            )
        own = replace(self._account, credentials=held.token, sender=None)
        return Acting(profile, held.account.person, own, "oauth")

    async def link_of(self, user: SlackUser) -> Link | Ended | None:
        """How their link stands; None when there never was one."""
        if living := await self._links.living(user):
            missing = tuple(one for one in self._asked if not covers(living.scopes, one))
            ends_at = living.expires_at if living.sealed_refresh is None else None
            readable = self._links.can_open(living)
            return Link(living.person, living.scopes, living.linked_at, missing, ends_at, readable)
        if ended := await self._links.ended(user):
            return Ended(ended.person, ended.ended_at, WHY_ENDED.get(ended.why, ended.why))
        return None

    async def linked_in(self, team_id: str) -> Mapping[str, str] | None:
        """PagerDuty user id → Slack user id of everybody who is linked."""
        return {one.person.id: one.user.id for one in await self._links.all_living(team_id)}

    async def unlink(self, user: SlackUser) -> bool | None:
        """Forget their tokens; None when there were none, else whether PagerDuty says they are revoked."""
        was_linked = await self._links.living(user) is not None
        pair = await self._links.remove(user)
        if pair is None:
            return False if was_linked else None
        tokens = [token for token in (pair.refresh, pair.access) if token is not None]
        return all([await self._sign_in.revoke(token) for token in tokens])


def covers(granted: frozenset[str], scope: str) -> bool:
    """Whether a grant allows what a command needs: by the scope's own name, or, of a classic app, by `write`
    (which reads too) or `read`.
    """
    if scope in granted or "write" in granted:
        return True
    return "read" in granted and scope.endswith((".read", "read"))
