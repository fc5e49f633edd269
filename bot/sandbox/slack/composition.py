"""The small parts of Block Kit (text, options, confirmations) and the report a check writes into.

A problem reads like Slack's own: what is wrong, then the JSON pointer to it. Limits are those of Slack's
reference for composition objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

EITHER = ("plain_text", "mrkdwn")
Check = Callable[["Report", Any, str], None]


class Report:
    """The problems found so far, each with its JSON pointer."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def add(self, at: str, problem: str) -> None:
        self.problems.append(f"[ERROR] {problem} [json-pointer:{at or '/'}]")

    def mapping(self, value: Any, at: str) -> bool:
        if isinstance(value, dict):
            return True
        self.add(at, "must be an object")
        return False

    def keys(
        self, value: dict[str, Any], at: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> bool:
        """All required keys are there, and none that Slack does not know."""
        required = set(required)
        missing = sorted(key for key in required if value.get(key) is None)
        for key in missing:
            self.add(at, f"missing required field: {key}")
        for key in sorted(set(value) - required - set(optional) - {"type"}):
            self.add(at, f"invalid additional property: {key}")
        return not missing

    def string(self, value: Any, at: str, most: int, least: int = 0) -> None:
        """A string of `least` to `most` characters; None passes, since optional fields may be left out."""
        if value is None:
            return
        if not isinstance(value, str):
            self.add(at, "must be a string")
        elif len(value) > most:
            self.add(at, f"must be less than {most + 1} characters")
        elif len(value) < least:
            self.add(at, f"must be more than {least - 1} characters")

    def one_of(self, value: Any, at: str, allowed: Iterable[str]) -> None:
        if value is not None and value not in set(allowed):
            self.add(at, f"must be one of: {', '.join(sorted(allowed))}")

    def items(self, value: Any, at: str, least: int, most: int, check: Check) -> None:
        """A list of `least` to `most` items, each checked; None passes."""
        if value is None:
            return
        if not isinstance(value, list):
            self.add(at, "must be a list")
            return
        if len(value) > most:
            self.add(at, f"no more than {most} items allowed")
        if len(value) < least:
            self.add(at, f"no less than {least} items required")
        for index, item in enumerate(value):
            check(self, item, f"{at}/{index}")

    def unique(self, values: Iterable[Any], at: str, name: str) -> None:
        seen: set[Any] = set()
        for value in values:
            if value is not None and value in seen:
                self.add(at, f"`{name}` must be unique: {value}")
            seen.add(value)


def plain(most: int, least: int = 1) -> Check:
    """A plain_text object."""
    return lambda report, value, at: text_object(report, value, at, most, least=least)


def text(most: int, least: int = 1) -> Check:
    """A text object of either kind."""
    return lambda report, value, at: text_object(report, value, at, most, EITHER, least=least)


def text_object(
    report: Report,
    value: Any,
    at: str,
    most: int,
    kinds: tuple[str, ...] = ("plain_text",),
    *,
    least: int = 1,
) -> None:
    """A text object of one of these kinds with 1 to `most` characters; None passes."""
    if value is None or not report.mapping(value, at):
        return
    kind = value.get("type")
    if kind not in kinds:
        report.add(f"{at}/type", f"must be one of: {', '.join(kinds)}")
        return
    extra = ("emoji",) if kind == "plain_text" else ("verbatim",)
    if report.keys(value, at, {"text"}, extra):
        report.string(value["text"], f"{at}/text", most, least)


def option(report: Report, value: Any, at: str, kinds: tuple[str, ...] = ("plain_text",)) -> None:
    """An option of a select, an overflow menu, radio buttons or checkboxes."""
    if value is None or not report.mapping(value, at):
        return
    report.keys(value, at, {"text", "value"}, {"description", "url"})
    text_object(report, value.get("text"), f"{at}/text", 75, kinds)
    text_object(report, value.get("description"), f"{at}/description", 75, kinds)
    report.string(value.get("value"), f"{at}/value", 75, 1)
    report.string(value.get("url"), f"{at}/url", 3000)


def rich_option(report: Report, value: Any, at: str) -> None:
    """An option of radio buttons or checkboxes, which may use mrkdwn."""
    option(report, value, at, EITHER)


def option_group(report: Report, value: Any, at: str) -> None:
    if report.mapping(value, at) and report.keys(value, at, {"label", "options"}):
        text_object(report, value["label"], f"{at}/label", 75)
        report.items(value["options"], f"{at}/options", 1, 100, option)


def confirm(report: Report, value: Any, at: str) -> None:
    """The question Slack asks before it sends an action."""
    if value is None or not report.mapping(value, at):
        return
    report.keys(value, at, {"title", "text"}, {"confirm", "deny", "style"})
    text_object(report, value.get("title"), f"{at}/title", 100)
    text_object(report, value.get("text"), f"{at}/text", 300, EITHER)
    text_object(report, value.get("confirm"), f"{at}/confirm", 30)
    text_object(report, value.get("deny"), f"{at}/deny", 30)
    report.one_of(value.get("style"), f"{at}/style", ("primary", "danger"))
