"""The rich_text block: sections, lists, quotes and preformatted text, each made of small runs."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.composition import Report

_RUNS = {
    "text": "text",
    "link": "url",
    "user": "user_id",
    "usergroup": "usergroup_id",
    "channel": "channel_id",
    "emoji": "name",
    "broadcast": "range",
    "date": "timestamp",
    "color": "value",
    "team": "team_id",
}
_PARTS = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")


def rich_text(report: Report, block: dict[str, Any], at: str) -> None:
    report.keys(block, at, {"elements"}, {"block_id"})
    report.items(block.get("elements"), f"{at}/elements", 0, 1000, _part)


def _part(report: Report, part: Any, at: str) -> None:
    if not report.mapping(part, at):
        return
    kind = part.get("type")
    if kind == "rich_text_list":
        report.keys(part, at, {"style", "elements"}, {"indent", "offset", "border"})
        report.one_of(part.get("style"), f"{at}/style", ("bullet", "ordered"))
        report.items(part.get("elements"), f"{at}/elements", 1, 1000, _part)
    elif kind in _PARTS:
        report.keys(part, at, {"elements"}, {"border", "language"})
        report.items(part.get("elements"), f"{at}/elements", 0, 1000, _run)
    else:
        report.add(at, f"unsupported type of rich text: {kind}")


def _run(report: Report, run: Any, at: str) -> None:
    if not report.mapping(run, at):
        return
    kind = run.get("type")
    if kind not in _RUNS:
        report.add(at, f"unsupported type of rich text element: {kind}")
    elif run.get(_RUNS[kind]) in (None, ""):
        report.add(at, f"missing required field: {_RUNS[kind]}")
    if kind == "date" and not run.get("format"):
        report.add(at, "missing required field: format")
