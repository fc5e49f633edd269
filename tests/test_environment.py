"""Settings from outside: which place wins, what is said about a mistake, and never with a secret in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.environment import SettingsError, load, misspelt, unknown_names
from bot.settings import Settings

OURS = {name.upper() for name in Settings.model_fields}
TOKEN = "xoxb-1111-planted"


@pytest.fixture(autouse=True)
def _nothing_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().removesuffix("_FILE") in OURS:
            monkeypatch.delenv(name)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / "settings.env"


@pytest.fixture
def secrets_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def token_of(settings: Settings) -> str | None:
    return settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None


def refusal(env_file: Path | None = None, secrets_dir: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        load(env_file=env_file, secrets_dir=secrets_dir)
    assert not any("\n" in line for line in raised.value.lines)
    return raised.value.lines


# ------------------------------------------------------------------------------------------------ four places


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("PAGERDUTY_WEBHOOK_SECRETS", "first-secret,second-secret")
    monkeypatch.setenv("ADMINS", "U1, U2")
    settings = load()
    assert token_of(settings) == TOKEN
    assert len(settings.pagerduty_webhook_secrets) == 2
    assert settings.admins == ("U1", "U2")


def test_a_file_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(path))
    assert token_of(load()) == TOKEN


def test_a_directory_of_secrets(secrets_dir: Path) -> None:
    (secrets_dir / "slack_bot_token").write_text(f"{TOKEN}\n")
    (secrets_dir / "pagerduty_webhook_secrets").write_text("first-secret,second-secret\n")
    settings = load(secrets_dir=secrets_dir)
    assert token_of(settings) == TOKEN
    assert len(settings.pagerduty_webhook_secrets) == 2


def test_a_settings_file(env_file: Path) -> None:
    env_file.write_text(f"# ours\nSLACK_BOT_TOKEN={TOKEN}\nADMINS=U1,U2\nPORT='3001'\n")
    settings = load(env_file=env_file)
    assert (token_of(settings), settings.admins, settings.port) == (TOKEN, ("U1", "U2"), 3001)


def test_the_nearest_place_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, env_file: Path, secrets_dir: Path
) -> None:
    env_file.write_text("SLACK_BOT_TOKEN=from-env-file\n")
    assert token_of(load(env_file=env_file, secrets_dir=secrets_dir)) == "from-env-file"
    (secrets_dir / "slack_bot_token").write_text("from-directory")
    assert token_of(load(env_file=env_file, secrets_dir=secrets_dir)) == "from-directory"
    named = tmp_path / "named"
    named.write_text("from-named-file")
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(named))
    assert token_of(load(env_file=env_file, secrets_dir=secrets_dir)) == "from-named-file"
    monkeypatch.setenv("SLACK_BOT_TOKEN", "from-environment")
    assert token_of(load(env_file=env_file, secrets_dir=secrets_dir)) == "from-environment"


def test_blank_is_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, env_file: Path) -> None:
    """Compose files hand over `NAME=` for what nobody set: the next place must have its say."""
    env_file.write_text(f"SLACK_BOT_TOKEN={TOKEN}\nPORT=\nPUBLIC_URL=   \n")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "")
    blank = tmp_path / "blank"
    blank.write_text("\n")
    monkeypatch.setenv("SLACK_SIGNING_SECRET_FILE", str(blank))
    monkeypatch.setenv("SLACK_APP_TOKEN_FILE", " ")
    settings = load(env_file=env_file)
    assert token_of(settings) == TOKEN
    assert (settings.port, settings.public_url, settings.slack_signing_secret) == (3000, None, None)
    assert not settings.socket_mode


def test_no_place_at_all_is_fine() -> None:
    assert load().model_dump() == Settings().model_dump()


def test_settings_as_a_value_read_nothing(monkeypatch: pytest.MonkeyPatch, env_file: Path) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    assert Settings().slack_bot_token is None


# --------------------------------------------------------------------------------------------------- mistakes


def test_every_malformed_setting_gets_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("PAGERDUTY_REGION", "asia")
    monkeypatch.setenv("ENCRYPTION_KEYS", "one,two")
    lines = refusal()
    assert [line.split()[0] for line in lines] == [
        "PAGERDUTY_REGION",
        "PORT",
        "ENCRYPTION_KEYS",
        "ENCRYPTION_KEYS",
    ]
    assert "must be 'us' or 'eu'" in lines[0]
    assert "(number 2)" in lines[3]
    assert "python -m bot key" in lines[3]


def test_two_settings_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEASE_SECONDS", "6")
    assert refusal() == (
        "LEASE_SECONDS must be at least twice SLACK_CALL_SECONDS, or a lease ends during a call.",
    )


def test_a_named_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAGERDUTY_API_KEY_FILE", str(tmp_path / "gone"))
    (line,) = refusal()
    assert line.startswith("PAGERDUTY_API_KEY_FILE: ")
    assert "put the path of a readable file there" in line


def test_a_named_file_that_is_no_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"planted\xff\xfe")
    monkeypatch.setenv("PAGERDUTY_API_KEY_FILE", str(path))
    (line,) = refusal()
    assert "UTF-8" in line
    assert "planted" not in line


def test_a_settings_file_that_was_named_and_is_not_there(env_file: Path) -> None:
    (line,) = refusal(env_file=env_file)
    assert line.startswith("--env-file: there is no file ")


def test_a_settings_file_that_is_no_text(env_file: Path) -> None:
    env_file.write_bytes(b"SLACK_BOT_TOKEN=planted\xff")
    (line,) = refusal(env_file=env_file)
    assert "UTF-8" in line
    assert "planted" not in line


def test_a_secrets_directory_that_is_none(tmp_path: Path) -> None:
    (line,) = refusal(secrets_dir=tmp_path / "gone")
    assert line.startswith("--secrets-dir: ")


def test_a_secret_in_the_directory_that_is_no_text(secrets_dir: Path) -> None:
    (secrets_dir / "slack_bot_token").write_bytes(b"planted\xff")
    (line,) = refusal(secrets_dir=secrets_dir)
    assert "UTF-8" in line


# ---------------------------------------------------------------------------------------------- slips of hand


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("SLACK_TOKEN", "SLACK_BOT_TOKEN"),
        ("SLACK_SIGNING_SECERT", "SLACK_SIGNING_SECRET"),
        ("PAGERDUTY_WEBHOOK_SECRET", "PAGERDUTY_WEBHOOK_SECRETS"),
        ("PAGER_DUTY_API_KEY", "PAGERDUTY_API_KEY"),
        ("PAGERDUTY_API_KEY_FIEL", "PAGERDUTY_API_KEY_FILE"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("ENCRYPTION_KEY", "ENCRYPTION_KEYS"),
    ],
)
def test_a_mistyped_name_gets_the_nearest_right_one(written: str, meant: str) -> None:
    assert unknown_names([written]) == [f"{written} is not a setting of Pagerline. Did you mean {meant}?"]


@pytest.mark.parametrize(
    "name",
    ["PATH", "HOME", "PORTABLE", "SLACK_CHANNEL_FOR_DEPLOYS", "PAGERDUTY_SUBDOMAIN", "SLACK_APP_TOKEN_FILE"],
)
def test_the_environment_belongs_to_others_too(name: str) -> None:
    assert unknown_names([name]) == []


def test_a_settings_file_belongs_to_us_alone(monkeypatch: pytest.MonkeyPatch, env_file: Path) -> None:
    env_file.write_text("slack_bot_token=x\nSLACK_TOKN=x\nWHATEVER=1\nPORT_FILE=/x\n")
    monkeypatch.setenv("PAGERDUTY_REGIN", "eu")
    told = misspelt(env_file=env_file)
    assert told == [
        "PAGERDUTY_REGIN is not a setting of Pagerline. Did you mean PAGERDUTY_REGION?",
        "SLACK_TOKN is not a setting of Pagerline. Did you mean SLACK_BOT_TOKEN?",
        "WHATEVER is not a setting of Pagerline.",
    ]


def test_no_settings_file_no_slips(tmp_path: Path) -> None:
    assert not [line for line in misspelt(env_file=tmp_path / "none") if "WHATEVER" in line]


# ---------------------------------------------------------------------------------------------------- secrets

SECRET = st.from_regex(re.compile(r"[A-Za-z0-9+_-]{12,40}", re.ASCII), fullmatch=True)


SHOWN = {
    "PAGERDUTY_CLIENT_ID",
    "SLACK_CLIENT_ID",
    "SLACK_WORKSPACES",
    "SUBSCRIBERS",
    "TRIGGER_WITHOUT_SEAT_CHANNELS",
}
"""Not secret, and of any shape: what is set is what a repr shows."""


@pytest.fixture(scope="module")
def variables() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@given(
    secret=SECRET,
    name=st.sampled_from(sorted(OURS - {"SLASH_COMMAND", "ADMINS", "ADMIN_CHANNEL", "BIND_HOST"})),
)
def test_a_value_is_in_no_line(variables: pytest.MonkeyPatch, secret: str, name: str) -> None:
    """Whatever setting a secret is pasted into, with a space in it: no line repeats it."""
    with variables.context() as patch:
        patch.setenv(name, f"{secret} {secret}")
        try:
            told = repr(load())
        except SettingsError as error:
            told = str(error)
        assert secret not in told or name in SHOWN


@given(secret=SECRET)
def test_a_loaded_secret_is_in_no_repr(variables: pytest.MonkeyPatch, secret: str) -> None:
    with variables.context() as patch:
        patch.setenv("SLACK_BOT_TOKEN", secret)
        patch.setenv("PAGERDUTY_WEBHOOK_SECRETS", f"{secret},{secret}")
        patch.setenv("DATABASE_URL", f"postgresql://pager:{secret}@db/pager")
        assert secret not in repr(load())
