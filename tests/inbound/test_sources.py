"""Where a delivery comes from: what proxies of ours say is believed, what anybody else writes is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from bot.inbound.pagerduty import PATH
from bot.inbound.reading import LARGEST
from bot.inbound.sources import LOG_GAP, SourceCheck, address_of, source_of
from bot.pagerduty.safelist import Network, networks
from tests.inbound.doors import serving
from tests.inbound.webhook_door import Door, signed, told

PROXIES = networks(["10.0.0.0/8", "fd00::/8"])
PAGERDUTY, STRANGER = "192.0.2.7", "203.0.113.66"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:41234", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ('"[2001:db8::7]"', "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("192.0.2.7 192.0.2.8", None),
        ("192.0.2", None),
    ],
)
def test_an_address_as_sockets_and_proxies_write_it(written: str, read: str | None) -> None:
    found = address_of(written)
    assert (str(found) if found else None) == read


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        (PAGERDUTY, [], PAGERDUTY),
        (STRANGER, [PAGERDUTY], STRANGER),  # no proxy of ours: what it writes is its own
        ("10.0.0.1", [PAGERDUTY], PAGERDUTY),
        ("::ffff:10.0.0.1", [PAGERDUTY], PAGERDUTY),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", [f"{PAGERDUTY}, {STRANGER}"], STRANGER),  # spoofed: our proxy appended who it saw
        ("10.0.0.1", [PAGERDUTY, STRANGER], STRANGER),  # the same, as two headers
        ("10.0.0.1", [f"{PAGERDUTY}, {STRANGER}, 10.0.0.2"], STRANGER),  # two proxies of ours
        ("10.0.0.1", [f"{STRANGER}, {PAGERDUTY}, 10.0.0.2"], PAGERDUTY),
        ("10.0.0.1", [f"{STRANGER}, 10.9.9.9, {PAGERDUTY}"], PAGERDUTY),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [f"{PAGERDUTY}, nonsense"], None),
        ("10.0.0.1", [f"{PAGERDUTY},"], None),
        ("", [PAGERDUTY], None),
        (None, [PAGERDUTY], None),  # a socket file has no address
    ],
)
def test_only_what_our_proxies_appended_is_believed(
    peer: str | None, forwarded: list[str], source: str | None
) -> None:
    found = source_of(peer, forwarded, PROXIES)
    assert (str(found) if found else None) == source


class Scene:
    """A door with a check, reached from 127.0.0.1."""

    def __init__(self, allowed: Sequence[str], proxies: Sequence[str] = ()) -> None:
        self.allowed: Sequence[Network] = networks(allowed)
        self.clock = 0.0
        self.door = Door()
        check = SourceCheck(allowed=lambda: self.allowed, proxies=networks(proxies), clock=lambda: self.clock)
        self.handler = self.door.handler(sources=check)

    async def deliver(self, **headers: str) -> int:
        async with serving(
            ("POST", PATH, self.handler.__call__), client_max_size=LARGEST
        ) as self.door.origin:
            return await self.door.deliver(told(), **headers)


async def test_a_delivery_from_pagerdutys_address_is_taken() -> None:
    scene = Scene(["127.0.0.1"])
    assert await scene.deliver() == 202
    assert len(scene.door.taken) == 1


async def test_one_from_elsewhere_is_refused_so_that_pagerduty_would_try_again() -> None:
    scene = Scene([PAGERDUTY])
    with capture_logs() as lines:
        assert await scene.deliver() == 503
        assert await scene.deliver(**{"X-Forwarded-For": PAGERDUTY}) == 503
        scene.clock += LOG_GAP
        assert await scene.deliver() == 503
    assert scene.door.taken == []
    assert scene.door.outcomes() == {"foreign_source": 3}
    said = [(line["source"], line["refused"]) for line in lines if line["event"] == "webhook_source_refused"]
    assert said == [("127.0.0.1", 1), ("127.0.0.1", 2)]


async def test_behind_a_proxy_of_ours_the_header_tells() -> None:
    scene = Scene([PAGERDUTY], proxies=["127.0.0.0/8"])
    assert await scene.deliver(**{"X-Forwarded-For": PAGERDUTY}) == 202
    assert await scene.deliver(**{"X-Forwarded-For": f"{PAGERDUTY}, {STRANGER}"}) == 503
    assert await scene.deliver() == 503  # the proxy itself is not PagerDuty


async def test_a_list_that_changed_counts_at_once() -> None:
    scene = Scene([PAGERDUTY])
    assert await scene.deliver() == 503
    scene.allowed = networks([PAGERDUTY, "127.0.0.1"])
    assert await scene.deliver() == 202


async def test_the_signature_is_asked_for_all_the_same() -> None:
    scene = Scene(["127.0.0.1"])
    async with serving(("POST", PATH, scene.handler.__call__)) as scene.door.origin:
        status, _ = await scene.door.post(told(), {"X-PagerDuty-Signature": signed(b"something else")})
    assert status == 503
    assert scene.door.outcomes() == {"unknown_secret": 1}
