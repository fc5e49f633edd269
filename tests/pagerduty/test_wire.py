"""How a request is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import SecretStr

from bot.pagerduty.credentials import AccountKey, Credentials, UserToken
from bot.pagerduty.wire import Params, address, headers

ORIGIN = "https://api.pagerduty.com/"
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("params", "query"),
    [
        (None, ""),
        ({"limit": 100}, "?limit=100"),
        ({"total": True, "earliest": False}, "?total=true&earliest=false"),
        (
            {"statuses": ["triggered", "acknowledged"]},
            "?statuses%5B%5D=triggered&statuses%5B%5D=acknowledged",
        ),
        ({"include[]": ("services",)}, "?include%5B%5D=services"),
        ({"since": NOON}, "?since=2026-01-15T12%3A00%3A00Z"),
        ({"since": NOON.astimezone(timezone(timedelta(hours=2)))}, "?since=2026-01-15T12%3A00%3A00Z"),
        ({"query": None, "team_ids": []}, ""),
        ({"query": "a&b=c é"}, "?query=a%26b%3Dc+%C3%A9"),
    ],
)
def test_the_query_is_as_pagerduty_reads_it(params: Params | None, query: str) -> None:
    assert address(ORIGIN, "/incidents", params) == f"https://api.pagerduty.com/incidents{query}"


def test_an_account_key_and_a_users_token_have_their_own_schemes() -> None:
    key, token = AccountKey(SecretStr("u+abc")), UserToken(SecretStr("pdus+_0X1"))
    assert headers(key, None, with_body=False) == {
        "Authorization": "Token token=u+abc",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    assert headers(token, None, with_body=False)["Authorization"] == "Bearer pdus+_0X1"


def test_from_and_the_content_type_are_sent_only_where_due() -> None:
    written = headers(AccountKey(SecretStr("k")), "alice@acme.example", with_body=True)
    assert written["From"] == "alice@acme.example"
    assert written["Content-Type"] == "application/json"


@pytest.mark.parametrize("kind", [AccountKey, UserToken])
def test_no_repr_shows_a_secret(kind: type[Credentials]) -> None:
    credentials = kind(SecretStr("very-secret-key"))
    assert "very-secret-key" not in f"{credentials!r} {credentials!s}"


def test_equal_secrets_share_a_limit_and_others_do_not() -> None:
    assert AccountKey(SecretStr("a")) == AccountKey(SecretStr("a"))
    assert len({AccountKey(SecretStr("a")), AccountKey(SecretStr("a")), AccountKey(SecretStr("b"))}) == 2
