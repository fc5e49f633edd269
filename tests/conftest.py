"""What holds for every test: nothing is skipped in silence, and nothing goes wrong unnoticed."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.databases", "tests.browser", "tests.proxy")

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# In CI the same input every time: a red build must be red again on a laptop.
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if IN_CI else "here")


class Complaints(logging.Handler):
    """Keeps what asyncio only logs: exceptions nobody awaited, destroyed tasks, unclosed sessions."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.lines.append(record.getMessage() + (f": {error!r}" if error else ""))


@pytest.fixture(autouse=True)
def _event_loop_complains_of_nothing() -> Iterator[None]:
    complaints = Complaints()
    logger = logging.getLogger("asyncio")
    logger.addHandler(complaints)
    yield
    logger.removeHandler(complaints)
    if complaints.lines:
        pytest.fail("the event loop complained:\n" + "\n".join(complaints.lines), pytrace=False)


# The platforms' contracts may not be copied into the project: where nobody laid them beside the checkout, not
# even CI can test against them. The one skip that CI allows.
SHARED = Path(__file__).resolve().parents[2] / "shared"
SHARED_ABSENT = "../shared is not here"


@pytest.fixture(scope="session")
def shared_contract() -> Path:
    """The platforms' machine-readable contracts. They lie beside the checkout, never in it."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED_ABSENT}: it holds the platforms' contracts")
    return SHARED / "contract"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = _skip_reasons(terminalreporter)
    if not reasons:
        return
    terminalreporter.section("not tested here")
    for reason, count in sorted(reasons.items()):
        terminalreporter.line(f"{count} skipped: {reason}")
    if IN_CI and _inexcusable(reasons):
        terminalreporter.line(
            "CI is set, and in CI everything is tested that can be: this counts as a failure.", red=True
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and isinstance(reporter, pytest.TerminalReporter) and _inexcusable(_skip_reasons(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _inexcusable(reasons: Counter[str]) -> list[str]:
    return [reason for reason in reasons if SHARED.is_dir() or not reason.startswith(SHARED_ABSENT)]


def _skip_reasons(reporter: pytest.TerminalReporter) -> Counter[str]:
    reasons: Counter[str] = Counter()
    for report in reporter.stats.get("skipped", ()):
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[text.removeprefix("Skipped: ")] += 1
    return reasons
