"""Which addresses PagerDuty's webhooks come from and its REST API answers at: as published, or as last known.

PagerDuty publishes a list for each service region and announces changes of the REST list 30 days ahead (its
developer documentation, "Webhook IPs" and "REST API IPs"). bot/delivery/sources.py keeps the webhook list
fresh for the door, `python -m bot safelist` prints both. A list that is no list is refused here, so that
nobody applies it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal

import aiohttp

from bot.errors import PagerDutyFailure, PagerDutyUnavailable

Network = IPv4Network | IPv6Network
Region = Literal["us", "eu"]
Kind = Literal["webhooks", "rest-api"]

OnCall = Callable[[str, str, int, float], None]
"""Told of every call: method, path, status (0: no answer came), seconds."""

FETCH_SECONDS = 15.0
LARGEST = 256 * 1024  # bytes; the lists have a few hundred
MOST_NETWORKS = 1000
WIDEST = {4: 16, 6: 32}  # a shorter prefix lets half the world in: no list of PagerDuty's has one

SNAPSHOT_FROM = "PagerDuty's developer documentation, August 2026"
SNAPSHOT: Mapping[Region, tuple[str, ...]] = {
    "us": (
        *("13.56.49.27", "34.210.57.30", "34.210.242.134", "35.86.21.47", "44.238.89.29"),
        *("44.242.69.192", "52.34.208.156", "52.88.94.18", "52.89.71.166", "54.176.72.216"),
        *("54.177.81.67", "54.213.187.133", "54.241.68.46"),
    ),
    "eu": (
        *("3.126.25.87", "18.158.120.237", "18.158.199.216", "18.192.91.93", "18.194.177.30"),
        *("18.197.187.16", "34.250.91.200", "52.213.188.110", "54.76.3.62", "54.76.225.71"),
        *("54.170.2.90", "54.195.179.238"),
    ),
}
"""The webhook sources when this code was written; counts until the first list was fetched."""


class NotASafelist(PagerDutyFailure):
    """What came is not a list of addresses; the text says why."""


def networks(written: Iterable[str]) -> tuple[Network, ...]:
    """Each address or CIDR range once, in order. Raises ValueError for a word that is neither."""
    found = {ip_network(one.strip(), strict=False) for one in written}
    return tuple(sorted(found, key=lambda one: (one.version, one.network_address, one.prefixlen)))


def words(of: Iterable[Network]) -> tuple[str, ...]:
    """As people write them: a single address without its prefix."""
    return tuple(str(one.network_address) if one.num_addresses == 1 else str(one) for one in of)


def read_list(text: str) -> tuple[Network, ...]:
    """The networks in a published list: JSON of any shape whose texts are addresses, or plain text with one
    in each line. Raises NotASafelist when there is none, when anything else is among them, or when a range is
    wider than any of PagerDuty's.
    """
    try:
        written = list(_texts(json.loads(text)))
    except RecursionError:
        raise NotASafelist("the list is nested too deeply") from None
    except ValueError:
        written = text.replace(",", " ").split()
    if len(written) > MOST_NETWORKS:
        raise NotASafelist(f"the list has more than {MOST_NETWORKS} entries")
    try:
        found = networks(written)
    except ValueError:
        raise NotASafelist("the answer is no list of addresses") from None
    if not found:
        raise NotASafelist("the list is empty")
    for one in found:
        if one.prefixlen < WIDEST[one.version]:
            raise NotASafelist(f"the list has the range {one}, which is wider than any of PagerDuty's")
    return found


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value; names of fields are not part of the list."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        raise ValueError("neither text nor list")


def path_of(kind: Kind, region: Region) -> str:
    """Where PagerDuty publishes a list, below its origin for developers."""
    return f"/ip-safelists/{kind}-{region}-service-region-json"


async def fetch(
    session: aiohttp.ClientSession,
    origin: str,
    kind: Kind,
    region: Region,
    *,
    on_call: OnCall | None = None,
) -> tuple[Network, ...]:
    """The list as it is published now. Raises PagerDutyUnavailable and NotASafelist."""
    url = origin.rstrip("/") + path_of(kind, region)
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    began, status = time.monotonic(), 0
    try:
        async with session.get(url, timeout=timeout, headers={"Accept": "application/json"}) as answer:
            status = answer.status
            if answer.status != 200:
                raise PagerDutyUnavailable(f"{url} answered {answer.status}", status=answer.status)
            raw = bytearray()
            async for chunk in answer.content.iter_any():
                raw += chunk
                if len(raw) > LARGEST:
                    raise NotASafelist("the answer is far too long for a list")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PagerDutyUnavailable(f"{url} did not answer ({type(error).__name__})") from error
    finally:
        if on_call is not None:
            on_call("GET", path_of(kind, region), status, time.monotonic() - began)
    return read_list(raw.decode("utf-8", "replace"))
