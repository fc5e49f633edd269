"""PagerDuty's error bodies, whatever their shape, as our few kinds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import (
    PagerDutyFailure,
    PagerDutyForbidden,
    PagerDutyNotFound,
    PagerDutyRefused,
    PagerDutyUnauthorized,
    PagerDutyUnavailable,
)
from bot.pagerduty.refusals import Problem, failure_of, read_problem


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            '{"error": {"code": 2001, "message": "Invalid Input Provided", "errors": ["Title is blank"]}}',
            Problem(2001, "Invalid Input Provided", ("Title is blank",)),
        ),
        (
            '{"error": {"code": 1001, "message": "Incident Already Resolved"}}',
            Problem(1001, "Incident Already Resolved"),
        ),
        ('{"error": {"code": 2001, "message": "No", "errors": []}}', Problem(2001, "No")),
        ('{"error": {"code": 2001, "message": "No", "errors": "one"}}', Problem(2001, "No", ("one",))),
        ('{"error": {"code": "x", "message": null, "errors": null}}', Problem()),
        ('{"error": ["first", "second"]}', Problem(0, "first", ("first", "second"))),
        ('{"error": "plain words"}', Problem(0, "plain words", ("plain words",))),
        ('{"message": "from a proxy"}', Problem(0, "from a proxy")),
        ("<html>Bad gateway</html>", Problem()),
        ("", Problem()),
        ("null", Problem()),
        ("[" * 50_000, Problem()),
    ],
)
def test_every_shape_is_read(body: str, problem: Problem) -> None:
    assert read_problem(body) == problem


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 2001, PagerDutyRefused),
        (400, 1001, PagerDutyRefused),
        (400, 1004, PagerDutyNotFound),
        (401, 2006, PagerDutyUnauthorized),
        (402, 2014, PagerDutyRefused),
        (403, 2010, PagerDutyForbidden),
        (404, 2100, PagerDutyNotFound),
        (400, 2018, PagerDutyNotFound),
        (408, 2016, PagerDutyUnavailable),
        (413, 2001, PagerDutyRefused),
        (422, 0, PagerDutyRefused),
        (429, 2020, PagerDutyUnavailable),
        (500, 0, PagerDutyUnavailable),
        (503, 2001, PagerDutyUnavailable),
        (302, 0, PagerDutyUnavailable),
    ],
)
def test_each_is_the_kind_of_what_is_done_about_it(
    status: int, code: int, kind: type[PagerDutyFailure]
) -> None:
    body = json.dumps({"error": {"code": code, "message": "Told", "errors": ["why"]}})
    failure = failure_of(status, body, is_write=False, request_id="req-1")
    assert type(failure) is kind
    assert (failure.status, failure.code, failure.reasons) == (status, code, ("why",))
    assert failure.request_id == "req-1"


@pytest.mark.parametrize(
    ("status", "is_write", "maybe_done"),
    [(500, True, True), (408, True, True), (500, False, False), (429, True, False), (400, True, False)],
)
def test_a_write_that_met_trouble_may_have_been_done(status: int, is_write: bool, maybe_done: bool) -> None:
    assert failure_of(status, "", is_write=is_write, request_id=None).maybe_done is maybe_done


def test_a_server_errors_page_is_not_shown_to_people() -> None:
    failure = failure_of(500, '{"error": "Traceback: secret internals"}', is_write=False, request_id=None)
    assert str(failure) == "PagerDuty answered 500"


@given(
    st.integers(300, 599),
    st.one_of(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps)),
)
def test_no_body_breaks_it(status: int, body: str) -> None:
    failure = failure_of(status, body, is_write=True, request_id=None)
    assert isinstance(failure, PagerDutyFailure)
    assert str(failure)
