"""Any call to PagerDuty's REST API, as somebody writes it down: for `api`, in Slack and in a shell.

A call goes to PagerDuty and nowhere else, whatever is written: a path below the configured address, never an
address, and none of the headers that say who calls or whom.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from bot.errors import UserError
from bot.logs import SHAPES
from bot.pagerduty.client import PagerDuty
from bot.pagerduty.http import Answer
from bot.pagerduty.wire import HARMLESS

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}|/)*")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Who calls, whom, and how the message is framed: ours alone.
OURS = frozenset(
    {
        *("authorization", "cookie", "from", "host", "via", "forwarded", "x-forwarded-for"),
        *("x-forwarded-host", "x-forwarded-proto", "connection", "content-length", "transfer-encoding"),
        *("te", "trailer", "upgrade", "expect"),
    }
)
HIDDEN = "[hidden]"
# What opens something by itself: keys and secrets, and calendar addresses, which need no sign-in.
SECRET = re.compile(
    r"(?:^|_)(?:secret|secrets|token|tokens|password|passwords|api_?key|(?:integration|routing|service)_key"
    r"|(?:http|web)_cal_url|private_?key|authorization|credentials?)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call. `query` keeps names as written (`include[]`); `body` is any JSON, None for none."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def is_write(self) -> bool:
        """Whether it may change something."""
        return self.method not in HARMLESS

    @property
    def line(self) -> str:
        """`PUT /incidents/Q1?total=true`."""
        asked = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.method} {self.path}{'?' if asked else ''}{asked}"


def read_call(
    method: str, path: str, *, query: Iterable[str] = (), headers: Iterable[str] = (), body: str = ""
) -> ApiCall:
    """`query` as `name=value` each, `headers` as `name: value` each, `body` as JSON. Raises UserError."""
    told = method.strip().upper()
    if told not in METHODS:
        raise UserError(f"“{method[:20]}” is no method: write one of {', '.join(METHODS)}.")
    path, _, in_path = path.strip().partition("?")
    asked = [*parse_qsl(in_path, keep_blank_values=True), *(_pair(one) for one in query)]
    _no_repeats(asked)
    return ApiCall(told, _path(path), tuple(asked), dict(_header(one) for one in headers), _body(body))


def _path(path: str) -> str:
    if "://" in path or path.startswith(("//", "\\")):
        raise UserError("Write the path alone, such as /incidents/1234: I call PagerDuty and nobody else.")
    path = path if path.startswith("/") else f"/{path}"
    if not PATH.fullmatch(path):
        raise UserError("That is no path of PagerDuty's. Write it like /incidents/1234/notes.")
    plain = path
    while (once := unquote(plain)) != plain:
        plain = once
    parts = re.split(r"[/\\]", plain)
    elsewhere = "//" in plain or any(part in (".", "..") for part in parts)
    if elsewhere or not plain.isprintable() or plain == "/":
        raise UserError("That path leads somewhere else. Write it like /incidents/1234/notes, without “..”.")
    return path


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.strip().partition("=")
    if not equals or not name.strip():
        raise UserError(f"“{text[:60]}” is no query: write name=value, such as statuses[]=triggered.")
    return name.strip(), value.strip()


def _no_repeats(asked: Sequence[tuple[str, str]]) -> None:
    """PagerDuty's lists end in `[]`; of another name given twice it would take one."""
    single = [name for name, _ in asked if not name.endswith("[]")]
    if twice := next((name for name in single if single.count(name) > 1), None):
        raise UserError(f"“{twice[:60]}” is given twice. PagerDuty's lists are written {twice[:60]}[]=….")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not HEADER.fullmatch(name) or not (value.isascii() and value.isprintable()):
        raise UserError(f"“{text[:60]}” is no header: write name: value, such as X-EARLY-ACCESS: feature.")
    if name.casefold() in OURS or name.casefold().startswith("proxy-"):
        raise UserError(f"The header {name[:40]} is mine to write. Leave it out.")
    return name, value


def _body(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise UserError("The body is no JSON. Check its quotes and commas.") from None


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


async def make_call(client: PagerDuty, call: ApiCall) -> Answer:
    """As this client's identity; a write that may have happened is not repeated. Raises PagerDutyFailure."""
    params: dict[str, str | list[str]] = {}
    for name, value in call.query:
        if not name.endswith("[]"):
            params[name] = value
        else:
            listed = params.setdefault(name, [])
            assert isinstance(listed, list)
            listed.append(value)
    return await client.http.request(
        call.method,
        call.path,
        client.credentials,
        params=params,
        body=call.body,
        sender=client.sender,
        further=call.headers,
        journal=client.journal,
    )


def without_secrets(value: Any) -> Any:
    """The same JSON, with what opens something by itself taken out: by its name, by its shape (tokens, hook
    addresses, passwords in addresses), and the values of custom headers.
    """
    if isinstance(value, str):
        return SHAPES.sub(HIDDEN, value)
    if isinstance(value, list):
        return [without_secrets(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _hidden(one) if _is_secret(name, one, value) else without_secrets(one)
        for name, one in value.items()
    }


def _is_secret(name: str, value: Any, around: Mapping[str, Any]) -> bool:
    if SECRET.search(name) and not isinstance(value, (dict, bool)):
        return value is not None
    return name == "value" and {"name", "value"} == set(around)  # a header of a webhook's delivery


def _hidden(value: Any) -> Any:
    return [HIDDEN for _ in value] if isinstance(value, list) else HIDDEN
