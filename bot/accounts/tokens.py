"""The token a linked person acts by: read from the store, renewed before it ends and after a 401.

bot/accounts/by_link.py asks for it at each act, bot/pagerduty/http.py again when PagerDuty answered 401, and
bot/accounts/keeping_fresh.py renews what nobody uses. A refresh token works once, so:

    one at a time      a lease per person over all replicas, one task per person in this process; whoever does
                       not get the lease waits until the generation has moved, and reads again
    stored, then used  the new pair is committed where the old one still stands, before anybody sees it
    refused            the old pair is used up: another process took the answer and died, or the link was
                       ended at PagerDuty. The link ends, tokens erased; who acts next is asked to link again
    no answer          nothing ends: the old access token goes on for as long as it lives

Nothing here stays in memory: what another replica changed counts at the next act.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog
from cachetools import TTLCache
from pydantic import SecretStr

from bot.errors import NotLinked, PagerDutyUnavailable, StoreUnavailable, UserError
from bot.model import SlackUser
from bot.pagerduty.credentials import UserToken
from bot.pagerduty.oauth import Granted, OAuthRefused, OAuthUnavailable
from bot.store.accounts import Account, AccountStore, TokenPair
from bot.store.leases import Leases
from bot.store.sealing import Unsealable

STORE_SECONDS = 8.0  # how long a new pair is tried to be stored while the database is away
LEASE_SECONDS = 20.0  # longer than the call to PagerDuty (oauth.CALL_SECONDS) and storing together
WAIT_SECONDS = 25.0  # for whoever holds the lease; longer than it, so that a dead holder's turn is taken over
REST_SECONDS = 30.0  # after a renewal without an answer, as long as the old token lives
MARGIN, JITTER = 120.0, 60.0  # seconds before its end at which a token is renewed
MARGIN_SHARE = 0.1  # of its life, for tokens that live but minutes
FIRST_LOOK, LONGEST_LOOK = 0.05, 0.5  # seconds between two looks at what another replica does
MOST_RESTING = 10_000

REFUSED, EXPIRED = "refused", "expired"  # why a link ended
NEVER = "You are not linked to PagerDuty yet. Link your PagerDuty user once, and I act as you from then on."
ENDED = "Your link to PagerDuty has ended: PagerDuty no longer accepts it. Link again to go on."
UNREADABLE = (
    "I can no longer read your link to PagerDuty: its encryption key is missing. Link again to go on."
)
ANOTHER_PERSON = "You have linked another PagerDuty user meanwhile, so I stopped. Ask again to act as them."
BUSY = "Your sign-in at PagerDuty is being renewed. Try again in a minute."
MISCONFIGURED = (
    "PagerDuty does not accept this bot's own sign-in. "
    "Ask whoever runs it to check PAGERDUTY_CLIENT_ID and PAGERDUTY_CLIENT_SECRET."
)

log = structlog.get_logger("pagerline.tokens")

OnEnded = Callable[[SlackUser, str], Awaitable[None]]
"""Told once of each link that ended by itself, and why: REFUSED or EXPIRED."""


class SignIn(Protocol):
    """bot/pagerduty/oauth.py."""

    async def refresh(self, refresh_token: SecretStr) -> Granted: ...
    async def revoke(self, token: SecretStr) -> bool: ...


@dataclass(frozen=True, slots=True)
class Held:
    """A living link, and the token that acts for it."""

    account: Account
    token: UserToken


def label_of(user: SlackUser) -> str:
    """How a person's calls are counted, and their lease is named."""
    return f"{user.team_id}:{user.id}"


