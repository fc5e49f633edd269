"""Options typed by name, `title=Disk full urgency=low`, told apart from the rest of a line.

Under bot/command/arguments.py, for commands whose declaration has such options. An option's text ends where
the next one begins; in quotes it may hold anything. Of what is one word the rest goes back to the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.declaration import Line, Parameter, Prose, Query


@dataclass(frozen=True, slots=True)
class Option:
    """One of them: what is written behind its `=`."""

    parameter: Parameter
    text: str
    quoted: bool = False


def take_options(parameters: Sequence[Parameter], line: str) -> tuple[list[Option], str]:
    """The options in a cleaned line, in order, and the line without them."""
    by_name = {one.name: one for one in parameters if one.named}
    if not by_name:
        return [], line
    names = "|".join(re.escape(name) for name in by_name)
    begins = re.compile(rf"(?<!\S)(?P<name>{names})=", re.IGNORECASE)
    found: list[Option] = []
    left: list[str] = []
    at = 0
    while at < len(line):
        head = begins.search(line, at)
        if head is None:
            break
        left.append(line[at : head.start()])
        option, at = _option(by_name[head["name"].casefold()], line, head.end(), begins)
        found.append(option)
    left.append(line[at:])
    return found, " ".join(part.strip() for part in left if part.strip())


def stray_option(parameters: Sequence[Parameter], line: str) -> str | None:
    """The name in a line without its options that looks like one and is none: `foo` of `foo=bar`."""
    if not any(one.named for one in parameters):
        return None
    found = re.search(r"(?<!\S)(?P<name>[a-z_]+)=", line, re.IGNORECASE)
    return found["name"] if found else None


def _option(parameter: Parameter, line: str, at: int, begins: re.Pattern[str]) -> tuple[Option, int]:
    """The option whose text begins at `at`, and where the line goes on."""
    closing = line.find('"', at + 1) if line[at : at + 1] == '"' else -1
    if closing > 0:
        return Option(parameter, line[at + 1 : closing].strip(), quoted=True), closing + 1
    if not issubclass(parameter.kind, (Line, Prose, Query)):
        end = next((place for place in range(at, len(line)) if line[place].isspace()), len(line))
    elif line[at : at + 1] in ("{", "["):
        end = len(line)  # JSON, in which anything may stand
    else:
        following = begins.search(line, at)
        end = following.start() if following else len(line)
    return Option(parameter, line[at:end].strip()), end
