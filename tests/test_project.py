"""The project's papers: the locks follow pyproject.toml, README and changelog say what they must."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-aws.lock", "requirements-dev.lock")
PAPERS = ("README.md", "CONTRIBUTING.md")

REQUIREMENT = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[0-9][\w.!+]*)(?P<marker> ; [^/\\]+)?(?: \\)?"
)
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def declared(requirements: list[str]) -> set[str]:
    """The normalised names, without extras and versions."""
    names = (re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0] for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def locked(lock: str) -> dict[str, str]:
    matches = (REQUIREMENT.fullmatch(line) for line in (ROOT / lock).read_text().splitlines())
    return {match["name"]: match["version"] for match in matches if match}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_names_versions_hashes_and_markers_only(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    assert [line for line in lines if not REQUIREMENT.fullmatch(line) and not HASH.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_locked_has_a_hash(lock: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / lock).read_text())
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def test_the_locks_hold_what_is_declared() -> None:
    runtime, development = locked("requirements.lock"), locked("requirements-dev.lock")
    assert declared(project()["project"]["dependencies"]) - runtime.keys() == set()
    assert declared(project()["dependency-groups"]["aws"]) - locked("requirements-aws.lock").keys() == set()
    assert declared(project()["dependency-groups"]["dev"]) - development.keys() == set()


def test_what_is_tested_is_what_runs() -> None:
    runtime, aws, development = (locked(lock) for lock in LOCKS)
    assert {name: aws.get(name) for name in runtime} == runtime
    assert {name: development.get(name) for name in aws} == aws


def test_every_dependency_has_its_reason() -> None:
    dependencies = (ROOT / "pyproject.toml").read_text().split("[tool.", 1)[0]
    listed = [line for line in dependencies.splitlines() if re.match(r'  "[a-z].*",', line)]
    assert listed
    assert [line for line in listed if not re.search(r'",\s+# \w', line)] == []


def test_the_changelog_has_room_for_the_next_change() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_start_with_the_two_commands(name: str) -> None:
    paper = (ROOT / name).read_text()
    assert "make sandbox" in paper
    assert "make test" in paper


def test_the_makefile_has_what_the_papers_promise() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    papers = "\n".join((ROOT / name).read_text() for name in PAPERS)
    assert set(re.findall(r"\bmake ([a-z]+)(?=[`\s]*(?:#|`|$))", papers, re.MULTILINE)) <= targets
