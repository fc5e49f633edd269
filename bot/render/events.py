"""What is said to somebody who triggers without a PagerDuty user: an event was taken in, which is no incident
yet.
"""

from __future__ import annotations

from bot.declaration import Reply
from bot.render.blocks import actions, button, context, section
from bot.render.limits import reply
from bot.render.text import bold, line


def event_taken(service: str, title: str) -> Reply:
    """PagerDuty answered 202."""
    what = f"“{line(title, 200)}” on"
    then = "An incident follows in a moment; I say when. Your name stands in its details."
    return reply(
        f"PagerDuty took in {what} {line(service, 80)}. {then}",
        [section(f":satellite_antenna:  PagerDuty took in {what} {bold(line(service, 80))}."), context(then)],
    )


def nothing_came_of_it(service: str, service_id: str) -> Reply:
    """Some seconds later there is no incident with its key."""
    said = (
        f"PagerDuty took the event in but shows no incident of it yet on {line(service, 80)}. The service "
        "may be in maintenance, or the event joined one that is open. Look at what is open, and call "
        "somebody if it cannot wait."
    )
    open_ones = button("What is open", f"list service {service_id}")
    on_call = button("Who is on call", f"oncall service {service_id}")
    return reply(said, [section(f":warning:  {said}"), actions([open_ones, on_call])])
