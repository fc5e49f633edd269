"""The compose file: it parses, starts things in order, and hands over the settings that are needed."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli.main import build_parser
from bot.settings import Settings, needed_to_run

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BOT, MIGRATE, DATABASE, PROXY = (SERVICES[name] for name in ("bot", "migrate", "database", "proxy"))
# The Compose specification's words that we use.
TOP = {"name", "services", "volumes", "secrets"}
KEYS = {
    *(
        "build",
        "image",
        "read_only",
        "cap_drop",
        "security_opt",
        "tmpfs",
        "env_file",
        "environment",
        "restart",
    ),
    *("secrets", "volumes", "healthcheck", "command", "depends_on", "stop_grace_period", "ports", "deploy"),
}
HEALTH = {"test", "interval", "timeout", "retries", "start_period"}
CONDITIONS = {"service_healthy", "service_completed_successfully", "service_started"}


def test_every_word_is_composes() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == TOP
    assert {key for service in SERVICES.values() for key in service} <= KEYS
    assert {key for service in SERVICES.values() for key in service.get("healthcheck", ())} <= HEALTH


def test_what_is_named_is_declared() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys()
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES
            assert how["condition"] in CONDITIONS
    mounted = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    files = {name for name in mounted if name.startswith("./")}
    assert all((DEPLOY / name).is_file() for name in files)
    volumes = set(mounted) - files
    assert volumes == COMPOSE["volumes"].keys()


def test_the_database_is_there_and_migrated_before_the_bot() -> None:
    assert MIGRATE["depends_on"]["database"]["condition"] == "service_healthy"
    assert BOT["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert "healthcheck" in DATABASE


@pytest.mark.parametrize("service", [BOT, MIGRATE], ids=["bot", "migrate"])
def test_it_runs_verbs_that_exist_fenced_in(service: dict[str, Any]) -> None:
    assert str(build_parser().parse_args(service["command"]).secrets_dir) == "/run/secrets"
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert {name.lower() for name in service["environment"]} <= Settings.model_fields.keys()


def test_every_secret_of_the_bot_is_a_setting_and_none_is_missing() -> None:
    on_postgresql = Settings(database_url="postgresql://pagerline:made-up@database/pagerline")
    assert set(BOT["secrets"]) <= Settings.model_fields.keys()
    assert set(needed_to_run(on_postgresql)) <= set(BOT["secrets"])
    assert {"database_url"} == set(MIGRATE["secrets"])


def test_nothing_listens_to_the_world_but_the_proxy() -> None:
    assert PROXY["ports"] == [f"127.0.0.1:{Settings().port}:{Settings().port}"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_a_stop_has_time_to_finish_what_was_accepted() -> None:
    assert int(BOT["stop_grace_period"].removesuffix("s")) > Settings().shutdown_seconds


def test_the_image_holds_the_bot_and_no_secret() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (\S+) \S+$", text, re.MULTILINE)
    assert copied == ["requirements.lock", "bot", "commands"]
    assert "--require-hashes -r requirements.lock" in text
    assert re.search(r"^USER (?!0|root)", text, re.MULTILINE)
    command = json.loads(re.findall(r"^CMD (.+)$", text, re.MULTILINE)[0])
    assert build_parser().parse_args(command).verb == "run"
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not any(fnmatch.fnmatch(".env", rule.removeprefix("!")) for rule in rules[1:])


def test_compose_agrees(tmp_path: Path) -> None:
    """Where Compose is installed, it is asked too."""
    tool = shutil.which("docker")
    if (
        tool is None
        or subprocess.run([tool, "compose", "version"], capture_output=True, check=False).returncode
    ):
        return
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "deploy" / "pagerline.env").write_text("PUBLIC_URL=https://pager.example.com\n")
    words = [tool, "compose", "--file", str(tmp_path / "deploy" / "compose.yaml"), "config", "--quiet"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_two_bots_stand_behind_a_proxy_that_asks_whether_they_are_ready() -> None:
    assert BOT["deploy"]["replicas"] == 2
    text = (DEPLOY / "haproxy.cfg").read_text("utf-8")
    assert re.search(r"^    option httpchk GET /health/ready$", text, re.MULTILINE)
    (slots, port) = re.findall(r"^    server-template bot (\d+) bot:(\d+)$", text, re.MULTILINE)[0]
    assert int(slots) > BOT["deploy"]["replicas"]  # while a new one takes an old one's place
    assert int(port) == Settings().port
    passed = re.findall(r"path(?:_beg)? ((?:/\S+ ?)+)", text)
    assert set(" ".join(passed).split()) == {"/slack/", "/pagerduty/", "/health/live", "/health/ready"}


def test_haproxy_itself_takes_the_file(haproxy: str) -> None:
    done = subprocess.run(
        [haproxy, "-c", "-f", str(DEPLOY / "haproxy.cfg")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
