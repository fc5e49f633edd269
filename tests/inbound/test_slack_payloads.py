"""Payloads become requests; nothing Slack could send breaks the reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.request import Surface
from bot.inbound import slack_payloads as payloads
from bot.model import SlackUser
from bot.render.forms import FormState

TEAM = "T0ACME"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    *("type", "user", "user_id", "team", "team_id", "trigger_id", "text", "channel", "channel_id", "actions"),
    *("view", "container", "message", "event", "authorizations", "response_url", "action_id", "value"),
)


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING))
def test_any_payload_can_be_read(body: dict[str, Any]) -> None:
    payloads.slash(body, TEAM)
    payloads.press(body, TEAM)
    payloads.submission(body, TEAM)
    payloads.mention(body, TEAM, "U0PAGER")
    payloads.pressed_link(body, TEAM, "link")
    list(payloads.teams_in(body))


def press(**more: Any) -> dict[str, Any]:
    return {
        "user": {"id": "U1"},
        "trigger_id": "t1",
        "actions": [{"action_id": "run:ack", "value": "ack Q1"}],
        "channel": {"id": "C1"},
        "response_url": "https://hooks.example/1",
        "container": {"message_ts": "5.0", "channel_id": "C1"},
        "message": {"ts": "5.0"},
    } | more


def test_a_press_carries_its_words_and_place() -> None:
    request = payloads.press(press(), TEAM)
    assert request is not None
    assert (request.text, request.surface, request.user) == ("ack Q1", Surface.BUTTON, SlackUser(TEAM, "U1"))
    assert (request.channel_id, request.message_ts, request.thread_ts) == ("C1", "5.0", None)
    assert request.from_control
    assert not request.on_private_reply


def test_a_menus_choice_is_its_words() -> None:
    chosen = [{"action_id": "run:more", "type": "overflow", "selected_option": {"value": "note Q1"}}]
    request = payloads.press(press(actions=chosen), TEAM)
    assert request is not None
    assert request.text == "note Q1"


def test_only_private_answers_may_be_replaced() -> None:
    mark = {
        "event_type": "pagerline_incident",
        "event_payload": {"kind": "incident", "row": 7, "incident": "Q1"},
    }
    living = payloads.press(press(message={"ts": "5.0", "metadata": mark}), TEAM)
    private = payloads.press(press(container={"message_ts": "5.0", "is_ephemeral": True}), TEAM)
    in_dm = payloads.press(press(channel={"id": "D1"}), TEAM)
    assert living is not None
    assert private is not None
    assert in_dm is not None
    assert (living.on_private_reply, private.on_private_reply, in_dm.on_private_reply) == (False, True, True)
    assert living.mark is not None
    assert (living.mark.kind, living.mark.row) == ("incident", 7)


def test_a_pressed_link_is_told_from_private_messages_alone() -> None:
    opened = [{"action_id": "open:link", "value": "t1cket", "url": "https://pager.example.com"}]
    ephemeral = {"message_ts": "5.0", "channel_id": "C1", "is_ephemeral": True}
    pressed = payloads.pressed_link(press(actions=opened, container=ephemeral), TEAM, "link")
    assert pressed == payloads.PressedLink(SlackUser(TEAM, "U1"), "t1cket", "https://hooks.example/1")
    assert "t1cket" not in repr(pressed)
    assert payloads.pressed_link(press(actions=opened, channel={"id": "D1"}), TEAM, "link") is not None

    assert payloads.pressed_link(press(actions=opened), TEAM, "link") is None  # others see it too
    assert payloads.pressed_link(press(actions=opened, container=ephemeral), TEAM, "incident") is None
    assert payloads.pressed_link(press(container=ephemeral), TEAM, "link") is None
    assert payloads.press(press(actions=opened, container=ephemeral), TEAM) is None  # nothing to run


def test_a_message_with_replies_names_itself_as_its_thread() -> None:
    parent = payloads.press(press(message={"ts": "5.0", "thread_ts": "5.0"}), TEAM)
    reply = payloads.press(press(container={"message_ts": "6.0", "thread_ts": "5.0"}), TEAM)
    assert parent is not None
    assert reply is not None
    assert (parent.thread_ts, reply.thread_ts) == (None, "5.0")


def test_a_form_gives_what_it_remembered_and_what_was_filled_in() -> None:
    state = FormState("note", {"incident": "Q1"}, "C1", "5.0", "4.0")
    body = {
        "user": {"id": "U1"},
        "view": {
            "id": "V1",
            "hash": "h1",
            "private_metadata": state.pack(),
            "blocks": [{"type": "section"}, {"type": "input", "block_id": "text"}],
            "state": {"values": {"text": {"field:text": {"type": "plain_text_input", "value": "Hello"}}}},
        },
    }
    submitted = payloads.submission(body, TEAM)
    assert submitted is not None
    assert submitted.fields == ("text",)
    assert submitted.request.fields == {"incident": "Q1", "text": "Hello"}
    assert (submitted.request.key, submitted.request.act) == ("view:V1#h1", "view:V1")
    assert (submitted.request.channel_id, submitted.request.thread_ts) == ("C1", "4.0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<@U0PAGER> ack 1", "ack 1"),
        ("<@U0PAGER>: ack 1", "ack 1"),
        ("<@U0PAGER|pagerline> ack 1", "ack 1"),
        ("hey <@U0PAGER> ack 1", "ack 1"),
        ("ack 1 <@U0PAGER>", "ack 1"),
        ("<@U0PAGER>", ""),
        ("who is <@U1>?", "who is <@U1>?"),
        ("<@U0PAGER", "<@U0PAGER"[:0]),
    ],
)
def test_the_words_for_the_bot_are_found(text: str, words: str) -> None:
    assert payloads.after_mention(text, "U0PAGER") == words


def test_a_mention_in_a_thread_keeps_the_thread() -> None:
    inner = {
        "type": "app_mention",
        "user": "U1",
        "channel": "C1",
        "ts": "9.0",
        "thread_ts": "5.0",
        "text": "x",
    }
    request = payloads.mention({"event": inner}, TEAM, "U0PAGER")
    assert request is not None
    assert (request.key, request.thread_ts) == ("message:T0ACME:C1:9.0", "5.0")
    assert payloads.mention({"event": inner | {"bot_id": "B1"}}, TEAM, "U0PAGER") is None
    assert payloads.mention({"event": inner | {"edited": {}, "subtype": "x"}}, TEAM, "U0PAGER") is None


# -------------------------------------------------------------------------------------- whose workspace it is


def test_a_press_belongs_to_the_workspace_whose_message_it_is_on() -> None:
    """In a channel that two workspaces share, whoever presses names their own."""
    body = {"team": {"id": "T0LABS"}, "message": {"bot_id": "B0PAGER", "team": "T0ACME"}}
    assert [one for one in payloads.teams_in(body) if one] == ["T0ACME", "T0LABS"]
    written_by_somebody = {"team": {"id": "T0LABS"}, "message": {"team": "T0ACME"}}
    assert [one for one in payloads.teams_in(written_by_somebody) if one] == ["T0LABS"]


def test_a_form_belongs_to_the_workspace_whose_install_opened_it() -> None:
    body = {"team": {"id": "T0LABS"}, "view": {"app_installed_team_id": "T0ACME"}}
    assert next(one for one in payloads.teams_in(body) if one) == "T0ACME"


def test_an_event_belongs_to_the_install_that_may_see_it() -> None:
    body = {"team_id": "T0OTHER", "authorizations": [{"team_id": "T0ACME"}], "context_team_id": "T0ACME"}
    assert next(one for one in payloads.teams_in(body) if one) == "T0ACME"


@pytest.mark.parametrize(
    ("body", "organisation"),
    [
        ({}, None),
        ({"enterprise_id": "E0ACME"}, None),
        ({"enterprise_id": "E0ACME", "is_enterprise_install": "false"}, None),
        ({"enterprise_id": "E0ACME", "is_enterprise_install": "true"}, "E0ACME"),
        ({"enterprise": {"id": "E0ACME"}, "is_enterprise_install": True}, "E0ACME"),
        ({"authorizations": [{"enterprise_id": "E0ACME", "is_enterprise_install": True}]}, "E0ACME"),
        ({"authorizations": [{"enterprise_id": "E0ACME", "is_enterprise_install": False}]}, None),
        ({"authorizations": "x", "is_enterprise_install": True, "enterprise": 7}, None),
    ],
)
def test_an_organisation_counts_only_where_its_install_brings_it(
    body: dict[str, Any], organisation: str | None
) -> None:
    assert payloads.organisation_in(body) == organisation


@pytest.mark.parametrize(
    ("event", "taken"),
    [
        ({"type": "app_uninstalled"}, ("T0ACME", "E0ACME")),
        ({"type": "tokens_revoked", "tokens": {"bot": ["U0PAGER"]}}, ("T0ACME", "E0ACME")),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U0ALICE"], "bot": []}}, None),
        ({"type": "tokens_revoked", "tokens": 7}, None),
        ({"type": "message"}, None),
    ],
)
def test_only_the_apps_own_end_is_an_end(event: dict[str, Any], taken: tuple[str, str] | None) -> None:
    assert payloads.taken_away({"team_id": "T0ACME", "enterprise_id": "E0ACME", "event": event}) == taken
