"""Slack's error codes as our few kinds, each named by what we do about it; the border where its words end.

    SlackFailure (bot/errors.py)   any other code: a request of ours was wrong; tell, do not repeat
    ├─ MessageGone       the message cannot be written (any more): forget it, or post it again
    ├─ ChannelClosed     archived, or we are not in it: wait to be invited, tell whoever subscribed
    ├─ TokenBad          nothing works in this workspace until somebody mends the token
    ├─ Limited           wait `retry_after` seconds, then go on
    ├─ ContentRefused    Slack does not take what we rendered: `reasons` says why; show it plainer
    ├─ ScopeMissing      the app was not given `needed`: do without, or ask for it
    ├─ ViewExpired       what the person had open (a trigger, a form, a reply address) is no longer there
    ├─ UserUnreachable   this person cannot be found or written to
    ├─ Unreachable       nothing was done: safe to repeat
    └─ OutcomeUnknown    it may have happened: look before repeating

`classify` reads an answer, `bot/slack/client.py` the connection's own failures.
Codes: Slack's method reference of 2026-08 and its table of common errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.errors import SlackFailure

DEFAULT_RETRY_AFTER = 5.0
"""Seconds to wait when Slack limits us without saying for how long."""
LONGEST_RETRY_AFTER = 3600.0


class _Known(SlackFailure):
    """A kind with the codes that mean it."""

    codes: ClassVar[frozenset[str]] = frozenset()


class MessageGone(_Known):
    """Deleted, not ours, or too old to be edited."""

    codes = frozenset(
        {
            "message_not_found",
            "cant_update_message",
            "cant_delete_message",
            "edit_window_closed",
            "thread_not_found",
            "cannot_reply_to_message",
        }
    )


class ChannelClosed(_Known):
    """Archived, deleted, private without us, or closed to our posts."""

    codes = frozenset(
        {
            "channel_not_found",
            "is_archived",
            "is_inactive",
            "not_in_channel",
            "channel_is_limited_access",
            "posting_to_channel_denied",
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "app_access_restricted",
            "ekm_access_denied",
        }
    )


class TokenBad(_Known):
    """Removed, revoked, expired, or refused for the whole workspace."""

    codes = frozenset(
        {
            "not_authed",
            "invalid_auth",
            "account_inactive",
            "token_revoked",
            "token_expired",
            "not_allowed_token_type",
            "team_access_not_granted",
            "accesslimited",
            "two_factor_setup_required",
        }
    )


class Limited(_Known):
    """Too many calls of this method; `retry_after` (seconds) is always known."""

    codes = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})

    def __init__(self, code: str, *, method: str = "", retry_after: float | None = None) -> None:
        wait = DEFAULT_RETRY_AFTER if retry_after is None else retry_after
        super().__init__(code, method=method, retry_after=wait)
        self.seconds = wait


class ContentRefused(_Known):
    """The text, blocks or view break one of Slack's rules; `reasons` are Slack's own words."""

    codes = frozenset(
        {
            "invalid_blocks",
            "invalid_blocks_format",
            "block_mismatch",
            "msg_too_long",
            "msg_blocks_too_long",
            "no_text",
            "invalid_attachments",
            "too_many_attachments",
            "attachment_payload_limit_exceeded",
            "metadata_too_large",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "markdown_text_conflict",
            "view_too_large",
            "duplicate_external_id",
            "invalid_arguments",
        }
    )

    def __init__(self, code: str, *, method: str = "", reasons: tuple[str, ...] = ()) -> None:
        super().__init__(code, method=method)
        self.reasons = reasons


class ScopeMissing(_Known):
    """The app lacks the scope `needed` (comma-separated when any of several would do)."""

    codes = frozenset({"missing_scope", "no_permission"})

    def __init__(self, code: str, *, method: str = "", needed: str = "") -> None:
        super().__init__(code, method=method)
        self.needed = needed


class ViewExpired(_Known):
    """A trigger after 3 s or used, a form closed or changed, a reply address after 30 min or 5 uses."""

    codes = frozenset(
        {
            "expired_trigger_id",
            "exchanged_trigger_id",
            "invalid_trigger_id",
            "trigger_expired",
            "trigger_exchanged",
            "not_found",
            "hash_conflict",
            "push_limit_reached",
            "expired_url",
            "used_url",
            "no_service",
        }
    )


class UserUnreachable(_Known):
    """Unknown, deactivated, a bot, not in the channel, or with direct messages switched off."""

    codes = frozenset(
        {
            "user_not_found",
            "users_not_found",
            "user_not_visible",
            "user_disabled",
            "user_not_in_channel",
            "cannot_dm_bot",
            "messages_tab_disabled",
        }
    )


class Unreachable(_Known):
    """Slack was not reached, or says that it did nothing."""

    codes = frozenset(
        {"service_unavailable", "request_timeout", "org_login_required", "team_added_to_org", "unreachable"}
    )


DROPPED = "dropped"
"""Our code for a connection that broke during the call."""


class OutcomeUnknown(_Known):
    """No answer, or one that does not tell: the call may have been carried out."""

    codes = frozenset({"internal_error", "fatal_error", "update_failed", "timeout", DROPPED, "not_json"})


BY_CODE: Mapping[str, type[_Known]] = {code: kind for kind in _Known.__subclasses__() for code in kind.codes}


def classify(method: str, status: int, body: Any, headers: Mapping[str, str]) -> SlackFailure:
    """What an answer that is not a success means; `body` is whatever was parsed, a mapping or not."""
    answer: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    code = answer.get("error")
    if status == 429 or BY_CODE.get(str(code)) is Limited:
        word = str(code) if isinstance(code, str) else "ratelimited"
        return Limited(word, method=method, retry_after=_seconds(headers.get("Retry-After")))
    if not isinstance(code, str) or not code:
        # A proxy's page, not Slack's answer: what became of the call behind it is not known.
        return OutcomeUnknown(f"http_{status}" if status != 200 else "not_json", method=method)
    kind = BY_CODE.get(code)
    if kind is ContentRefused:
        return ContentRefused(code, method=method, reasons=_reasons(answer))
    if kind is ScopeMissing:
        return ScopeMissing(code, method=method, needed=str(answer.get("needed") or ""))
    if kind is None:
        return SlackFailure(code, method=method) if status < 500 else OutcomeUnknown(code, method=method)
    return kind(code, method=method)


def _seconds(value: str | None) -> float | None:
    try:
        return min(LONGEST_RETRY_AFTER, max(0.0, float(value))) if value is not None else None
    except ValueError:
        return None


def _reasons(answer: Mapping[str, Any]) -> tuple[str, ...]:
    details = answer.get("response_metadata")
    said = details.get("messages") if isinstance(details, Mapping) else None
    listed = [*(said if isinstance(said, list) else []), *(_listed(answer.get("errors")))]
    return tuple(str(line)[:300] for line in listed[:10])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
