"""Every command there is, found by verb or alias. Built once, in commands/__init__.py, and handed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.command.words import Word, clean, nearest, split
from bot.declaration import Button, Command


@dataclass(frozen=True, slots=True)
class Called:
    """A line's first word and the rest: `word` as typed (empty for an empty line), `command` None when no
    verb is so called.
    """

    word: str
    rest: str
    command: Command | None


class Catalog:
    """Raises ValueError when two commands claim one word: a programmer's mistake, told at start."""

    def __init__(self, *commands: Command) -> None:
        self._commands = commands
        self._by_word: dict[str, Command] = {}
        for command in commands:
            for word in (command.verb, *command.aliases):
                if word in self._by_word:
                    raise ValueError(f"{command.verb} and {self._by_word[word].verb} both answer to {word!r}")
                if word != word.casefold() or any(character.isspace() for character in word):
                    raise ValueError(f"{command.verb}: {word!r} cannot be typed as one lower-case word")
                self._by_word[word] = command
        self._buttons = tuple((one.verb, one.button) for one in commands if one.button is not None)
        self._typed = tuple(
            word for word, command in self._by_word.items() if not command.hidden and len(word) > 1
        )

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands)

    def find(self, word: str) -> Command | None:
        """The command of this verb or alias; forgiving about case, `’` and a stray colon."""
        return self._by_word.get(word) or self._by_word.get(
            word.casefold().replace("’", "'").strip('/:,.!?"')
        )

    def shown(self) -> tuple[Command, ...]:
        """The commands people are told about."""
        return tuple(command for command in self._commands if not command.hidden)

    def nearest(self, word: str) -> Command | None:
        """The command somebody who mistyped most likely meant."""
        found = nearest(word, self._typed)
        return self._by_word[found] if found else None

    def buttons(self) -> Sequence[tuple[str, Button]]:
        """What may stand on an incident's message: verb and button, in the catalog's order."""
        return self._buttons

    def read(self, line: str) -> Called:
        """The command a line calls and its argument words; never raises."""
        cleaned = clean(line)
        verb, gap, rest = cleaned.partition(" ")
        if command := self._by_word.get(verb):  # nearly always: typed right, or a button's value
            return Called(verb, rest.lstrip(" ") if gap else "", command)
        words = split(cleaned)
        if not words:
            return Called("", "", self._by_word.get("help"))
        first: Word = words[0]
        return Called(first.text, cleaned[first.end :].lstrip(), self.find(first.text))
