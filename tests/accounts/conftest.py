"""A site with PagerDuty's fake, on both databases, and one replica of the bot on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.accounts.replicas import Replica, Site, site_on


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[Site]:
    async with site_on(database_url) as opened:
        yield opened


@pytest.fixture
async def one(site: Site) -> Replica:
    return await site.replica()
