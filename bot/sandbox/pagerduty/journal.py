"""What went over the wire, for tests and the page: every API request in, every webhook out, with secrets
masked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

SECRET_FIELDS = frozenset(
    {
        "access_token",
        "client_secret",
        "code",
        "code_verifier",
        "id_token",
        "integration_key",
        "refresh_token",
        "routing_key",
        "secret",
        "service_key",
    }
)
# Only where people sign in; elsewhere these names mean something else.
OAUTH_FIELDS = SECRET_FIELDS | {"code_challenge", "state", "token"}
MASK = "•••"
# A story of thousands of incidents must not keep every byte for ever.
LONGEST = 20_000


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `status` is None when none came, `actor` the PagerDuty user who acted."""

    direction: Literal["in", "out"]
    at: datetime
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    status: int | None
    answer: Any
    actor: str | None
    milliseconds: float


class Journal:
    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def add(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        if len(self.exchanges) > LONGEST:
            del self.exchanges[: LONGEST // 2]


def secret_fields(path: str) -> frozenset[str]:
    """The names of fields that hold secrets in what is sent to this path."""
    return OAUTH_FIELDS if path.startswith("/oauth/") else SECRET_FIELDS


def masked(value: Any, names: frozenset[str] = SECRET_FIELDS) -> Any:
    """A copy of a JSON value in which the values of secret fields cannot be read."""
    if isinstance(value, Mapping):
        return {k: MASK if k in names and v else masked(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(item, names) for item in value]
    return value


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Header names in lower case; of credentials only the scheme stays (`Token token=•••`)."""
    result = {name.lower(): value for name, value in headers.items()}
    if "authorization" in result:
        result["authorization"] = re.sub(r"^(Token token=|\S+ ).*", rf"\1{MASK}", result["authorization"])
    return result
