"""The systemd unit: its options exist, it starts what there is, and it is fenced in."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from bot.cli.main import VERBS, build_parser
from bot.settings import Settings, needed_to_run

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "pagerline.service"
PYTHON = "/opt/pagerline/.venv/bin/python"
# Our directives, each as systemd.unit(5), systemd.service(5) or systemd.exec(5) has it.
KNOWN = {
    "Unit": {"Description", "After", "Wants", "StartLimitIntervalSec"},
    "Service": {
        *("Type", "DynamicUser", "User", "StateDirectory", "StateDirectoryMode", "WorkingDirectory", "UMask"),
        *("EnvironmentFile", "LoadCredential", "Environment", "ExecStartPre", "ExecStart", "Restart"),
        *("RestartSec", "RestartPreventExitStatus", "TimeoutStopSec", "AmbientCapabilities"),
        *("CapabilityBoundingSet", "LockPersonality", "NoNewPrivileges", "PrivateDevices", "PrivateTmp"),
        *("ProcSubset", "ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname"),
        *("ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc"),
        *("ProtectSystem", "RemoveIPC", "RestrictAddressFamilies", "RestrictNamespaces"),
        *("RestrictRealtime", "RestrictSUIDSGID", "SystemCallArchitectures", "SystemCallErrorNumber"),
        "SystemCallFilter",
    },
    "Install": {"WantedBy"},
}


def directives() -> dict[str, dict[str, list[str]]]:
    """Section to directive to its values; a directive may stand several times."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in UNIT.read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif line and not line.startswith("#"):
            name, is_there, value = line.partition("=")
            assert is_there, f"not a directive: {line!r}"
            found[section][name].append(value)
    return found


SERVICE = directives()["Service"]


def test_every_directive_stands_where_it_belongs() -> None:
    assert {section: set(names) - KNOWN[section] for section, names in directives().items()} == {
        section: set() for section in KNOWN
    }


def test_it_runs_verbs_that_exist() -> None:
    for line in SERVICE["ExecStartPre"] + SERVICE["ExecStart"]:
        python, m, module, *words = shlex.split(line)
        assert (python, m, module) == (PYTHON, "-m", "bot")
        assert words[0] in {verb.name for verb in VERBS}
        assert str(build_parser().parse_args(words).secrets_dir) == "${CREDENTIALS_DIRECTORY}"


def test_what_is_needed_comes_as_a_credential() -> None:
    given = {value.split(":")[0] for value in SERVICE["LoadCredential"]}
    assert given == set(needed_to_run(Settings()))
    offered = re.findall(r"^#?LoadCredential=(\w+):/etc/pagerline/(\w+)$", UNIT.read_text(), re.MULTILINE)
    assert all(name == file for name, file in offered)
    fields = Settings.model_fields
    assert all("SecretStr" in str(fields[name].annotation) for name, _ in offered)


def test_a_stop_has_time_to_finish_what_was_accepted() -> None:
    assert int(SERVICE["TimeoutStopSec"][0]) > Settings().shutdown_seconds


def test_systemd_agrees(tmp_path: Path) -> None:
    """Where systemd's own tool is installed, it is asked too."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        return
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace(PYTHON, sys.executable))
    said = subprocess.run(
        [tool, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    # It looks at what this machine has installed as well: only what it says of ours counts.
    ours = [line for line in said.stderr.splitlines() if UNIT.stem in line]
    assert ours == []
