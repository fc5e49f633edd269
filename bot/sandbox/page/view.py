"""What the page draws, as JSON: the workspace as one person sees it, and PagerDuty's incidents."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from bot.sandbox.pagerduty import FakePagerDuty, Incident
from bot.sandbox.slack import FakeSlack, snapshot
from bot.sandbox.slack.answers import SlackError
from bot.sandbox.slack.state import SLACKBOT, Channel, Message

Json = dict[str, Any]
# One look, and one step further back: thousands are reachable, but never drawn at once.
MOST_MESSAGES = 150
MOST_INCIDENTS = 60
# How far back unread mentions are counted.
_MENTIONS_WITHIN = 300


class PageView:
    """Reads both fakes. `user` is the Slack id of whoever looks."""

    def __init__(self, slack: FakeSlack, pagerduty: FakePagerDuty) -> None:
        self._slack = slack
        self._pagerduty = pagerduty

    def workspace(self, user: str) -> Json:
        """People, channels and names. Raises SlackError `user_not_found` for someone unknown."""
        workspace = self._slack.workspace
        me = workspace.person(user) if user else self._slack.world.people[0]
        direct = workspace.direct_messages(me.slack_id)
        shown = [c for c in workspace.channels.values() if c.kind != "im" and me.slack_id in c.members]
        return {
            "team": self._slack.world.slack_team_name,
            "me": me.slack_id,
            "direct": {"id": direct.id, **_news(direct, me.slack_id)},
            "bot": {"id": workspace.bot, "name": workspace.person(workspace.bot).name},
            "people": [
                {
                    "id": p.slack_id,
                    "name": p.name,
                    "handle": p.handle,
                    "kind": p.kind,
                    "tz": p.tz,
                    "title": p.title,
                    "pagerduty": p.pagerduty_id,
                }
                for p in self._slack.world.people
            ],
            "slackbot": SLACKBOT,
            "channels": [
                {
                    "id": c.id,
                    "name": c.name,
                    "private": c.kind == "private",
                    "archived": c.is_archived,
                    "topic": c.topic,
                    "bot_is_member": workspace.bot in c.members,
                    **_news(c, me.slack_id),
                }
                for c in shown
            ],
            "groups": {g.id: g.handle for g in workspace.usergroups.values()},
        }

    def channel(self, channel: str, user: str, *, before: str = "") -> Json:
        """The newest messages of a conversation (older than `before`, a ts), oldest first, without replies.

        `more` says whether there are older ones still. Raises SlackError `channel_not_found`.
        """
        place = self._visible(channel, user)
        own = (m for m in reversed(place.ephemerals.values()) if m.seen_by == user and not m.is_reply)
        stands = (m for m in reversed(place.messages.values()) if not m.is_reply or m.broadcast)
        older = [
            sorted(islice((m for m in some if not before or m.ts < before), MOST_MESSAGES + 1), key=_ts)
            for some in (stands, own)
        ]
        items = sorted(older[0] + older[1], key=_ts)
        return {
            "id": channel,
            "more": len(items) > MOST_MESSAGES,
            "messages": self._drawn(items[-MOST_MESSAGES:]),
        }

    def messages(self, channel: str, user: str, wanted: Sequence[str]) -> Json:
        """Single messages as they are now, by ts; what is gone or not for `user` is left out."""
        place = self._visible(channel, user)
        found = (place.messages.get(ts) or place.ephemerals.get(ts) for ts in wanted)
        return {"id": channel, "messages": self._drawn([m for m in found if m and m.seen_by in (None, user)])}

    def thread(self, channel: str, user: str, ts: str) -> Json:
        """A parent and its replies, oldest first, and what only `user` was answered in it."""
        place = self._visible(channel, user)
        parent = [place.messages[ts]] if ts in place.messages else []
        own = [m for m in place.ephemerals.values() if m.seen_by == user and m.thread_ts == ts]
        return {"id": channel, "messages": self._drawn(sorted([*parent, *place.replies(ts), *own], key=_ts))}

    def surfaces(self, user: str) -> Json:
        """The modal on top of this person's stack, and their Home; null where there is none."""
        acting = self._slack.acting
        modal, home = acting.views.top(user), acting.views.homes.get(user)
        return {
            "modal": snapshot.view(acting, modal) if modal else None,
            "home": snapshot.view(acting, home) if home else None,
        }

    def pagerduty(self, *, find: str = "", most: int = MOST_INCIDENTS) -> Json:
        """Services, and incidents whose number, title or service has `find`: the open ones first, newest on
        top.
        """
        state = self._pagerduty.state
        newest = sorted(state.incidents.values(), key=lambda i: (i.is_open, i.number), reverse=True)
        words = find.casefold().strip()
        found = [i for i in newest if words in self._searched(i)] if words else newest
        return {
            "services": [{"id": s.id, "name": s.name} for s in self._pagerduty.world.services],
            "names": [
                *(team.name for team in state.teams.values()),
                *(policy.name for policy in state.policies.values()),
                *(schedule.name for schedule in state.schedules.values()),
            ],
            "priorities": [{"id": p.id, "name": p.name} for p in state.priorities.values()],
            "speed": self._pagerduty.lifecycle.speed,
            "open": len(state.open),
            "total": len(newest),
            "found": len(found),
            "incidents": [self._incident(i) for i in found[:most]],
        }

    def _visible(self, channel: str, user: str) -> Channel:
        place = self._slack.workspace.channel(channel)
        if user not in place.members:
            raise SlackError("channel_not_found")
        return place

    def _drawn(self, items: Sequence[Message]) -> list[Json]:
        drawn = []
        for item in items:
            shape = snapshot.message(self._slack.acting, item)
            if item.is_reply and item.broadcast:
                parent = self._slack.workspace.channel(item.channel).messages.get(item.thread_ts or "")
                shape["parent_text"] = parent.text if parent else None
            drawn.append(shape)
        return drawn

    def _searched(self, incident: Incident) -> str:
        service = self._pagerduty.state.services[incident.service].name
        return f"#{incident.number} {incident.title} {service} {incident.status}".casefold()

    def _incident(self, incident: Incident) -> Json:
        state = self._pagerduty.state
        people = [state.people[a.user].name for a in incident.assignments if a.user in state.people]
        priority = state.priorities.get(incident.priority or "")
        return {
            "id": incident.id,
            "number": incident.number,
            "title": incident.title,
            "status": incident.status,
            "urgency": incident.urgency,
            "priority": priority.name if priority else None,
            "service": state.services[incident.service].name,
            "level": incident.level,
            "assigned": people,
            "created_at": incident.created_at.isoformat(),
            "escalate_at": incident.escalate_at.isoformat() if incident.escalate_at else None,
            "merged_into": incident.merged_into,
            "notes": len(incident.notes),
        }


def _ts(message: Message) -> str:
    return message.ts


def _news(place: Channel, me: str) -> Json:
    """The newest message of the channel itself that `me` did not write, and the newest that call for `me`."""
    recent = [
        m
        for m in islice(reversed(place.messages.values()), _MENTIONS_WITHIN)
        if (not m.is_reply or m.broadcast) and m.user != me
    ]
    calls = (f"<@{me}>", "<!channel>", "<!here>")
    return {
        "newest": recent[0].ts if recent else None,
        "mentions": [m.ts for m in recent if place.kind == "im" or any(c in _words(m) for c in calls)],
    }


def _words(message: Message) -> str:
    return f"{message.text} {message.blocks}" if message.blocks else message.text
