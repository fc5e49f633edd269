"""`python -m bot webhooks`: PagerDuty's V3 webhook subscriptions for this bot, made and looked after here.

Needs PAGERDUTY_API_KEY and PUBLIC_URL. Where there is a database the secret is sealed in it, and running bots
read it from there; otherwise it is printed, once. docs/network.md explains rotation.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from pydantic import SecretStr

from bot.cli.sealed_secrets import Keeper, open_keeper
from bot.cli.settings import require, settings_for
from bot.cli.verb import Verb
from bot.command.catalog import Catalog
from bot.errors import PagerDutyUnavailable, StoreUnavailable, UserError
from bot.events import EVENTS
from bot.inbound.pagerduty import PATH
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.http import AccountKey, PagerDutyHttp, open_session
from bot.pagerduty.subscriptions import WebhookSubscription, filter_for
from bot.settings import Settings, is_outside

NEEDS = ("pagerduty_api_key", "public_url")
SUBSCRIBED = tuple(name for name in EVENTS if name != "pagey.ping")
DESCRIPTION = "Pagerline"
BELONGS = "Put it into PAGERDUTY_WEBHOOK_SECRETS (comma-separated with any other) and restart the bot."


class Webhooks:
    """The acts; each prints what it did and returns the exit status."""

    def __init__(self, client: PagerDuty, keeper: Keeper, *, url: str) -> None:
        self._client = client
        self._keeper = keeper
        self._url = url

    async def list(self) -> int:
        """Every subscription that leads here, and how many lead elsewhere."""
        every = await self._client.webhook_subscriptions()
        ours, sealed = self._ours(every), await self._keeper.ids()
        for one in ours:
            state = "switched off by PagerDuty" if one.is_disabled else "on"
            state = state if one.is_active else "switched off"
            kept = "secret sealed here" if one.id in sealed else "secret not sealed here"
            count = f"{len(one.events)} of {len(SUBSCRIBED)} events"
            print(f"{one.id}  {_scope(one)}  {state}  {count}  {kept}")
        if not ours:
            print(f"No webhook leads to {self._url}. `python -m bot webhooks create` makes one.")
        if len(every) > len(ours):
            print(f"{len(every) - len(ours)} more lead elsewhere.")
        return 0

    async def create(self, *, service: str | None, team: str | None) -> int:
        """Refused when one of the same scope leads here already: everything would come twice."""
        kind, ident = ("service", service) if service else ("team", team) if team else ("account", None)
        wanted = filter_for(kind, ident)
        every = self._ours(await self._client.webhook_subscriptions())
        for one in every:
            if one.filter == wanted:
                raise UserError(
                    f"{one.id} leads to {self._url} with the same scope already. "
                    "`webhooks rotate` gives it a new secret, `webhooks delete` removes it."
                )
        made, secret = await self._create(wanted, SUBSCRIBED, DESCRIPTION)
        print(f"Made {made}: {kind}{f' {ident}' if ident else ''}, to {self._url}.")
        await self._hand_over(made, secret)
        return 0

    async def ping(self, ident: str | None) -> int:
        """Whether a `pagey.ping` goes all the way round; 1 when it did not arrive."""
        one = await self._one(ident)
        return 0 if await self._round(one.id) else 1

    async def enable(self, ident: str | None) -> int:
        """Switch it on again after PagerDuty has switched it off."""
        one = await self._one(ident)
        await self._client.enable_webhooks(one.id)
        print(f"{one.id} is on. The bot reads what it missed by itself.")
        return 0

    async def rotate(self, ident: str | None) -> int:
        """PagerDuty changes no subscription's secret: a second one is made beside it, and the old one goes
        when a ping of the new one has arrived. Until then the secrets of both count.
        """
        old = await self._one(ident)
        events = old.events or SUBSCRIBED
        made, secret = await self._create(old.filter, events, old.description or DESCRIPTION)
        print(f"Made {made} beside {old.id}; both deliver now.")
        if await self._hand_over(made, secret) and await self._round(made):
            await self._remove(old.id)
            return 0
        print(
            f"{old.id} is left, and its secret counts on. When `webhooks ping {made}` arrives, end the "
            f"rotation by `webhooks delete {old.id}`."
        )
        return 1

    async def delete(self, ident: str | None) -> int:
        await self._remove((await self._one(ident)).id)
        return 0

    # ------------------------------------------------------------------------------------------ the steps

    def _ours(self, every: Sequence[WebhookSubscription]) -> Sequence[WebhookSubscription]:
        return [one for one in every if one.url == self._url]

    async def _one(self, ident: str | None) -> WebhookSubscription:
        """The one that is meant. Raises UserError."""
        ours = self._ours(await self._client.webhook_subscriptions())
        if ident is None and len(ours) == 1:
            return ours[0]
        for one in ours:
            if one.id == ident:
                return one
        names = ", ".join(one.id for one in ours) or "none"
        which = "Say which" if ident is None else f"{ident} does not lead here"
        raise UserError(f"{which}: to {self._url} lead {names}.")

    async def _create(
        self, scope: Mapping[str, Any], events: Sequence[str], description: str
    ) -> tuple[str, SecretStr]:
        try:
            return await self._client.create_webhooks(
                {
                    "type": "webhook_subscription",
                    "description": description,
                    "delivery_method": {"type": "http_delivery_method", "url": self._url},
                    "events": list(events),
                    "filter": dict(scope),
                }
            )
        except PagerDutyUnavailable as problem:
            if problem.maybe_done:
                raise UserError(
                    f"{problem}. It may have been made, and nobody knows its secret: "
                    "`webhooks list`, delete it, and try again."
                ) from None
            raise

    async def _hand_over(self, ident: str, secret: SecretStr) -> bool:
        """Seal it, or print it because there is no other time to; True when it was sealed."""
        try:
            await self._keeper.put(ident, secret)
        except StoreUnavailable as away:
            print(f"Its secret, shown this once ({away}):")
            print(f"\n    {secret.get_secret_value()}\n")
            print(BELONGS)
            return False
        print(
            "Its secret is sealed in the database, and running bots use it at once. Where "
            "PAGERDUTY_WEBHOOK_SECRETS is unset, set it to `sealed`."
        )
        return True

    async def _round(self, ident: str) -> bool:
        arrived = await self._keeper.ping_arrives(ident, self._client)
        if arrived is None:
            print(f"{ident}: pinged. Without the bot's database I cannot see whether it arrived.")
        elif arrived:
            print(f"{ident}: a ping went all the way round: PagerDuty, {self._url}, the bot, its database.")
        else:
            print(
                f"{ident}: pinged, but nothing arrived. Is the bot running, does {self._url} lead to it, and "
                "does it know the secret?"
            )
        return bool(arrived)

    async def _remove(self, ident: str) -> None:
        await self._client.delete_webhooks(ident)
        try:
            await self._keeper.forget(ident)
        except StoreUnavailable:
            print("Its secret stays where it is, which harms nobody: nothing is signed with it any more.")
        print(f"Deleted {ident}.")


def _scope(one: WebhookSubscription) -> str:
    return f"{one.scope} {one.scope_id or ''}".strip()


# -------------------------------------------------------------------------------------------------- the verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    acts.add_parser("list", help="those that lead to PUBLIC_URL")
    create = acts.add_parser("create", help="make one, for the whole account unless told otherwise")
    scope = create.add_mutually_exclusive_group()
    scope.add_argument("--service", metavar="ID", help="of this service only")
    scope.add_argument("--team", metavar="ID", help="of this team's services only")
    for act, told in (
        ("ping", "send a test event and see whether it arrives"),
        ("enable", "switch it on again after PagerDuty has switched it off"),
        ("rotate", "a new secret, without a gap"),
        ("delete", "remove it, and forget its secret"),
    ):
        one = acts.add_parser(act, help=told)
        one.add_argument("id", nargs="?", help="which; needed where several lead here")


async def act(settings: Settings, arguments: argparse.Namespace) -> int:
    """One act; raises UserError and PagerDutyFailure."""
    assert settings.pagerduty_api_key is not None
    assert settings.public_url is not None
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(trust_env=is_outside(settings.api_url)))
        client = PagerDuty(PagerDutyHttp(session, settings.api_url), AccountKey(settings.pagerduty_api_key))
        keeper = await open_keeper(settings, stack)
        webhooks = Webhooks(client, keeper, url=settings.public_url.rstrip("/") + PATH)
        match arguments.act:
            case "list":
                return await webhooks.list()
            case "create":
                return await webhooks.create(service=arguments.service, team=arguments.team)
            case "ping":
                return await webhooks.ping(arguments.id)
            case "enable":
                return await webhooks.enable(arguments.id)
            case "rotate":
                return await webhooks.rotate(arguments.id)
            case _:
                return await webhooks.delete(arguments.id)


def _run(arguments: argparse.Namespace, catalog: Catalog) -> int:
    del catalog
    settings = settings_for(arguments)
    require(settings, NEEDS, arguments)
    return asyncio.run(act(settings, arguments))


VERB = Verb(
    "webhooks",
    "list, create, ping, enable, rotate and delete PagerDuty's webhook subscriptions",
    _run,
    _add_arguments,
    reads_settings=True,
)
