"""How a request to PagerDuty is written: headers, query, address.

Rules: PagerDuty's REST pages "HTTP Request Headers" and "Query Parameters".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from bot.pagerduty.credentials import Credentials

HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})  # methods that change nothing
ACCEPT = "application/vnd.pagerduty+json;version=2"
Param = str | int | datetime | Sequence[str] | None
Params = Mapping[str, Param]
"""A sequence becomes `name[]=…` once per item; None is left out."""


def headers(
    credentials: Credentials,
    sender: str | None,
    *,
    with_body: bool,
    further: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """`sender` goes into `From`: the person who acts, where an account key speaks for them. `further` ones
    stand in place of our own, but for those two.
    """
    found = {"Accept": ACCEPT}
    if with_body:
        found["Content-Type"] = "application/json"
    own = {name.casefold(): name for name in found}
    for name, value in (further or {}).items():
        found[own.get(name.casefold(), name)] = value
    found["Authorization"] = credentials.authorization
    if sender is not None:
        found["From"] = sender
    return found


def address(origin: str, path: str, params: Params | None) -> str:
    """The whole URL."""
    pairs: list[tuple[str, str]] = []
    for name, value in (params or {}).items():
        if isinstance(value, (str, int, datetime)):
            pairs.append((name, _written(value)))
        elif value is not None:
            pairs += [(f"{name.removesuffix('[]')}[]", str(item)) for item in value]
    return f"{origin.rstrip('/')}{path}" + (f"?{urlencode(pairs)}" if pairs else "")


def _written(value: str | int | datetime) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"  # PagerDuty does not know `True`
    if isinstance(value, datetime):
        # Without an offset PagerDuty takes the account's own time zone.
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)
