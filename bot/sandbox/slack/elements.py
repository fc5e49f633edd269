"""Elements of Block Kit: what Slack accepts of each, and what a field holds before anyone types."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.composition import (
    Check,
    Report,
    confirm,
    option,
    option_group,
    plain,
    rich_option,
    text_object,
)

_STYLES = ("primary", "danger")
_COMMON = {"action_id", "confirm", "focus_on_load"}
_BY_KIND = ("users", "channels", "conversations")


def _common(report: Report, value: Json, at: str) -> None:
    report.string(value.get("action_id"), f"{at}/action_id", 255, 1)
    confirm(report, value.get("confirm"), f"{at}/confirm")
    plain(150)(report, value.get("placeholder"), f"{at}/placeholder")


def button(report: Report, value: Json, at: str) -> None:
    report.keys(value, at, {"text"}, {"action_id", "url", "value", "style", "confirm", "accessibility_label"})
    _common(report, value, at)
    plain(75)(report, value.get("text"), f"{at}/text")
    report.string(value.get("value"), f"{at}/value", 2000)
    report.string(value.get("url"), f"{at}/url", 3000)
    report.string(value.get("accessibility_label"), f"{at}/accessibility_label", 75)
    report.one_of(value.get("style"), f"{at}/style", _STYLES)


def workflow_button(report: Report, value: Json, at: str) -> None:
    report.keys(value, at, {"text", "workflow", "action_id"}, {"style", "accessibility_label"})
    _common(report, value, at)
    plain(75)(report, value.get("text"), f"{at}/text")


def image(report: Report, value: Json, at: str) -> None:
    report.keys(value, at, {"alt_text"}, {"image_url", "slack_file"})
    if bool(value.get("image_url")) == bool(value.get("slack_file")):
        report.add(at, "exactly one of image_url and slack_file is required")
    report.string(value.get("image_url"), f"{at}/image_url", 3000, 1)
    report.string(value.get("alt_text"), f"{at}/alt_text", 2000, 1)


def overflow(report: Report, value: Json, at: str) -> None:
    report.keys(value, at, {"options"}, {"action_id", "confirm"})
    _common(report, value, at)
    report.items(value.get("options"), f"{at}/options", 1, 5, option)


def static_select(report: Report, value: Json, at: str) -> None:
    many = value["type"].startswith("multi_")
    initial = "initial_options" if many else "initial_option"
    report.keys(
        value, at, (), {*_COMMON, "options", "option_groups", "placeholder", initial, *_limits(many=many)}
    )
    _common(report, value, at)
    if (value.get("options") is None) == (value.get("option_groups") is None):
        report.add(at, "exactly one of options and option_groups is required")
    report.items(value.get("options"), f"{at}/options", 1, 100, option)
    report.items(value.get("option_groups"), f"{at}/option_groups", 1, 100, option_group)
    offered = [*(value.get("options") or [])]
    for group in value.get("option_groups") or []:
        offered += group.get("options", []) if isinstance(group, dict) else []
    chosen = value.get(initial) if many else [value.get(initial)]
    for item in chosen or []:
        if item is not None and item not in offered:
            report.add(f"{at}/{initial}", "must be one of the options")


def external_select(report: Report, value: Json, at: str) -> None:
    many = value["type"].startswith("multi_")
    initial = "initial_options" if many else "initial_option"
    report.keys(value, at, (), {*_COMMON, "min_query_length", "placeholder", initial, *_limits(many=many)})
    _common(report, value, at)
    least = value.get("min_query_length", 3)
    if not isinstance(least, int) or least < 0:
        report.add(f"{at}/min_query_length", "must be a whole number from 0 on")
    if many:
        report.items(value.get(initial), f"{at}/{initial}", 1, 100, option)
    else:
        option(report, value.get(initial), f"{at}/{initial}")


def entity_select(report: Report, value: Json, at: str) -> None:
    many = value["type"].startswith("multi_")
    kind = value["type"].removeprefix("multi_").removesuffix("_select")
    initial = f"initial_{kind}" if many else f"initial_{kind.removesuffix('s')}"
    known = {*_COMMON, "placeholder", initial, *_limits(many=many), "response_url_enabled"}
    if kind == "conversations":
        known |= {"default_to_current_conversation", "filter"}
    report.keys(value, at, (), known)
    _common(report, value, at)


def _limits(*, many: bool) -> set[str]:
    return {"max_selected_items"} if many else set()


def picker(report: Report, value: Json, at: str) -> None:
    field = {
        "datepicker": "initial_date",
        "timepicker": "initial_time",
        "datetimepicker": "initial_date_time",
    }
    report.keys(value, at, (), {*_COMMON, "placeholder", "timezone", field[value["type"]]})
    _common(report, value, at)


def choices(report: Report, value: Json, at: str) -> None:
    """Radio buttons and checkboxes."""
    initial = "initial_options" if value["type"] == "checkboxes" else "initial_option"
    report.keys(value, at, {"options"}, {*_COMMON, initial})
    _common(report, value, at)
    report.items(value.get("options"), f"{at}/options", 1, 10, rich_option)


def text_input(report: Report, value: Json, at: str) -> None:
    own = {
        "plain_text_input": {"multiline", "min_length", "max_length"},
        "number_input": {"is_decimal_allowed", "min_value", "max_value"},
        "rich_text_input": {"min_length", "max_length"},
    }.get(value["type"], set())
    if value["type"] == "number_input" and "is_decimal_allowed" not in value:
        report.add(at, "missing required field: is_decimal_allowed")
    known = {"action_id", "placeholder", "initial_value", "focus_on_load", "dispatch_action_config", *own}
    report.keys(value, at, (), known)
    _common(report, value, at)
    for name in ("min_length", "max_length"):
        length = value.get(name)
        if length is not None and not (isinstance(length, int) and 0 <= length <= 3000):
            report.add(f"{at}/{name}", "must be a whole number from 0 to 3000")
    if value["type"] != "rich_text_input":
        report.string(value.get("initial_value"), f"{at}/initial_value", value.get("max_length") or 3000)


def file_input(report: Report, value: Json, at: str) -> None:
    report.keys(value, at, (), {"action_id", "filetypes", "max_files"})
    _common(report, value, at)


def feedback_buttons(report: Report, value: Json, at: str) -> None:
    report.keys(value, at, {"positive_button", "negative_button"}, {"action_id"})
    for name in ("positive_button", "negative_button"):
        if isinstance(value.get(name), dict):
            text_object(report, value[name].get("text"), f"{at}/{name}/text", 75)


def icon_button(report: Report, value: Json, at: str) -> None:
    known = {"action_id", "value", "confirm", "accessibility_label", "visible_to_user_ids"}
    report.keys(value, at, {"icon", "text"}, known)
    _common(report, value, at)
    report.one_of(value.get("icon"), f"{at}/icon", ("trash",))
    plain(75)(report, value.get("text"), f"{at}/text")


SELECTS: dict[str, Check] = {
    "static_select": static_select,
    "external_select": external_select,
    **{f"{kind}_select": entity_select for kind in _BY_KIND},
}
MULTI_SELECTS: dict[str, Check] = {f"multi_{name}": check for name, check in SELECTS.items()}
PICKERS: dict[str, Check] = {"datepicker": picker, "timepicker": picker}
CHOICES: dict[str, Check] = {"radio_buttons": choices, "checkboxes": choices}
_BUTTONS: dict[str, Check] = {"button": button, "workflow_button": workflow_button, "overflow": overflow}
IN_SECTION: dict[str, Check] = {**_BUTTONS, **SELECTS, **MULTI_SELECTS, **PICKERS, **CHOICES, "image": image}
IN_ACTIONS: dict[str, Check] = {
    **_BUTTONS,
    **SELECTS,
    **MULTI_SELECTS,
    **PICKERS,
    **CHOICES,
    "datetimepicker": picker,
    "rich_text_input": text_input,
}
IN_INPUT: dict[str, Check] = {
    **SELECTS,
    **MULTI_SELECTS,
    **PICKERS,
    **CHOICES,
    "datetimepicker": picker,
    "file_input": file_input,
    **dict.fromkeys(
        ("plain_text_input", "number_input", "email_text_input", "url_text_input", "rich_text_input"),
        text_input,
    ),
}
IN_CONTEXT_ACTIONS: dict[str, Check] = {"feedback_buttons": feedback_buttons, "icon_button": icon_button}


def element_of(allowed: dict[str, Check], where: str) -> Check:
    """A check that the element's type may stand here, and then of the element itself."""

    def check(report: Report, value: Any, at: str) -> None:
        if not report.mapping(value, at):
            return
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in allowed:
            report.add(at, f"unsupported type of element in {where}: {kind}")
            return
        allowed[kind](report, value, at)

    return check


