"""The few kinds of failure we tell apart, each named by what is done about it.

    Failure                     something outside us, or the person, stands in the way; its text may be shown
    ├─ UserError                the person can mend it: what happened, what to do next
    │  ├─ NotLinked             we do not know who they are in PagerDuty
    │  └─ NotAllowed            PagerDuty or our own rules refuse this person; names the role or scope
    ├─ PagerDutyFailure         PagerDuty said no, or said nothing
    │  ├─ PagerDutyUnavailable  down, unreachable, limiting us, too slow: try again (`retry_after` seconds)
    │  ├─ PagerDutyRefused      4xx: the request itself is wrong for the present state (`code`, `reasons`)
    │  ├─ PagerDutyForbidden    403: this person's role or the token's scope
    │  ├─ PagerDutyUnauthorized 401: the token is no good (any more)
    │  └─ PagerDutyNotFound     404, or PagerDuty's codes for the same
    ├─ SlackFailure             one of Slack's error codes; what we do about each: bot/slack/failures.py
    ├─ StoreUnavailable         the database cannot take or tell anything right now
    └─ NotOursAnyMore           somebody else may have taken the act over: nothing was sent, nothing is said

Anything else is a bug: the person gets an apology with an id, the log the traceback (bot/command/run.py
decides, nobody else).
"""

from __future__ import annotations


class Failure(Exception):
    """Base of all foreseen failures; `str()` is safe to show."""


class UserError(Failure):
    """A sentence for the person: what happened, and what to do next. Plain text, escaped when rendered."""


class NotLinked(UserError):
    """The Slack user is not known to be a PagerDuty user."""


class NotAllowed(UserError):
    """Refused by our rules or by PagerDuty's; the text names the role or scope and whom to ask."""


class PagerDutyFailure(Failure):
    """PagerDuty did not do what was asked.

    `request_id` is PagerDuty's `x-request-id`; `code` its error code (0 when none); `maybe_done` is True for
    a write whose outcome is unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        status: int = 0,
        reasons: tuple[str, ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        maybe_done: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.reasons = reasons
        self.request_id = request_id
        self.retry_after = retry_after
        self.maybe_done = maybe_done


class PagerDutyUnavailable(PagerDutyFailure):
    """Down, unreachable, limiting or too slow."""


class PagerDutyRefused(PagerDutyFailure):
    """The request does not fit the present state (already resolved, cannot escalate, invalid input …)."""


class PagerDutyForbidden(PagerDutyFailure):
    """403: role or scope."""


class PagerDutyUnauthorized(PagerDutyFailure):
    """401: bad, expired or revoked credentials, or the wrong service region."""


class PagerDutyNotFound(PagerDutyFailure):
    """No such thing, or the person may not see it."""


class SlackFailure(Failure):
    """A call to Slack failed; `code` is Slack's own word, `retry_after` seconds when Slack is limiting us."""

    def __init__(self, code: str, *, method: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"Slack answered {code!r} to {method}" if method else f"Slack answered {code!r}")
        self.code = code
        self.method = method
        self.retry_after = retry_after


class StoreUnavailable(Failure):
    """The database is away, full, or locked: nothing was remembered."""


class NotOursAnyMore(Failure):
    """The lease of an act had lapsed when its write was to be sent. Whoever holds it now says what became of
    it.
    """
