"""What the page draws, as JSON: the workspace as one person sees it, and PagerDuty's incidents."""

from __future__ import annotations

from typing import Any

from bot.sandbox.pagerduty import FakePagerDuty, Incident
from bot.sandbox.slack import FakeSlack, snapshot
from bot.sandbox.slack.answers import SlackError
from bot.sandbox.slack.state import SLACKBOT

Json = dict[str, Any]
MOST_MESSAGES = 300
MOST_INCIDENTS = 100


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
            "direct": direct.id,
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
                    "newest": next(reversed(c.messages), None),
                }
                for c in shown
            ],
            "groups": {g.id: g.handle for g in workspace.usergroups.values()},
        }

    def channel(self, channel: str, user: str) -> Json:
        """The newest messages of a conversation, oldest first. Raises SlackError `channel_not_found`."""
        place = self._slack.workspace.channel(channel)
        if user not in place.members:
            raise SlackError("channel_not_found")
        whole = snapshot.channel(self._slack.acting, place, seen_by=user)
        return {"id": channel, "messages": whole["messages"][-MOST_MESSAGES:]}

    def surfaces(self, user: str) -> Json:
        """The modal on top of this person's stack, and their Home; null where there is none."""
        acting = self._slack.acting
        modal, home = acting.views.top(user), acting.views.homes.get(user)
        return {
            "modal": snapshot.view(acting, modal) if modal else None,
            "home": snapshot.view(acting, home) if home else None,
        }

    def pagerduty(self) -> Json:
        """Services, and incidents: the open ones first, the newest on top."""
        state = self._pagerduty.state
        newest = sorted(state.incidents.values(), key=lambda i: (i.is_open, i.number), reverse=True)
        return {
            "services": [{"id": s.id, "name": s.name} for s in self._pagerduty.world.services],
            "open": sum(i.is_open for i in newest),
            "total": len(newest),
            "incidents": [self._incident(i) for i in newest[:MOST_INCIDENTS]],
        }

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
            "merged_into": incident.merged_into,
            "notes": len(incident.notes),
        }
