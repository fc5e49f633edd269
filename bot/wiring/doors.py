"""Where the world comes in: Slack, PagerDuty's webhooks, installs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from bot.accounts.link_side import LinkSide
from bot.background import Background
from bot.command.channels import Channels
from bot.command.coming_and_going import ComingAndGoing
from bot.command.people import PeopleSync
from bot.command.run import Runner
from bot.delivery.loop import Delivery
from bot.delivery.sources import PublishedSources
from bot.events import Event
from bot.inbound.install import INSTALL_PATH, InstallDoors, InstallStore
from bot.inbound.legacy_webhooks import LegacyDoor
from bot.inbound.linking import LinkDoors
from bot.inbound.pagerduty import SignatureAlarm, WebhookDoor
from bot.inbound.secrets import Secrets
from bot.inbound.slack import SlackFront
from bot.inbound.slack_http import slack_endpoint
from bot.inbound.sources import SourceCheck
from bot.pagerduty import safelist
from bot.pagerduty.directory import CHANGED_BY
from bot.settings import Settings
from bot.slack.connection import Connection
from bot.store.installs import InstallStates
from bot.store.safelists import Safelists
from bot.store.webhook_secrets import WebhookSecrets
from bot.wiring.parts import Parts

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_comings(parts: Parts, delivery: Delivery, people: PeopleSync) -> ComingAndGoing | None:
    """None: only the settings' token counts."""
    store, slack = parts.store, parts.slack
    if slack.installs is None:
        return None

    def changed() -> None:
        delivery.look_at_everything()
        people.hurry()

    return ComingAndGoing(
        slack.workspaces,
        slack.installs,
        store.subscriptions,
        connect=slack.connect,
        closed_channels=store.messages.closed_channels,
        hint=lambda: store.wake.notify("workspaces"),
        wait=lambda seconds: store.wake.wait(seconds, "workspaces"),
        changed=changed,
        install_url=f"{(parts.settings.public_url or '').rstrip('/')}{INSTALL_PATH}",
    )


def build_slack_front(
    parts: Parts,
    runner: Runner,
    delivery: Delivery,
    comings: ComingAndGoing | None,
    links: LinkSide | None,
) -> SlackFront:
    store, workspaces = parts.store, parts.slack.workspaces
    channels = Channels(
        store.subscriptions,
        store.notices,
        workspaces,
        hint=delivery.look_at_everything,
        slash=parts.settings.slash_command,
    )
    return SlackFront(
        runner=runner,
        catalog=parts.catalog,
        names=runner.services.names,
        channels=channels,
        workspaces=workspaces,
        api_url=parts.settings.slack_api_url,
        uninstalled=comings.uninstalled if comings else None,
        link_pressed=links.linking.pressed if links else None,
    )


def build_install_doors(parts: Parts, comings: ComingAndGoing | None) -> InstallDoors | None:
    settings, slack = parts.settings, parts.slack
    client_id, secret, url = settings.slack_client_id, settings.slack_client_secret, settings.public_url
    if slack.installs is None or comings is None or client_id is None or secret is None or url is None:
        return None
    app = Connection(
        slack.session, SecretStr(""), base_url=settings.slack_api_url, on_call=parts.metrics.slack_call
    )

    async def exchange(code: str, redirect_uri: str) -> Mapping[str, Any]:
        form = {"code": code, "redirect_uri": redirect_uri}
        return await app.exchange("oauth.v2.access", form, client_id=client_id, client_secret=secret)

    return InstallDoors(
        client_id=client_id,
        client_secret=secret,
        public_url=url,
        api_url=settings.slack_api_url,
        exchange=exchange,
        connect=slack.connect,
        store=InstallStore(slack.installs, slack.workspaces, slack.connect),
        states=InstallStates(parts.store.database),
        workspaces=slack.workspaces,
        came=comings.hurry,
        slash=settings.slash_command,
    )


def build_link_doors(settings: Settings, links: LinkSide | None) -> LinkDoors | None:
    """None: people are matched by e-mail."""
    if links is None:
        return None
    return LinkDoors(links, public_url=settings.public_url or "", slash=settings.slash_command)


def build_source_check(parts: Parts, background: Background) -> SourceCheck | None:
    """None: deliveries may come from anywhere, as long as they are signed."""
    settings, store = parts.settings, parts.store
    if not settings.webhook_source_check:
        return None
    region = settings.pagerduty_region
    fetch = partial(
        safelist.fetch,
        parts.pagerduty.session,
        settings.safelist_url,
        "webhooks",
        region,
        on_call=parts.metrics.pagerduty_call,
    )
    published = PublishedSources(
        fetch,
        Safelists(store.database),
        store.leases,
        parts.admins,
        region=region,
        seconds=settings.safelist_seconds,
    )
    background.start("PagerDuty's addresses", published.run)
    return SourceCheck(allowed=published.networks, proxies=settings.trusted_proxies)


def build_webhook_door(parts: Parts, sources: SourceCheck | None) -> WebhookDoor:
    settings, store, directory = parts.settings, parts.store, parts.pagerduty.directory
    admins = parts.admins

    rehearsed = parts.pagerduty.rehearsed

    async def accept(event: Event) -> bool:
        if rehearsed is not None and rehearsed.loses(event.incident_id):
            return False
        return (await store.incidents.accept(event)).duplicate

    def after(event: Event) -> None:
        if event.type.startswith("service."):
            parts.pagerduty.changed.changed(*CHANGED_BY["services"])

    alarm = SignatureAlarm(
        heard_from=store.notices.heard_from, tell_admins=admins.tell_once, settle=admins.settle
    )
    return WebhookDoor(
        secrets=Secrets(settings.webhook_secrets, WebhookSecrets(store.database, store.sealer).all),
        accept=accept,
        ranks=directory.ranks,
        after=after,
        alarm=alarm,
        metrics=parts.metrics,
        legacy=LegacyDoor(settings.pagerduty_v2_secrets, accept=accept, ranks=directory.ranks, after=after),
        sources=sources,
    )


async def absent(request: web.Request) -> web.StreamResponse:
    """For a door that the settings leave half configured."""
    return web.Response(status=404, text=f"There is nothing at {request.path}.")


def slack_door(settings: Settings, front: SlackFront) -> Handler:
    if settings.slack_signing_secret is None:

        async def closed(request: web.Request) -> web.StreamResponse:
            del request
            return web.Response(status=404, text="This bot listens to Slack through a websocket.")

        return closed
    return slack_endpoint(front.app, settings.slack_signing_secret)
