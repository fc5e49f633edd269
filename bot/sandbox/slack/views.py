"""Modals and Home tabs as Slack keeps them: stacks of at most three, hashes, and what was typed so far."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field

from bot.sandbox.slack.answers import Json, SlackError
from bot.sandbox.slack.elements import initial_state
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.surfaces import view_problems

STACK_LIMIT = 3
VIEW_BYTES = 250_000


@dataclass
class View:
    """One opened view. `state` is block_id → action_id → what stands in that field, in Slack's shape."""

    id: str
    user: str
    payload: Json
    hash: str
    root: str
    previous: str | None = None
    state: dict[str, Json] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)  # what the person sees beside the fields
    notice: str | None = None  # what the person sees when the app did not answer

    @property
    def is_home(self) -> bool:
        return bool(self.payload["type"] == "home")


class Views:
    """Every open view. Closed ones are forgotten: updating them answers `not_found`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._views: dict[str, View] = {}
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def get(self, view_id: str) -> View:
        """Raises `not_found`."""
        try:
            return self._views[view_id]
        except KeyError:
            raise SlackError("not_found") from None

    def by_external_id(self, external_id: str) -> View:
        """Raises `not_found`."""
        for view in self._views.values():
            if view.payload.get("external_id") == external_id:
                return view
        raise SlackError("not_found")

    def top(self, user: str) -> View | None:
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def open(self, user: str, payload: Json) -> View:
        """Open a modal with nothing below it; one that is open already goes away."""
        self.check(payload, "modal")
        self.close_all(user)
        return self._put_on_top(user, payload)

    def push(self, user: str, payload: Json) -> View:
        """Raises `push_limit_reached` above three views, `not_found` when nothing is open."""
        self.check(payload, "modal")
        stack = self.stacks.get(user, [])
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= STACK_LIMIT:
            raise SlackError("push_limit_reached")
        return self._put_on_top(user, payload)

    def update(self, view: View, payload: Json, expected_hash: str | None = None) -> View:
        """Replace what a view shows; fields whose ids stay keep what was typed. Raises `hash_conflict`."""
        self.check(payload, view.payload["type"], current=view)
        if expected_hash and expected_hash != view.hash:
            raise SlackError("hash_conflict")
        kept = view.state
        view.payload = self._stored(payload)
        view.hash = self._new_hash()
        view.errors, view.notice = {}, None
        fresh = initial_state(view.payload["blocks"])
        view.state = {
            block: {action: kept.get(block, {}).get(action, value) for action, value in actions.items()}
            for block, actions in fresh.items()
        }
        self._workspace.changes.publish("view", user=view.user, view=view.id)
        return view

    def publish(self, user: str, payload: Json, expected_hash: str | None = None) -> View:
        """Show a Home tab. Raises `hash_conflict`."""
        self.check(payload, "home", current=self.homes.get(user))
        current = self.homes.get(user)
        if current is not None:
            return self.update(current, payload, expected_hash)
        view = self._made(user, payload)
        self.homes[user] = view
        self._workspace.changes.publish("view", user=user, view=view.id)
        return view

    def close(self, view: View) -> None:
        """Take a modal, and all above it, off the stack."""
        stack = self.stacks.get(view.user, [])
        if view in stack:
            for closed in stack[stack.index(view) :]:
                self._views.pop(closed.id, None)
            del stack[stack.index(view) :]
        self._workspace.changes.publish("view", user=view.user, view=None)

    def close_all(self, user: str) -> None:
        for view in self.stacks.pop(user, []):
            self._views.pop(view.id, None)
        self._workspace.changes.publish("view", user=user, view=None)

    def shape(self, view: View) -> Json:
        """The view as answers and payloads carry it."""
        world = self._workspace.world
        return {
            "title": None,
            "submit": None,
            "close": None,
            "callback_id": "",
            "private_metadata": "",
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            **view.payload,
            "id": view.id,
            "team_id": world.slack_team_id,
            "app_id": world.app_id,
            "app_installed_team_id": world.slack_team_id,
            "bot_id": world.bot_id,
            "state": {"values": view.state},
            "hash": view.hash,
            "root_view_id": view.root,
            "previous_view_id": view.previous,
        }

    def touch(self, view: View) -> None:
        """Something beside the payload changed: an error, a notice, a value."""
        self._workspace.changes.publish("view", user=view.user, view=view.id)

    def _put_on_top(self, user: str, payload: Json) -> View:
        stack = self.stacks.setdefault(user, [])
        view = self._made(user, payload)
        if stack:
            view.root, view.previous = stack[0].id, stack[-1].id
        stack.append(view)
        self._workspace.changes.publish("view", user=user, view=view.id)
        return view

    def _made(self, user: str, payload: Json) -> View:
        view_id = self._workspace.next_id("V")
        stored = self._stored(payload)
        view = View(
            view_id, user, stored, self._new_hash(), root=view_id, state=initial_state(stored["blocks"])
        )
        self._views[view_id] = view
        return view

    def _stored(self, payload: Json) -> Json:
        return {**payload, "blocks": self._workspace.with_ids(payload["blocks"])}

    def _new_hash(self) -> str:
        return f"{int(self._workspace.clock())}.{secrets.token_hex(4)}"

    def check(self, payload: Json, kind: str, current: View | None = None) -> None:
        """Raises `invalid_arguments`, `view_too_large` or `duplicate_external_id`."""
        problems = view_problems(payload, kind)
        if problems:
            raise SlackError("invalid_arguments", messages=problems)
        if len(json.dumps(payload).encode()) > VIEW_BYTES:
            raise SlackError("view_too_large")
        external_id = payload.get("external_id")
        if external_id and any(
            v.payload.get("external_id") == external_id and v is not current for v in self._views.values()
        ):
            raise SlackError("duplicate_external_id")
