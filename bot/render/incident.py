"""The living message of one incident: drawn whole from what is known, edited in place by bot/delivery.

First line what, second line state and since when, third who has it and what happens next. Times are
absolute (Slack's date tokens), so that a message stays true without being edited because a minute passed;
durations only once they are over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.declaration import Button
from bot.model import Change, Incident, Status, Urgency
from bot.render import controls, text
from bot.render.blocks import Block, context, section
from bot.render.limits import Rendered, finish
from bot.render.summary import TITLE, acknowledgers, after, started, summary
from bot.render.text import bold, dotted, line, link

Buttons = Sequence[tuple[str, Button]]


def render_incident(
    incident: Incident,
    catalog_buttons: Buttons,
    *,
    mentions: Mapping[str, str] | None = None,
    mention_assignee: bool = False,
) -> Rendered:
    """The message as it should look now.

    `catalog_buttons` are the verbs with their buttons, in the catalog's order. `mentions` maps PagerDuty
    user ids to Slack user ids; the assignee of a triggered high-urgency incident is mentioned only when
    `mention_assignee` is set (the first post), everywhere else people are named: a mention notifies.
    """
    if not incident.is_open:
        return finish(
            summary(incident), [section(_closed(incident), controls.resolved_menu(incident, catalog_buttons))]
        )
    loud = mention_assignee and incident.status is Status.TRIGGERED and incident.urgency is Urgency.HIGH
    blocks: list[Block] = [
        section(f"{headline(incident)}\n{state_line(incident)}"),
        section(responder_line(incident, mentions or {} if loud else {})),
        *controls.row(incident, catalog_buttons),
    ]
    if last := details_line(incident):
        blocks.append(context(last))
    return finish(summary(incident), blocks)


# -------------------------------------------------------------------------------------------------- its lines


def emoji(incident: Incident) -> str:
    """The state at a glance; always beside the word for it."""
    if incident.merged_into:
        return ":twisted_rightwards_arrows:"
    if incident.status is Status.RESOLVED:
        return ":white_check_mark:"
    if incident.status is Status.ACKNOWLEDGED:
        return ":large_yellow_circle:"
    return ":rotating_light:" if incident.urgency is Urgency.HIGH else ":red_circle:"


def name(incident: Incident, limit: int = TITLE) -> str:
    """`#1234  Title`, linked to PagerDuty."""
    return link(incident.url, f"{incident.label}\u2002{text.cut(_title(incident), limit)}", limit + 30)


def _title(incident: Incident) -> str:
    return " ".join(incident.title.split()) or "(no title)"


def headline(incident: Incident) -> str:
    return f"{emoji(incident)}  {bold(name(incident))}"


def state_line(incident: Incident) -> str:
    """State, since when, priority, urgency, service."""
    return dotted(
        _state(incident),
        bold(line(incident.priority.name, 40)) if incident.priority else None,
        "High urgency" if incident.urgency is Urgency.HIGH else "Low urgency",
        link(incident.service.url, incident.service.name, 80),
    )


def _state(incident: Incident) -> str:
    if incident.status is Status.TRIGGERED:
        if incident.reopened_at:
            return f"*Triggered again* {text.moment(incident.reopened_at)}"
        return f"*Triggered* {text.moment(incident.created_at)}"
    if incident.status is Status.RESOLVED:
        return _ended(incident)
    who = text.names(acknowledgers(incident))
    words = "*Acknowledged*" + (f" by {who}" if who else "")
    if incident.acknowledged_at is None:
        return f"{words}{text.DOT}triggered {text.moment(started(incident))}"
    took = after(started(incident), incident.acknowledged_at)
    return f"{words} {text.moment(incident.acknowledged_at)}" + (f", {took}" if took else "")


def _ended(incident: Incident) -> str:
    by = f"by {bold(line(incident.resolved_by, 60))}" if incident.resolved_by else ""
    # The message stands where the incident began, so how long it took says when it was over.
    when = after(started(incident), incident.resolved_at)
    if not when and incident.resolved_at:
        when = text.moment(incident.resolved_at)
    if incident.merged_into:
        target = link(incident.merged_into.url, incident.merged_into.name, 150)
        return " ".join(part for part in (f"*Merged into* {target}", by, when) if part)
    return " ".join(part for part in ("*Resolved*", by, when) if part)


def responder_line(incident: Incident, mentions: Mapping[str, str]) -> str:
    """Who has it, at which level, and what happens next and when."""
    people = incident.assignees
    mentioned = [f"<@{mentions[person.id]}>" for person in people if person.id in mentions]
    if not people:
        who = ":warning:  *Nobody is assigned*"
    else:
        icon = ":bust_in_silhouette:" if len(people) == 1 else ":busts_in_silhouette:"
        rest = text.names(person.name for person in people if person.id not in mentions)
        who = f"{icon}  {', '.join([*mentioned, rest] if rest else mentioned)}"
    return "  →  ".join(part for part in (f"{who}{_level(incident)}", _next(incident)) if part)


def _level(incident: Incident) -> str:
    policy = line(incident.policy.name, 80) if incident.policy else ""
    if incident.level is None:
        # Without a level the policy still says whom to look for when nobody is assigned.
        return f", policy {policy}" if policy and not incident.assignees else ""
    return f", level {incident.level.number} of {incident.level.of}" + (f" in {policy}" if policy else "")


def _next(incident: Incident) -> str:
    if incident.status is Status.ACKNOWLEDGED:
        if incident.snoozed_until is None:
            return ""
        return f"triggers again {text.moment(incident.snoozed_until, 'at ')}"
    if incident.escalates_at is None:
        return ""
    when = text.clock(incident.escalates_at, "at ")
    if incident.level and incident.level.next:
        return f"{text.names(person.name for person in incident.level.next)} {when}"
    if incident.level and incident.level.number >= incident.level.of:
        return f"starts over {when}"
    return f"escalates {when}"


def details_line(incident: Incident) -> str:
    """Bridge, alerts, what opened it, the last change: one quiet line."""
    parts: list[str] = []
    if incident.bridge and (incident.bridge.url or incident.bridge.number):
        joined = (
            link(incident.bridge.url, "Join the bridge") if text.safe_url(incident.bridge.url) else "Bridge"
        )
        number = line(incident.bridge.number, 60) if incident.bridge.number else ""
        parts.append(" ".join(part for part in (":telephone_receiver:", joined, number) if part))
    if incident.alert_count:
        parts.append(text.plural(incident.alert_count, "alert"))
    if incident.opened_by:
        parts.append(f"opened by {line(incident.opened_by, 60)}")
    if incident.last_change:
        parts.append(f"last change: {change_words(incident.last_change)}")
    return text.DOT.join(parts)


def change_words(change: Change) -> str:
    """`priority ~P2~ → *P1* by *Bob Brown* 09:43 today`."""
    words = line(change.what, 120)
    if change.old or change.new:
        old = text.struck(line(change.old, 80)) if change.old else "none"
        words += f" {old} → {bold(line(change.new, 80)) if change.new else 'none'}"
    by = f" by {bold(line(change.by, 60))}" if change.by else ""
    return f"{words}{by} {text.moment(change.at)}"


def _closed(incident: Incident) -> str:
    """The two lines of a resolved message."""
    acked = after(started(incident), incident.acknowledged_at) if not incident.merged_into else ""
    told = dotted(
        _ended(incident),
        f"acknowledged {acked}" if acked else None,
        line(incident.priority.name, 40) if incident.priority else None,
        link(incident.service.url, incident.service.name, 80),
    )
    return f"{emoji(incident)}  {name(incident)}\n{told}"
