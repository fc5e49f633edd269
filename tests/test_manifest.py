"""The manifest: what Slack takes, what the bot really needs, and nothing beyond."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bot.manifest import as_yaml, build_manifest, usage_hint
from bot.slack.scopes import EVENTS, OPTIONAL_SCOPES, SCOPES
from commands import CATALOG

ROOT = Path(__file__).resolve().parents[1]
# Slack's event reference, "Required scopes": the scope with which the event is sent; none: always.
EVENT_SCOPES = {
    "app_mention": {"app_mentions:read"},
    "message.im": {"im:history"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "channel_left": {"channels:read"},
    "group_left": {"groups:read"},
    "channel_archive": {"channels:read"},
    "channel_unarchive": {"channels:read"},
    "group_archive": {"groups:read"},
    "group_unarchive": {"groups:read"},
    "app_uninstalled": set(),
    "tokens_revoked": set(),
}
# Methods that take several kinds of conversation, and which of their scopes we mean by it.
CHOSEN = {
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.history": {"channels:history", "groups:history"},
    "conversations.replies": {"channels:history", "groups:history"},
}
OPTIONAL_METHODS = {"conversations.history", "conversations.replies", "usergroups.users.list"}
VARIANTS = [
    {},
    {"public_url": "https://pager.example.com/"},
    {"socket_mode": True},
    {"slash_command": "/oncall", "public_url": "https://pager.example.com"},
    {"public_url": "https://pager.example.com", "socket_mode": True, "installs": True, "organisation": True},
]


def manifest(**options: Any) -> dict[str, Any]:
    return build_manifest(CATALOG, **({"slash_command": "/pager"} | options))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


@pytest.fixture(scope="module")
def methods(shared_contract: Path) -> dict[str, Any]:
    """Slack's own list of Web API methods."""
    found: dict[str, Any] = json.loads((shared_contract / "slack-web-api.json").read_text("utf-8"))[
        "x-methods"
    ]
    return found


@pytest.fixture(scope="module")
def called(methods: dict[str, Any]) -> set[str]:
    """The methods the bot really calls: named in the one package that speaks to Slack."""
    trees = [ast.parse(path.read_bytes()) for path in (ROOT / "bot" / "slack").glob("*.py")]
    texts = {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value
    }
    return {name for name in methods if name in texts}


@pytest.mark.parametrize(
    "options", VARIANTS, ids=["placeholder", "http", "socket", "other command", "installs"]
)
def test_slack_takes_it(shared_contract: Path, options: dict[str, Any]) -> None:
    schema = json.loads((shared_contract / "slack-manifest.schema.json").read_text("utf-8"))
    problems = [error.message for error in Draft7Validator(schema).iter_errors(manifest(**options))]
    assert problems == []


def test_every_method_that_is_called_has_its_scope(methods: dict[str, Any], called: set[str]) -> None:
    assert {"chat.postMessage", "chat.update", "views.open", "users.info"} <= called
    for name in called:
        possible = set((methods[name].get("scope") or {}).get("bot") or ())
        wanted = CHOSEN.get(name, possible)
        assert wanted <= possible, name
        assert wanted <= set(SCOPES) | (set(OPTIONAL_SCOPES) if name in OPTIONAL_METHODS else set()), name


def test_every_scope_has_its_use(methods: dict[str, Any], called: set[str]) -> None:
    used = {"commands"}
    for name in called:
        used |= CHOSEN.get(name, set((methods[name].get("scope") or {}).get("bot") or ()))
    for event in EVENTS:
        used |= EVENT_SCOPES[event]
    assert used == set(SCOPES) | set(OPTIONAL_SCOPES)


def test_the_bot_can_do_without_what_is_optional() -> None:
    scopes = manifest()["oauth_config"]["scopes"]
    assert scopes["bot"] == list(SCOPES)
    assert scopes["bot_optional"] == [one for one in OPTIONAL_SCOPES if one != "usergroups:read"]
    named = manifest(user_groups=True)["oauth_config"]["scopes"]
    assert named["bot_optional"] == list(OPTIONAL_SCOPES)
    assert not set(SCOPES) & set(OPTIONAL_SCOPES)


def test_every_event_asked_for_is_one_that_is_sent_with_our_scopes() -> None:
    assert set(EVENTS) == set(EVENT_SCOPES)
    for scopes in EVENT_SCOPES.values():
        assert not scopes or scopes & set(SCOPES)


def test_over_http_slack_is_told_where_we_are() -> None:
    told = manifest(public_url="https://pager.example.com/")
    address = "https://pager.example.com/slack/events"
    settings = told["settings"]
    assert told["features"]["slash_commands"][0]["url"] == address
    assert settings["event_subscriptions"]["request_url"] == address
    assert settings["interactivity"]["request_url"] == address
    assert settings["interactivity"]["message_menu_options_url"] == address
    assert settings["socket_mode_enabled"] is False


def test_browsers_come_back_to_the_public_address_where_workspaces_install() -> None:
    here = "https://pager.example.com"
    back = [f"{here}/slack/oauth_redirect", f"{here}/slack/signed_in"]
    assert manifest(public_url=here)["oauth_config"]["redirect_urls"] == back
    assert manifest(public_url=here, socket_mode=True, installs=True)["oauth_config"]["redirect_urls"] == back
    assert "redirect_urls" not in manifest()["oauth_config"]


def test_an_organisation_may_install_it_as_a_whole_only_when_it_is_named() -> None:
    assert manifest()["settings"]["org_deploy_enabled"] is False
    assert manifest(organisation=True)["settings"]["org_deploy_enabled"] is True


def test_in_socket_mode_there_is_no_address_at_all() -> None:
    told = manifest(socket_mode=True, public_url="https://pager.example.com")
    assert told["settings"]["socket_mode_enabled"] is True
    assert [leaf for leaf in leaves(told) if isinstance(leaf, str) and "://" in leaf] == []


def test_the_command_is_the_one_in_the_settings() -> None:
    (command,) = manifest(slash_command="/oncall")["features"]["slash_commands"]
    assert command["command"] == "/oncall"


def test_the_hint_names_every_command_people_are_told_about() -> None:
    hint = usage_hint(CATALOG)
    assert all(command.verb in hint for command in CATALOG.shown())
    assert len(hint) <= 1000


def test_what_one_pastes_is_what_was_built() -> None:
    assert yaml.safe_load(as_yaml(manifest())) == manifest()
