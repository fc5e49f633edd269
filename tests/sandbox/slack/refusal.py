"""Waiting for a call to be refused with one of Slack's codes."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError


async def refused(call: Awaitable[Any]) -> str:
    """The error code this call fails with; the test fails when the call succeeds."""
    with pytest.raises(SlackApiError) as failure:
        await call
    return str(failure.value.response["error"])
