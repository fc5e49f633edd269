"""Help, all of it from the declarations: the short list, one command in full, and the nearest word to a
mistyped one.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.declaration import Command, Reply
from bot.render.blocks import Block, actions, button, context, section
from bot.render.limits import reply
from bot.render.text import bold, escape, line, plural


def help_list(commands: Sequence[Command], *, slash: str = "/pager") -> Reply:
    """Every verb with its usage in a line, by what it is about, in the catalog's order."""
    shown = [command for command in commands if not command.hidden]
    blocks: list[Block] = []
    for title in _HEADINGS:
        if members := [command for command in shown if _heading(command) == title]:
            rows = [f"`{slash} {_code(command.usage)}`  {escape(command.summary)}" for command in members]
            blocks.append(section("\n".join([bold(title), *rows])))
    blocks.append(
        context(
            f"`{slash} help ack` says more about one. Name an incident by number, `#number`, id or link; "
            "leave it out when only one is open here. In a thread, mention me with the same words."
        )
    )
    words = ", ".join(command.verb for command in shown)
    told = f"{plural(len(shown), 'command')}: {words}. {slash} help ack says more about one."
    return reply(told, blocks)


def help_one(command: Command, *, slash: str = "/pager") -> Reply:
    """One command: usage, what it does, examples, other names for it."""
    parts = [f"`{slash} {_code(command.usage)}`", _unwrapped(command.help)]
    if command.examples:
        parts.append("\n".join(f"`{slash} {_code(example)}`" for example in command.examples))
    blocks = [section("\n\n".join(parts))]
    quiet = []
    if command.aliases:
        quiet.append("Also " + ", ".join(f"`{_code(alias)}`" for alias in command.aliases))
    if command.scope:
        quiet.append(f"PagerDuty scope `{_code(command.scope)}`")
    if quiet:
        blocks.append(context("  ·  ".join(quiet)))
    return reply(f"{slash} {escape(command.usage)}: {escape(command.summary)}.", blocks)


def unknown_verb(word: str, nearest: Sequence[str] = (), *, rest: str = "", slash: str = "/pager") -> Reply:
    """A word that is no command. `nearest` are verbs, the best first; `rest` the words after it, kept for a
    retry.
    """
    said = line(word, 40)
    if not nearest:
        return reply(
            f"I do not know {said}. {slash} help lists what I can do.",
            [section(f"I do not know “{said}”."), actions([button("Show help", "help")])],
        )
    tries = [f"{verb} {rest}".strip() for verb in nearest[:3]]
    meant = " or ".join(f"`{slash} {_code(words)}`" for words in tries)
    return reply(
        f"I do not know {said}. Did you mean {nearest[0]}?",
        [
            section(f"I do not know “{said}”. Did you mean {meant}?"),
            actions([button(f"Run {words}", words) for words in tries if len(words) <= 60]),
        ],
    )


_ABOUT = {"incidents": "Incidents", "oncalls": "On call", "services": "This channel", "": "You and me"}
_ADMINS = "For admins"
_OTHER = "More of PagerDuty"
_HEADINGS = (*_ABOUT.values(), _OTHER, _ADMINS)


def _heading(command: Command) -> str:
    """What it is about, as its PagerDuty scope says; one without a scope is about who asks, or the bot."""
    if command.admins_only:
        return _ADMINS
    return _ABOUT.get((command.scope or "").partition(".")[0], _OTHER)


def _code(words: str) -> str:
    """Words for between back-ticks, where only Slack's three characters need escaping."""
    plain = " ".join(words.replace("`", "'").split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unwrapped(help_text: str) -> str:
    """A docstring's paragraphs, each on one line; back-ticks in it are ours and stay."""
    paragraphs = (" ".join(part.split()) for part in help_text.split("\n\n"))
    text = "\n".join(paragraphs)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
