"""Questions instead of guesses: which incident, which of several things of a name. Every choice is whole
argument words.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.declaration import Reply
from bot.model import Incident
from bot.render.blocks import Block, Choice, actions, button, context, picker, section
from bot.render.limits import reply
from bot.render.lists import arrange, option
from bot.render.text import line, plural


def pick_incident(verb: str, incidents: Sequence[Incident], *, asked: str = "") -> Reply:
    """Which incident is meant, when it was left out and several are open here; `asked` is what they wanted
    to do.
    """
    found = arrange(incidents)
    if not found:
        return reply(
            "No incident is open here. Name one by its number, or list all open ones.",
            [
                section("No incident is open here. Name one by its number."),
                actions([button("List open incidents", "list")]),
            ],
        )
    wanted = line(asked or verb, 40)
    chooser = picker(verb, "Choose an incident", [option(verb, incident) for incident in found[:100]])
    blocks = [
        section(f"{plural(len(found), 'incident')} open here. Which one do you want to {wanted}?"),
        actions([chooser]),
    ]
    if len(found) > 100:
        blocks.append(context("The first 100 are offered; name any other by its number."))
    return reply(f"Which incident do you want to {wanted}?", blocks)


def pick_match(asked: str, matches: Sequence[Choice]) -> Reply:
    """Which of several things a name means, a picker instead of a guess; each choice's value is whole
    argument words.
    """
    said = line(asked, 80)
    verb = matches[0].value.split(maxsplit=1)[0] if matches else "run"
    blocks: list[Block] = [section(f"“{said}” fits {plural(len(matches), 'name')}. Which one do you mean?")]
    if len(matches) <= 4:
        blocks.append(actions([button(choice.label, choice.value) for choice in matches]))
    else:
        blocks.append(actions([picker(verb, "Choose one", matches)]))
    told = ", ".join(line(choice.label, 60) for choice in matches[:5])
    return reply(f"{said} could be {told}. Which one do you mean?", blocks)


def no_match(asked: str, what: str, nearest: Sequence[Choice] = ()) -> Reply:
    """Nothing has that name; `what` is what was looked for ("service"), `nearest` what comes closest."""
    said = line(asked, 80)
    blocks: list[Block] = [section(f"There is no {what} called “{said}”.")]
    if nearest:
        blocks.append(actions([button(choice.label, choice.value) for choice in nearest[:4]]))
    hint = " Did you mean one of these?" if nearest else " Check the spelling, or use its id."
    blocks[0] = section(f"There is no {what} called “{said}”.{hint}")
    return reply(f"There is no {what} called {said}.{hint}", blocks)