def initial_state(blocks: list[Json]) -> dict[str, Json]:
    """`state.values` of a fresh view: block_id → action_id → the empty or initial value of every field."""
    state: dict[str, Json] = {}
    for block in blocks:
        candidates = [block.get("element"), block.get("accessory"), *(block.get("elements") or [])]
        if block["type"] not in ("input", "section", "actions"):
            continue
        for element in candidates:
            if isinstance(element, dict) and (value := initial_value(element)) is not None:
                state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def initial_value(element: Json) -> Json | None:
    """What the field holds at first, in Slack's shape; None for what holds nothing (buttons, images)."""
    kind = str(element["type"])
    for ending, field, initial in _STATE_FIELDS:
        if kind == ending:
            empty: Any = [] if field.endswith("s") else None
            return {"type": kind, field: element.get(initial, empty)}
    return None


_STATE_FIELDS = (
    ("plain_text_input", "value", "initial_value"),
    ("number_input", "value", "initial_value"),
    ("email_text_input", "value", "initial_value"),
    ("url_text_input", "value", "initial_value"),
    ("rich_text_input", "rich_text_value", "initial_value"),
    ("static_select", "selected_option", "initial_option"),
    ("external_select", "selected_option", "initial_option"),
    ("radio_buttons", "selected_option", "initial_option"),
    ("checkboxes", "selected_options", "initial_options"),
    ("multi_static_select", "selected_options", "initial_options"),
    ("multi_external_select", "selected_options", "initial_options"),
    ("users_select", "selected_user", "initial_user"),
    ("channels_select", "selected_channel", "initial_channel"),
    ("conversations_select", "selected_conversation", "initial_conversation"),
    ("multi_users_select", "selected_users", "initial_users"),
    ("multi_channels_select", "selected_channels", "initial_channels"),
    ("multi_conversations_select", "selected_conversations", "initial_conversations"),
    ("datepicker", "selected_date", "initial_date"),
    ("timepicker", "selected_time", "initial_time"),
    ("datetimepicker", "selected_date_time", "initial_date_time"),
    ("file_input", "files", "files"),
)


def state_field(kind: str) -> str | None:
    """The name of the value inside a field's state: `value`, `selected_option`, …; None for buttons."""
    return next((field for name, field, _ in _STATE_FIELDS if name == kind), None)
