"""Does a delivery come from PagerDuty's addresses? Asked at the webhook's door before anything is read of it.

Off unless WEBHOOK_SOURCE_CHECK says so: the signature is what proves a delivery, this keeps strangers from
making us look at theirs. `X-Forwarded-For` is written by whoever sends; only what a proxy of ours appended is
believed, read from the right as far as the proxies are ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import structlog
from aiohttp import web

from bot.pagerduty.safelist import Network

LOG_GAP = 60.0  # seconds between log lines about requests that anybody can send

Address = IPv4Address | IPv6Address

log = structlog.get_logger("pagerline.webhook")


def address_of(text: str) -> Address | None:
    """An address as sockets and proxies write it: also `[::1]:443`, `192.0.2.1:443` and IPv4 inside IPv6."""
    written = text.strip().strip('"')
    if written.startswith("["):
        written = written[1:].partition("]")[0]
    elif written.count(":") == 1:
        written = written.partition(":")[0]
    try:
        address = ip_address(written)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Whether any of them holds it; a network of the other version never does."""
    return any(address in network for network in networks)


def source_of(peer: str | None, forwarded: Sequence[str], proxies: Sequence[Network]) -> Address | None:
    """Who sent a request: the peer, or what trusted proxies say of it; None when that cannot be read.

    `forwarded`: the values of `X-Forwarded-For`, in the order of the headers.
    """
    source = address_of(peer or "")
    hops = [hop for header in forwarded for hop in header.split(",")]
    while source is not None and hops and is_in(source, proxies):
        source = address_of(hops.pop())
    return source


class SourceCheck:
    """`allowed` gives the networks that may call now; `proxies` are ours."""

    def __init__(
        self,
        *,
        allowed: Callable[[], Sequence[Network]],
        proxies: Sequence[Network],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = allowed
        self._proxies = proxies
        self._clock = clock
        self._next_line = float("-inf")
        self._refused = 0

    def refuses(self, request: web.Request) -> bool:
        """Whether it comes from elsewhere; says so in the log once a minute, with how many there were."""
        forwarded = request.headers.getall("X-Forwarded-For", [])
        source = source_of(request.remote, forwarded, self._proxies)
        if source is not None and is_in(source, self._allowed()):
            return False
        self._refused += 1
        if self._clock() >= self._next_line:
            self._next_line = self._clock() + LOG_GAP
            log.warning(
                "webhook_source_refused",
                source=str(source) if source else "unreadable",
                peer=request.remote,
                forwarded=bool(forwarded),
                refused=self._refused,
            )
            self._refused = 0
        return True
