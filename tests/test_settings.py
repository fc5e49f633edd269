"""Settings as values: defaults, what is accepted, and that no secret shows in a repr or an error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bot.settings import Settings, needed_to_run

KEY = Fernet.generate_key().decode()
SECRET_FIELDS = ("slack_bot_token", "slack_signing_secret", "slack_app_token", "pagerduty_api_key")


def problem(**values: Any) -> str:
    """What is said about one malformed setting."""
    with pytest.raises(ValidationError) as raised:
        Settings(**values)
    return str(raised.value.errors(include_input=False, include_url=False)[0]["msg"])


def test_nothing_set_is_a_small_bot_on_this_machine() -> None:
    settings = Settings()
    assert (settings.bind_host, settings.port, settings.slash_command) == ("127.0.0.1", 3000, "/pager")
    assert settings.api_url == "https://api.pagerduty.com"
    assert settings.on_sqlite
    assert not settings.socket_mode


def test_the_region_chooses_pagerdutys_addresses_and_an_address_wins() -> None:
    eu = Settings(pagerduty_region="eu")
    assert (eu.api_url, eu.events_url) == ("https://api.eu.pagerduty.com", "https://events.eu.pagerduty.com")
    assert eu.identity_url == "https://identity.pagerduty.com"
    own = Settings(pagerduty_region="eu", pagerduty_api_url="https://proxy.example.com/")
    assert own.api_url == "https://proxy.example.com"


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("pagerduty_region", "EU", "eu"),
        ("log_level", "debug", "DEBUG"),
        ("log_format", "JSON", "json"),
        ("slack_api_url", "https://slack.example.com/api", "https://slack.example.com/api/"),
        ("admins", " U1, ,U2,", ("U1", "U2")),
        ("slash_command", " /pd ", "/pd"),
        ("port", "0", 0),
        ("port", " ", 3000),
        ("public_url", "", None),
        ("allow_guests", "true", True),
        ("metrics_port", "", None),
    ],
)
def test_people_write_things_in_their_own_way(name: str, written: str, meant: object) -> None:
    assert getattr(Settings.model_validate({name: written}), name) == meant


def test_several_webhook_secrets_are_separated_by_commas() -> None:
    settings = Settings.model_validate({"pagerduty_webhook_secrets": "aaaa1111, bbbb2222"})
    assert [one.get_secret_value() for one in settings.pagerduty_webhook_secrets] == ["aaaa1111", "bbbb2222"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("pagerduty_region", "asia", "'us' or 'eu'"),
        ("port", "70000", "65535"),
        ("port", "http", "integer"),
        ("public_url", "http://pager.example.com", "https://"),
        ("public_url", "pager.example.com", "https://"),
        ("public_url", "https://user:secret@pager.example.com", "no user"),
        ("public_url", "https://pager.example.com?x=1", "`?`"),
        ("public_url", "https://pager.example.com:port", "address"),
        ("pagerduty_api_url", "http://169.254.169.254", "https://"),
        ("pagerduty_api_url", "http://[::1", "address"),
        ("slack_api_url", "file:///etc/passwd", "https://"),
        ("slash_command", "pager", "slash"),
        ("slash_command", "/", "slash"),
        ("slash_command", "/Pager", "lower-case"),
        ("slash_command", "/pager duty", "without spaces"),
        ("database_url", "mysql://u:hunter2@h/d", "sqlite:///file.db or postgresql://"),
        ("database_url", "sqlite://pagerline.db", "sqlite:///file.db"),
        ("database_url", "sqlite:///", "sqlite:///file.db"),
        ("database_url", "sqlite:///:memory:", "sqlite:///file.db"),
        ("database_url", "postgresql://u:hun#ter2@h/d", "%23"),
        ("database_url", "postgresql://u:hunter@2@h/d", "%40"),
        ("encryption_keys", "not-a-key", "python -m bot key"),
        ("slack_bot_token", "xoxb-1 2", "copy it again"),
        ("slack_bot_token", '"xoxb-12"', "copy it again"),
        ("pagerduty_api_key", "clé-clé-clé", "copy it again"),
        ("slack_call_seconds", "nan", "number"),
        ("slack_call_seconds", "inf", "number"),
        ("sweep_seconds", "0", "greater than 0"),
    ],
)
def test_a_malformed_value_says_what_belongs_there(name: str, value: str, says: str) -> None:
    assert says in problem(**{name: value})


def test_http_is_for_this_machine_only() -> None:
    for address in ("http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]:3000"):
        assert Settings(public_url=address).public_url == address


def test_a_lease_outlives_a_call() -> None:
    assert "LEASE_SECONDS" in problem(lease_seconds=6, slack_call_seconds=5)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_has_several_names(scheme: str) -> None:
    assert not Settings(database_url=SecretStr(f"{scheme}://u:p%40ss@host:5432/pager")).on_sqlite


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize("days", [1, 6, -1])
def test_events_are_kept_for_longer_than_pagerduty_repeats_them(days: int) -> None:
    assert Settings(events_days=0).events_days == 0
    assert Settings(events_days=7).events_days == 7
    with pytest.raises(ValidationError):
        Settings(events_days=days)


def test_what_is_needed_depends_on_how_it_runs() -> None:
    least = {"slack_bot_token", "pagerduty_api_key"}
    doors = {"slack_signing_secret", "pagerduty_webhook_secrets"}
    assert set(needed_to_run(Settings())) == least | doors
    socket = Settings(slack_app_token=SecretStr("xapp-1-abc"))
    assert set(needed_to_run(socket)) == least  # nothing need reach it: PagerDuty's log is read instead
    several = Settings(database_url=SecretStr("postgresql://h/d"))
    assert set(needed_to_run(several)) == least | doors | {"encryption_keys"}


def test_a_missing_setting_is_one_line_with_where_to_find_it() -> None:
    lines = Settings().missing(("slack_bot_token", "pagerduty_webhook_secrets", "port"))
    assert [line.split(" ")[0] for line in lines] == ["SLACK_BOT_TOKEN", "PAGERDUTY_WEBHOOK_SECRETS"]
    assert "OAuth & Permissions" in lines[0]
    assert not any("\n" in line for line in lines)


def test_every_setting_has_its_help() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert "\n" not in field.description


secrets = st.from_regex(re.compile(r"[A-Za-z0-9+/_=-]{12,40}", re.ASCII), fullmatch=True)


@given(secrets, st.sampled_from(SECRET_FIELDS))
def test_a_secret_is_in_no_repr(secret: str, name: str) -> None:
    settings = Settings.model_validate({name: secret, "pagerduty_webhook_secrets": secret})
    assert secret not in repr(settings)
    assert secret not in str(settings)
    assert secret not in settings.model_dump_json()


@given(secrets, st.sampled_from((*SECRET_FIELDS, "encryption_keys", "database_url", "public_url", "port")))
def test_a_secret_is_in_no_error(secret: str, name: str) -> None:
    bad = {"database_url": f"postgresql://u:{secret}#@h/d", "public_url": f"http://u:{secret}@h"}
    value = bad.get(name, f"{secret} {secret}")
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({name: value})
    assert secret not in str(raised.value)


def test_workspaces_that_install_the_bot_bring_their_own_token() -> None:
    secrets = {"slack_client_id": "1.2", "slack_client_secret": "s" * 32}
    assert "slack_workspaces" in needed_to_run(Settings(**secrets))
    assert "slack_bot_token" not in needed_to_run(Settings(**secrets))
    with_a_token = needed_to_run(Settings(**secrets, slack_bot_token="xoxb-1"))
    assert "slack_workspaces" not in with_a_token
    assert {"slack_bot_token", "slack_client_secret", "public_url"} <= set(with_a_token)


@pytest.mark.parametrize("wrong", ["acme", "T0ACME,acme.slack.com", "C0CHECK"])
def test_workspaces_are_named_by_their_ids(wrong: str) -> None:
    with pytest.raises(ValidationError, match="ids of workspaces"):
        Settings(slack_workspaces=wrong)
    assert Settings(slack_workspaces="T0ACME, E0ACME").slack_workspaces == ("T0ACME", "E0ACME")
