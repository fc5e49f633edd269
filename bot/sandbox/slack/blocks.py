"""Block Kit as Slack judges it: every documented limit of messages, modals and Home tabs.

Slack publishes no schema; the limits are those of its reference pages, the total text of a message is the
13,200 characters that `msg_blocks_too_long` was observed at. `problems` is pure: our tests use it too.
"""

from __future__ import annotations

from typing import Any, Literal

from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.composition import Check, Report, plain, text
from bot.sandbox.slack.elements import (
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    element_of,
    image,
)
from bot.sandbox.slack.rich_text import rich_text

Surface = Literal["message", "modal", "home"]
TEXT_LIMIT = 13_200
MARKDOWN_LIMIT = 12_000
_MOST = {"message": 50, "modal": 100, "home": 100}


def problems(blocks: Any, surface: Surface = "message") -> list[str]:
    """What Slack would refuse these blocks for, each with its JSON pointer; empty when they are fine."""
    report = Report()
    report.items(blocks, "/blocks", 0, _MOST[surface], lambda r, b, at: _block(r, b, at, surface))
    if not isinstance(blocks, list):
        return report.problems
    whole = [b for b in blocks if isinstance(b, dict)]
    report.unique((_hashable(b.get("block_id")) for b in whole), "/blocks", "block_id")
    report.unique(
        (_hashable(e.get("action_id")) for b in whole for e in _elements(b)), "/blocks", "action_id"
    )
    if sum(b.get("type") == "table" for b in whole) > 1:
        report.add("/blocks", "only one table allowed")
    markdown = sum(len(str(b.get("text", ""))) for b in whole if b.get("type") == "markdown")
    if markdown > MARKDOWN_LIMIT:
        report.add("/blocks", f"markdown blocks must be less than {MARKDOWN_LIMIT + 1} characters together")
    return report.problems


def text_length(blocks: Any) -> int:
    """All characters a reader sees in these blocks: what `msg_blocks_too_long` counts."""
    if isinstance(blocks, list):
        return sum(text_length(block) for block in blocks)
    if not isinstance(blocks, dict):
        return 0
    own = blocks.get("text")
    length = len(own) if isinstance(own, str) else 0
    return length + sum(text_length(value) for value in blocks.values())


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _elements(block: Json) -> list[Json]:
    inside = block.get("elements")
    found = [*(inside if isinstance(inside, list) else []), block.get("accessory"), block.get("element")]
    return [e for e in found if isinstance(e, dict)]


def _block(report: Report, block: Any, at: str, surface: Surface) -> None:
    if not report.mapping(block, at):
        return
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in _BLOCKS:
        report.add(at, f"unsupported block type: {kind}")
        return
    surfaces, check = _BLOCKS[kind]
    if surface not in surfaces:
        report.add(at, f"block type {kind} is not allowed in a {surface}")
    report.string(block.get("block_id"), f"{at}/block_id", 255, 1)
    check(report, {k: v for k, v in block.items() if k != "block_id"}, at)


def _section(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, (), {"text", "fields", "accessory", "expand"})
    if block.get("text") is None and block.get("fields") is None:
        report.add(at, "text or fields is required")
    text(3000)(report, block.get("text"), f"{at}/text")
    report.items(block.get("fields"), f"{at}/fields", 1, 10, text(2000))
    if block.get("accessory") is not None:
        element_of(IN_SECTION, "section")(report, block["accessory"], f"{at}/accessory")


def _actions(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"elements"})
    report.items(block.get("elements"), f"{at}/elements", 1, 25, element_of(IN_ACTIONS, "actions"))


def _context(report: Report, block: Json, at: str) -> None:
    def element(inner: Report, value: Any, where: str) -> None:
        if isinstance(value, dict) and value.get("type") == "image":
            image(inner, value, where)
        else:
            text(3000)(inner, value if value is not None else "", where)

    report.keys(block, at, {"elements"})
    report.items(block.get("elements"), f"{at}/elements", 1, 10, element)


def _context_actions(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"elements"})
    report.items(
        block.get("elements"), f"{at}/elements", 1, 5, element_of(IN_CONTEXT_ACTIONS, "context_actions")
    )


def _header(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"text"})
    plain(150)(report, block.get("text"), f"{at}/text")


def _divider(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, ())


