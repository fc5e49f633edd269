"""PagerDuty's refusals: HTTP status, error code, message, and sometimes a list of details.

The codes and their texts are PagerDuty's documented ones; `errors` says more where PagerDuty does.
"""

from __future__ import annotations

from typing import Any

MESSAGES = {
    1001: "Incident Already Resolved",
    1002: "Incident Already Acknowledged",
    1003: "Invalid Status Provided",
    1004: "Invalid Id Provided",
    1006: "Cannot Escalate",
    1007: "Assignee Not Found",
    1008: "Requester User Not Found",
    1011: "Cannot Reassign",
    1012: "Incident Not Acknowledged",
    1013: "Invalid Snooze Duration",
    1014: "Escalation Policy Not Found",
    1015: "No Users On-Call For Escalation Policy",
    1019: "Incident Already Merged",
    1020: "Invalid Priority",
    2001: "Invalid Input Provided",
    2002: "Arguments Caused Error",
    2003: "Missing Arguments",
    2006: "Authentication Failed",
    2010: "Access Denied",
    2019: "Product Limit Reached",
    2020: "Rate Limit Exceeded",
    2100: "Not Found",
}


class ApiError(Exception):
    """An answer with PagerDuty's error body; handlers raise it, the front turns it into HTTP."""

    def __init__(self, status: int, code: int | None, message: str, errors: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message}
        if self.code is not None:
            error["code"] = self.code
        if self.errors:
            error["errors"] = list(self.errors)
        return {"error": error}


def bad_request(code: int, *errors: str) -> ApiError:
    return ApiError(400, code, MESSAGES[code], errors)


def invalid_input(*errors: str) -> ApiError:
    return bad_request(2001, *errors)


def not_found() -> ApiError:
    return ApiError(404, 2100, MESSAGES[2100])


def access_denied(*errors: str) -> ApiError:
    return ApiError(403, 2010, MESSAGES[2010], errors)
