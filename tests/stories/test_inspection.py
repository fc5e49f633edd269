"""The inspection at the end of each story finds what it is there to find."""

from __future__ import annotations

import json
import logging

import structlog

from tests.contract import pagerduty_openapi, slack_methods
from tests.stories.inspection import errors_in
from tests.stories.office import Office


async def test_a_tidy_office_has_no_complaints(empty_sqlite_office: Office) -> None:
    assert empty_sqlite_office.inspection.complaints() == []


async def test_errors_in_the_log_are_found_unless_they_are_expected(
    empty_sqlite_office: Office,
) -> None:
    inspection = empty_sqlite_office.inspection
    structlog.get_logger("a").error("it_broke")
    logging.getLogger("aiohttp.server").error("Error handling request")
    assert len(inspection.complaints()) == 2
    inspection.expects("it_broke", inspection.book.errors()[1])
    assert inspection.complaints() == []


def test_so_are_those_of_a_bot_in_its_own_process() -> None:
    lines = [
        json.dumps({"level": "info", "event": "ready"}),
        json.dumps({"level": "error", "event": "it_broke"}),
        "Traceback (most recent call last):",
    ]
    assert errors_in("\n".join(lines)) == ["it_broke", "Traceback (most recent call last):"]


async def test_what_the_platforms_would_not_take_is_found(empty_sqlite_office: Office) -> None:
    office = empty_sqlite_office
    session = office.slack.delivery._session
    assert session is not None
    headers = {
        "Authorization": f"Token token={office.pagerduty.api_key}",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    async with session.get(f"{office.sandbox.pagerduty_url}/incidents?colour=red", headers=headers) as answer:
        await answer.read()
    slack_headers = {"Authorization": f"Bearer {office.slack.bot_token}"}
    async with session.post(
        f"{office.sandbox.slack_api_url}auth.test", data={"colour": "red"}, headers=slack_headers
    ) as answer:
        await answer.read()
    found = office.inspection.complaints()
    if pagerduty_openapi.available():
        assert "GET /incidents: unknown query parameter colour" in found
    if slack_methods.CONTRACT.exists():
        assert "auth.test: colour is no argument" in found
    office.pagerduty.journal.clear()
    office.slack.journal.clear()
