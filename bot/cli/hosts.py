"""Which hosts the bot calls, and at which addresses they answer now: the outbound half of `safelist`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.pagerduty.safelist import Region
from bot.settings import IDENTITY, REGIONS, Settings

DNS_SECONDS = 10.0
JIRA: Mapping[Region, str] = {"us": "app.pagerduty.com", "eu": "app.eu.pagerduty.com"}

SOCKETS = ("wss-primary.slack.com", "wss-backup.slack.com")

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""A host's A and AAAA addresses; raises OSError when there are none to be had."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host that must be reachable on TCP port 443, and what for."""

    name: str
    why: str


def hosts(settings: Settings, region: Region) -> tuple[Host, ...]:
    """All of a region, in the order people ask for them; the region's own unless the settings name others."""
    ours = region == settings.pagerduty_region
    api = settings.api_url if ours else REGIONS[region]["api"]
    events = settings.events_url if ours else REGIONS[region]["events"]
    identity = settings.identity_url if ours else IDENTITY
    named = (
        (api, "PagerDuty's REST API"),
        (events, "PagerDuty's Events API"),
        (identity, "linking PagerDuty accounts"),
        (settings.slack_api_url, "Slack's Web API"),
    )
    found = [Host(urlsplit(url).hostname or "", why) for url, why in named]
    if urlsplit(settings.slack_api_url).hostname == "slack.com":
        found += [Host(name, "Slack's Socket Mode") for name in SOCKETS]
    found.append(Host(JIRA[region], "not the bot: browsers, and PagerDuty's integration for Jira Server"))
    return tuple({one.name: one for one in reversed(found)}.values())[::-1]


async def resolve(name: str) -> Sequence[str]:
    """What this machine's resolver says now. Raises OSError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(DNS_SECONDS):
        found = await loop.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


def in_order(addresses: Iterable[str]) -> tuple[str, ...]:
    """Each once, IPv4 first, by number."""
    distinct = {ip_address(one) for one in addresses}
    return tuple(str(one) for one in sorted(distinct, key=lambda one: (one.version, int(one))))
