"""What people say on an incident: notes, status updates, calls for more responders."""

from __future__ import annotations

from bot.sandbox.pagerduty.failures import bad_request
from bot.sandbox.pagerduty.lifecycle import Lifecycle
from bot.sandbox.pagerduty.state import Agent, Incident, Json, Note, ResponderRequest

MOST_NOTES = 2_000


class Conversation:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self._life = lifecycle
        self._state = lifecycle.state
        self._announcer = lifecycle.announcer

    def note(self, incident: Incident, content: str, agent: Agent) -> Note:
        """Raises ApiError 2019 above 2,000 notes."""
        if len(incident.notes) >= MOST_NOTES:
            raise bad_request(2019, f"An incident may have at most {MOST_NOTES} notes")
        note = Note(self._state.new_note_id(), agent.id, content, self._life.clock())
        incident.notes.append(note)
        incident.updated_at = note.at
        self._life.log(incident, "annotate", agent, {"type": "note", "summary": content}, note=content)
        data = self._announcer.write.note(incident, note)
        self._announcer.announce("incident.annotated", incident, agent, data)
        return note

    def publish(self, incident: Incident, message: str, agent: Agent) -> tuple[str, Json]:
        """Publish a status update to the incident's subscribers; returns its id and the webhook's data."""
        id_ = self._state.new_note_id()
        data = self._announcer.write.status_update(incident, id_, message)
        self._announcer.announce("incident.status_update_published", incident, agent, data)
        return id_, data

    def request_responders(
        self, incident: Incident, requester: str, message: str, targets: list[Json], users: list[str]
    ) -> ResponderRequest:
        """Ask people to join; `users` are the people the targets (people or policies) reach now."""
        request = ResponderRequest(
            self._state.new_request_id(),
            requester,
            message,
            self._life.clock(),
            targets,
            dict.fromkeys(users, "pending"),
        )
        incident.responders.append(request)
        incident.updated_at = request.at
        agent = Agent("user", requester)
        for user in users:
            data = self._announcer.write.responder(incident, user, message, "pending")
            self._announcer.announce("incident.responder.added", incident, agent, data)
        return request

    def answer_request(self, incident: Incident, user: str, state: str) -> bool:
        """A responder joins or declines; False when nobody asked that person."""
        request = next((r for r in incident.responders if r.states.get(user) == "pending"), None)
        if request is None:
            return False
        request.states[user] = state
        incident.updated_at = self._life.clock()
        data = self._announcer.write.responder(incident, user, request.message, state)
        self._announcer.announce("incident.responder.replied", incident, Agent("user", user), data)
        return True