class Tokens:
    """`count` hears how each renewal ended: renewed, refused, unavailable, misconfigured or lost. `timer`
    gives monotonic seconds, `sleep` waits: tests pass their own. `close` before the database closes.
    """

    def __init__(
        self,
        accounts: AccountStore,
        leases: Leases,
        sign_in: SignIn,
        *,
        on_ended: OnEnded | None = None,
        count: Callable[[str], None] | None = None,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._accounts = accounts
        self._leases = leases
        self._sign_in = sign_in
        self._on_ended = on_ended
        self._count = count or _uncounted
        self._timer = timer
        self._sleep = sleep
        self._renewing: dict[tuple[SlackUser, int], asyncio.Task[Account]] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._app_refused = False
        self._resting: TTLCache[SlackUser, bool] = TTLCache(MOST_RESTING, REST_SECONDS, timer)
        self._unreadable: TTLCache[SlackUser, bool] = TTLCache(MOST_RESTING, 3600.0, timer)

    async def credentials(self, user: SlackUser) -> UserToken:
        """What the person acts by; no call to PagerDuty unless it is about to end. Raises NotLinked, and
        PagerDutyUnavailable when it is over and cannot be renewed now.
        """
        return (await self.held(user)).token

    async def held(self, user: SlackUser) -> Held:
        """As `credentials`, with the link itself."""
        account = await self._living(user)
        if account.seconds_left < _margin(account):
            account = await self._prolonged(account)
        return Held(account, self._token(account))

    async def renew(self, account: Account) -> Account:
        """The link with a newer pair than this one: another's if there is one already, else PagerDuty's.

        Raises NotLinked, PagerDutyUnavailable, StoreUnavailable.
        """
        key = (account.user, account.generation)
        running = self._renewing.get(key)
        if running is None:
            # A task of its own: whoever gave up waiting must not stop it between PagerDuty and the store.
            running = asyncio.ensure_future(self._in_turn(account))
            self._renewing[key] = running
            running.add_done_callback(lambda done: self._renewed_one(key, done))
        return await asyncio.shield(running)

    async def close(self) -> None:
        """Wait for what is being renewed and told: a pair on its way here must be stored."""
        running = [*self._renewing.values(), *self._telling]
        if running:
            await asyncio.wait(running, timeout=LEASE_SECONDS)

    # ----------------------------------------------------------------------------------------- one person's

    async def _living(self, user: SlackUser) -> Account:
        account = await self._accounts.living(user)
        if account is None:
            raise NotLinked(ENDED if await self._accounts.ended(user) else NEVER)
        return account

    def _token(self, account: Account) -> UserToken:
        again = partial(self._after_refusal, account)
        return UserToken(self._opened(account).access, label_of(account.user), again)

    def _opened(self, account: Account) -> TokenPair:
        try:
            return self._accounts.opened(account)
        except Unsealable:
            self._tell_unreadable(account.user)
            raise NotLinked(UNREADABLE) from None

    def _tell_unreadable(self, user: SlackUser) -> None:
        if user not in self._unreadable:
            self._unreadable[user] = True
            log.error("tokens_unreadable", user=label_of(user), mend="put the missing key in ENCRYPTION_KEYS")

    async def _prolonged(self, account: Account) -> Account:
        """Renewed; as it is while it lives, so that nobody is stopped by PagerDuty's sign-in being away."""
        lives = account.seconds_left > 0
        if lives and (account.user in self._resting or account.sealed_refresh is None):
            return account
        try:
            return await self.renew(account)
        except PagerDutyUnavailable:
            if not lives:
                raise
            self._resting[account.user] = True
            return account

    async def _after_refusal(self, account: Account) -> UserToken:
        """PagerDuty answered 401 to the token of `account`: another replica may have renewed it long ago."""
        newer = await self._living(account.user)
        if newer.generation == account.generation:
            newer = await self.renew(newer)
        if newer.person.id != account.person.id:
            raise UserError(ANOTHER_PERSON)
        return self._token(newer)

    # ------------------------------------------------------------------------------------------ the renewal

    def _renewed_one(self, key: tuple[SlackUser, int], done: asyncio.Task[Account]) -> None:
        self._renewing.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waits hears of it; when nobody does any more, nobody needs to

    async def _in_turn(self, seen: Account) -> Account:
        ends, pause = self._timer() + WAIT_SECONDS, FIRST_LOOK
        while True:
            lease = await self._leases.take(f"token:{label_of(seen.user)}", LEASE_SECONDS)
            if lease is not None:
                try:
                    return await self._alone(seen)
                finally:
                    with contextlib.suppress(StoreUnavailable):  # it ends by itself
                        await self._leases.release(lease)
            now = await self._living(seen.user)
            if now.generation != seen.generation:
                return now
            if self._timer() >= ends:
                raise PagerDutyUnavailable(BUSY)
            await self._sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 2, LONGEST_LOOK)

    async def _alone(self, seen: Account) -> Account:
        account = await self._living(seen.user)
        if account.generation != seen.generation:
            return account
        pair = self._opened(account)
        if pair.refresh is None:
            return await self._over(account, EXPIRED)
        try:
            granted = await self._sign_in.refresh(pair.refresh)
        except OAuthRefused as refused:
            if refused.is_used_up:
                return await self._over(account, REFUSED)
            raise self._misconfigured(refused) from None
        except OAuthUnavailable as problem:
            self._count("unavailable")
            log.warning("token_not_renewed", user=label_of(account.user), reason=str(problem))
            raise
        return await self._stored(account, granted)

    def _misconfigured(self, refused: OAuthRefused) -> PagerDutyUnavailable:
        """It is about our app, not about this person: nobody's link ends for that."""
        self._count("misconfigured")
        if not self._app_refused:
            log.error("sign_in_refused", error=refused.error)
        self._app_refused = True
        return PagerDutyUnavailable(MISCONFIGURED, status=refused.status)

    async def _stored(self, account: Account, granted: Granted) -> Account:
        """The new pair in the old one's place: until then it exists nowhere but here."""
        try:
            now = await self._put(account, granted)
        except StoreUnavailable:
            self._count("lost")
            log.exception("new_tokens_lost", user=label_of(account.user))
            raise
        if now is None or self._opened(now).access != granted.access:
            # Unlinked or linked anew while PagerDuty answered: nobody will ever use these. PagerDuty may end
            # all tokens one person gave us when one is revoked: those in use among them.
            if now is None or now.person.id != account.person.id:
                await self._sign_in.revoke(granted.refresh or granted.access)
            return now or await self._living(account.user)
        self._count("renewed")
        self._resting.pop(account.user, None)
        log.info("token_renewed", user=label_of(account.user), recovered=self._app_refused)
        self._app_refused = False
        return now

    async def _put(self, account: Account, granted: Granted) -> Account | None:
        """Store the pair, and the link as it then is; tried again while the database is away."""
        ends = self._timer() + STORE_SECONDS
        while True:
            try:
                await self._accounts.renew(account.user, account.generation, granted)
                return await self._accounts.living(account.user)
            except StoreUnavailable:
                if self._timer() >= ends:
                    raise
                await self._sleep(LONGEST_LOOK)

    async def _over(self, account: Account, why: str) -> Account:
        """End the link, unless another pair has come in its place. Raises NotLinked."""
        if await self._accounts.end(account.user, why, account.generation):
            self._count("refused")
            log.warning("link_ended", user=label_of(account.user), why=why)
            if self._on_ended is not None:
                telling = asyncio.ensure_future(self._tell(self._on_ended, account.user, why))
                self._telling.add(telling)
                telling.add_done_callback(self._telling.discard)
        return await self._living(account.user)

    async def _tell(self, on_ended: OnEnded, user: SlackUser, why: str) -> None:
        try:
            await on_ended(user, why)
        except Exception:
            log.exception("ended_link_not_told", user=label_of(user))


def _uncounted(outcome: str) -> None:
    del outcome


def _margin(account: Account) -> float:
    return min(MARGIN + random.uniform(0, JITTER), account.life_seconds * MARGIN_SHARE)
