"""A fake Slack: one workspace with state, real HTTP, Slack's own error codes and limits.

    the bot ──Web API──► web_api ─► methods/* ─┐
    a person ─► talking, pressing, submitting ─┼─► state, views, tickets ─► changes ─► the page
    bad luck ─► faults, limits, control        ┘          │
    the bot ◄── signed HTTP or socket ── delivery ◄───────┘

`blocks.problems` says what Slack would refuse a message's blocks for; it stands alone.
"""

from __future__ import annotations

from bot.sandbox.slack.fake import FakeSlack

__all__ = ["FakeSlack"]