def _image(report: Report, block: Json, at: str) -> None:
    plain(2000)(report, block.get("title"), f"{at}/title")
    image(report, {k: v for k, v in block.items() if k != "title"}, at)


def _input(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"label", "element"}, {"hint", "optional", "dispatch_action"})
    plain(2000)(report, block.get("label"), f"{at}/label")
    plain(2000)(report, block.get("hint"), f"{at}/hint")
    if block.get("element") is not None:
        element_of(IN_INPUT, "input")(report, block["element"], f"{at}/element")


def _markdown(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"text"})
    # Its length counts together with that of the other markdown blocks: see `problems`.
    report.string(block.get("text"), f"{at}/text", 10 * MARKDOWN_LIMIT, 1)


def _video(report: Report, block: Json, at: str) -> None:
    report.keys(
        block,
        at,
        {"title", "alt_text", "video_url", "thumbnail_url"},
        {"title_url", "description", "author_name", "provider_name", "provider_icon_url"},
    )
    plain(199)(report, block.get("title"), f"{at}/title")
    report.string(block.get("author_name"), f"{at}/author_name", 49)


def _table(report: Report, block: Json, at: str) -> None:
    def cell(inner: Report, value: Any, where: str) -> None:
        if not inner.mapping(value, where):
            return
        if value.get("type") == "rich_text":
            rich_text(inner, value, where)
        elif value.get("type") != "raw_text":
            inner.add(where, "must be raw_text or rich_text")
        else:
            inner.string(value.get("text"), f"{where}/text", 3000, 1)

    report.keys(block, at, {"rows"}, {"column_settings"})
    report.items(block.get("rows"), f"{at}/rows", 1, 100, lambda r, row, p: r.items(row, p, 1, 20, cell))


def _data_table(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"rows", "caption"}, {"page_size", "column_settings", "title"})
    report.items(block.get("rows"), f"{at}/rows", 2, 101, lambda _report, _row, _at: None)


def _alert(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"text"}, {"level"})
    text(200)(report, block.get("text"), f"{at}/text")
    report.one_of(block.get("level"), f"{at}/level", ("default", "info", "warning", "error", "success"))


def _card(report: Report, block: Json, at: str) -> None:
    text(150)(report, block.get("title"), f"{at}/title")
    text(150)(report, block.get("subtitle"), f"{at}/subtitle")
    text(200)(report, block.get("body"), f"{at}/body")


def _carousel(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"elements"})
    report.items(block.get("elements"), f"{at}/elements", 1, 10, _card)


def _container(report: Report, block: Json, at: str) -> None:
    known = {"title", "rich_text_title", "width", "is_collapsible", "default_collapsed", "subtitle", "icon"}
    report.keys(block, at, {"child_blocks"}, known)
    plain(150)(report, block.get("title"), f"{at}/title")
    report.items(
        block.get("child_blocks"), f"{at}/child_blocks", 1, 10, lambda r, b, p: _block(r, b, p, "message")
    )


def _chart(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"chart"}, {"title"})


def _task_card(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"task_id", "title"}, {"status", "details", "output", "sources"})
    report.one_of(block.get("status"), f"{at}/status", ("pending", "in_progress", "complete", "error"))


def _plan(report: Report, block: Json, at: str) -> None:
    report.keys(block, at, {"title"}, {"tasks"})


_ANYWHERE = ("message", "modal", "home")
_BLOCKS: dict[str, tuple[tuple[str, ...], Check]] = {
    "section": (_ANYWHERE, _section),
    "actions": (_ANYWHERE, _actions),
    "context": (_ANYWHERE, _context),
    "header": (_ANYWHERE, _header),
    "divider": (_ANYWHERE, _divider),
    "image": (_ANYWHERE, _image),
    "input": (_ANYWHERE, _input),
    "rich_text": (_ANYWHERE, rich_text),
    "video": (_ANYWHERE, _video),
    "markdown": (("message",), _markdown),
    "table": (("message",), _table),
    "data_table": (("message",), _data_table),
    "data_visualization": (("message",), _chart),
    "context_actions": (("message",), _context_actions),
    "card": (("message",), _card),
    "carousel": (("message",), _carousel),
    "container": (("message",), _container),
    "plan": (("message",), _plan),
    "task_card": (("message",), _task_card),
    "alert": (("modal",), _alert),
}
