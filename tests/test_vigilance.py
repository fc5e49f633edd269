"""The test run itself: a skip is told, and fails in CI; trouble in the background fails its test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "pyproject.toml"

Run = Callable[[str, str], subprocess.CompletedProcess[str]]

SKIPS = """
import pytest

def test_needs_more():
    pytest.skip("the moon is not installed")
"""

NEEDS_SHARED = """
import pytest

def test_against_the_contract():
    pytest.skip("../shared is not here: it holds the contracts")
"""

NEEDS_SHARED_FIXTURE = """
def test_against_the_contract(shared_contract):
    assert shared_contract.is_dir()
"""

LOSES_A_TASK = """
import asyncio, gc

async def fail():
    raise ValueError("nobody looks")

async def test_forgets():
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
"""

LEAVES_A_FILE_OPEN = """
import gc

def test_forgets():
    open(__file__)
    gc.collect()
"""

PASSES = "def test_passes(): pass"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs one test file of its own, under this project's settings and conftest."""
    tests = tmp_path / "checkout" / "tests"
    tests.mkdir(parents=True)

    def run(content: str, ci: str) -> subprocess.CompletedProcess[str]:
        (tests / "test_inner.py").write_text(content)
        (tests / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            str(SETTINGS),
            "--rootdir",
            str(tests),
            "-q",
            str(tests),
        ]
        words += ["-p", "no:cacheprovider", "-o", f"pythonpath={ROOT}"]
        environment = {**os.environ, "CI": ci}
        return subprocess.run(words, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)

    return run


def test_a_skip_is_told(run: Run) -> None:
    outcome = run(SKIPS, "")
    assert "1 skipped: the moon is not installed" in outcome.stdout
    assert outcome.returncode == 0


def test_a_skip_fails_in_ci(run: Run) -> None:
    outcome = run(SKIPS, "true")
    assert "1 skipped: the moon is not installed" in outcome.stdout
    assert outcome.returncode == 1


@pytest.mark.parametrize("content", [NEEDS_SHARED, NEEDS_SHARED_FIXTURE], ids=["words", "fixture"])
def test_ci_lets_the_contracts_be_absent_and_tells(run: Run, content: str) -> None:
    outcome = run(content, "true")
    assert "1 skipped: ../shared is not here" in outcome.stdout
    assert outcome.returncode == 0, outcome.stdout


def test_the_absent_contracts_excuse_nothing_else(run: Run) -> None:
    assert run(NEEDS_SHARED + SKIPS, "true").returncode == 1


def test_contracts_that_are_there_excuse_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    outcome = run(NEEDS_SHARED, "true")
    assert "1 skipped: ../shared is not here" in outcome.stdout
    assert outcome.returncode == 1


def test_ci_passes_when_nothing_is_skipped(run: Run) -> None:
    assert run(PASSES, "true").returncode == 0


@pytest.mark.parametrize("content", [LOSES_A_TASK, LEAVES_A_FILE_OPEN], ids=["task", "file"])
def test_trouble_in_the_background_fails(run: Run, content: str) -> None:
    outcome = run(content, "")
    assert outcome.returncode == 1, outcome.stdout
