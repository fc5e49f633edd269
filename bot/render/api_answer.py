"""A call to PagerDuty's API: asked about before it is sent, and what came of it, as far as Slack has room.

The plain text tells what was called and how it ended, not what PagerDuty answered: it stands in the audit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.declaration import Reply
from bot.render.blocks import Block, actions, button, context, section
from bot.render.limits import reply
from bot.render.text import cut, escape, harmless, line

_CALL = 200  # characters of a call's line
_PIECE = 2900  # of one code block
_ROOM = 9000  # of everything PagerDuty answered
_FEW = 1500  # of a body that is asked about
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "ˋ"}  # the last would end a code span


def ask_before_call(call: str, body: Any, headers: Sequence[str], words: str) -> Reply:
    """`call` is the method and the path, `words` what the button runs; secrets in `body` are hidden."""
    told = f"Nothing was sent yet: {line(call, _CALL)} may change something."
    blocks: list[Block] = [section(f":warning:  Nothing was sent yet: `{_code(call)}` may change something.")]
    if body is not None:
        blocks += _code_blocks(cut(_json(body), _FEW))[0]
    if headers:
        blocks.append(context(f"With the headers {escape(', '.join(headers)[:_CALL])}."))
    blocks.append(actions([button("Send it", words, style="danger")]))
    return reply(f"{told} Press Send it if you mean it.", blocks)


def call_answered(call: str, status: int, body: Any, *, replaces: bool = False) -> Reply:
    """A 2xx answer; secrets in `body` are hidden by whoever hands it over."""
    blocks: list[Block] = [section(f":white_check_mark:  `{_code(call)}`: {status}")]
    told = _json(body) if body not in (None, {}, []) else ""
    parts, shown = _code_blocks(told)
    blocks += parts
    if not told:
        blocks.append(context("PagerDuty sent no body."))
    if shown < len(harmless(told)):
        blocks.append(
            context(
                f"Cut after {shown:,} of {len(told):,} characters. Narrow it by its query, or see all of it "
                "with `python -m bot api` in a shell."
            )
        )
    return reply(f"PagerDuty answered {status} to {line(call, _CALL)}.", blocks, replaces=replaces)


def call_refused(
    call: str, status: int, message: str, reasons: Sequence[str], *, replaces: bool = False
) -> Reply:
    """A 4xx answer, in PagerDuty's words."""
    said = "; ".join(dict.fromkeys([message.rstrip("."), *reasons]))
    blocks = [section(f":x:  `{_code(call)}`: {status}\n{line(said, 600)}")]
    return reply(
        f"PagerDuty answered {status} to {line(call, _CALL)}: {line(said, 300)}.", blocks, replaces=replaces
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


def _code_blocks(text: str) -> tuple[list[Block], int]:
    """As many as a message has room for, and how many characters of the text they show."""
    pieces, length, shown = [""], 0, 0
    for char in harmless(text[:_ROOM]):
        written = _ESCAPED.get(char, char)
        if length + len(written) > _ROOM:
            break
        if len(pieces[-1]) + len(written) > _PIECE:
            pieces.append("")
        pieces[-1] += written
        length, shown = length + len(written), shown + 1
    return [section(f"```{piece}```") for piece in pieces if piece], shown


def _code(text: str) -> str:
    """Outside text for a code span: as it is to be copied, but for what would end the span."""
    return "".join(_ESCAPED.get(char, char) for char in harmless(cut(text, _CALL)))
