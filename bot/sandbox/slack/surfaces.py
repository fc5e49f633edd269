"""Whole views as Slack judges them: modals and Home tabs around their blocks."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.blocks import Surface, problems
from bot.sandbox.slack.composition import Report, plain

_SHARED = {"blocks", "private_metadata", "callback_id", "external_id"}
_MODAL_ONLY = {"title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled"}


def view_problems(view: Any, kind: str | None = None) -> list[str]:
    """What Slack would refuse this view for; `kind` (modal or home), if given, must match."""
    report = Report()
    if not report.mapping(view, "/view"):
        return report.problems
    surface = view.get("type")
    if surface not in ("modal", "home") or kind not in (None, surface):
        report.add("/view/type", f"must be {kind or 'modal or home'}")
        return report.problems
    known = _SHARED | (_MODAL_ONLY if surface == "modal" else set())
    required = {"title", "blocks"} if surface == "modal" else {"blocks"}
    report.keys(view, "/view", required, known)
    for name in ("title", "submit", "close"):
        plain(24)(report, view.get(name), f"/view/{name}")
    report.string(view.get("private_metadata"), "/view/private_metadata", 3000)
    report.string(view.get("callback_id"), "/view/callback_id", 255)
    report.string(view.get("external_id"), "/view/external_id", 255)
    blocks = view.get("blocks")
    if isinstance(blocks, list):
        has_input = any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
        if surface == "modal" and has_input and view.get("submit") is None:
            report.add("/view/submit", "submit is required when there is an input block")
    where: Surface = "modal" if surface == "modal" else "home"
    return report.problems + [
        p.replace("[json-pointer:", "[json-pointer:/view") for p in problems(blocks, where)
    ]
