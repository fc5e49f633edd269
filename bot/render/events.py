"""What is said of events: PagerDuty took one in, which is no incident yet, or did not and why."""

from __future__ import annotations

from bot.declaration import Reply
from bot.errors import PagerDutyRefused, PagerDutyUnavailable
from bot.render.blocks import actions, button, context, section
from bot.render.limits import reply
from bot.render.text import bold, dotted, line

CUT = "The summary was cut to 1,024 characters."


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


def alert_taken(action: str, key: str, integration: str, *, cut: bool = False) -> Reply:
    """PagerDuty took the event of a named integration in: `action` is trigger, acknowledge or resolve."""
    said = taken_in_words(action, line(key, 300))
    name = f"Sent by {bold(line(integration, 40))}; an event carries no person."
    return reply(said, [section(f":satellite_antenna:  {said}"), context(dotted(name, CUT if cut else None))])


def change_taken(summary: str, integration: str, *, cut: bool = False) -> Reply:
    """PagerDuty keeps the change and calls nobody."""
    said = (
        f"PagerDuty took the change “{line(summary, 200)}” in. It calls nobody; `show` tells it beside the "
        "incidents it may have to do with."
    )
    name = f"Sent by {bold(line(integration, 40))}."
    return reply(said, [section(f":hammer_and_wrench:  {said}"), context(dotted(name, CUT if cut else None))])


def event_refused(refused: PagerDutyRefused) -> Reply:
    """PagerDuty answered 400: its own reasons."""
    said = line(refused_event(refused), 800)
    return reply(said, [section(f":x:  {said}")])


def no_incident_of(key: str) -> Reply:
    """Some seconds later there is no open incident with the alert's key."""
    said = (
        f"PagerDuty shows no open incident with the key {line(key, 300)} yet. The service may be in "
        "maintenance, or the alert joined an incident that is open. Call somebody if it cannot wait."
    )
    return reply(said, [section(f":warning:  {said}"), actions([button("What is open", "list")])])


# --------------------------------------------------------------------------------------------- in plain words

ONE_ALERT = " It may have come in all the same: an equal dedup key keeps it one alert."
TWICE = " It may have come in all the same, and would then stand there twice."


def taken_in_words(action: str, key: str) -> str:
    """PagerDuty answered 202: what that means."""
    if action == "trigger":
        return (
            f"PagerDuty took the event in: dedup key {key}. An incident follows in a moment, unless the "
            "service is in maintenance or the alert joins one that is open."
        )
    return (
        f"PagerDuty took the {action} of {key} in. It drops it silently where no open alert of this "
        "integration has that key."
    )


def refused_event(refused: PagerDutyRefused) -> str:
    """PagerDuty's own reasons, and what to do."""
    why = "; ".join(refused.reasons) or str(refused)
    return f"PagerDuty did not take the event: {why}. Correct that, or check the routing key, and try again."


def unavailable_events(away: PagerDutyUnavailable, *, keyed: bool = True) -> str:
    """It was tried for as long as was asked. `keyed`: it is an alert, with a dedup key."""
    if away.status in (403, 429):
        why = "this integration sends too many events just now"
    else:
        why = f"it answered {away.status}" if away.status else "it did not answer"
    doubt = (ONE_ALERT if keyed else TWICE) if away.maybe_done else ""
    return f"PagerDuty does not take the event: {why}. Send it again in some minutes.{doubt}"
