"""Checks calls to the fake Slack against Slack's own list of methods, when that list is at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.sandbox.slack.journal import Exchange

CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "contract" / "slack-web-api.json"
# Sent in the Authorization header, or added to every call by Bolt's client for org-wide installs.
ANYWHERE = frozenset({"token", "team_id"})


class SlackMethods:
    """Slack's methods by name, each with its arguments. Raises OSError when the list is absent."""

    def __init__(self, path: Path = CONTRACT) -> None:
        self._methods: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["x-methods"]

    def check_call(self, exchange: Exchange) -> list[str]:
        """What is wrong with a Web API call: an unknown method, a missing or an unknown argument."""
        name = exchange.api_method or ""
        method = self._methods.get(name)
        if method is None:
            return [f"{name}: Slack has no such method"]
        arguments = method["args"]
        given = set(exchange.body or {}) - ANYWHERE
        missing = set(arguments.get("required", [])) - ANYWHERE - given
        unknown = given - set(arguments["properties"])
        return [f"{name}: {a} is missing" for a in sorted(missing)] + [
            f"{name}: {a} is no argument" for a in sorted(unknown)
        ]
