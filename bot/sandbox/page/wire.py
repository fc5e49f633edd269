"""Raw HTTP both ways for the inspector: both fakes' journals as one list, newest first, secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from bot.sandbox.pagerduty import Exchange as PagerDutyExchange
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.journal import Exchange as SlackExchange
from bot.sandbox.slack.pressing import url_buttons

Json = dict[str, Any]
Exchange = SlackExchange | PagerDutyExchange
MOST = 200
# How far back a line of the list can still be opened.
_REACH = 3000
MASK = "•••"
# What lets its holder answer or open a form for somebody, for as long as it lives.
_TICKETS = re.compile(
    r"(/response/|\"trigger_id\": \"|\b(?:code|code_challenge|code_verifier|nonce|state|ticket|token)=)"
    r"[^\"/?&\s]+"
)
_OFFERED = re.compile(r"[?&]ticket=([^&#]+)")


class Wire:
    """Reads the journals. `hidden()` are the values that must never be shown, wherever they stand."""

    def __init__(
        self, slack: FakeSlack, pagerduty: FakePagerDuty, hidden: Callable[[], Iterable[str]]
    ) -> None:
        self._slack = slack
        self._pagerduty = pagerduty
        self._hidden = hidden

    def newest(self, find: str = "", most: int = MOST) -> Json:
        """A line for each exchange whose line has `find`."""
        words = find.casefold().strip()
        lines = (_line(one) for one in self._exchanges())
        found = (
            line for line in lines if words in f"{line['side']} {line['what']} {line['status']}".casefold()
        )
        return {"exchanges": list(islice(found, most))}

    def exchange(self, id_: str) -> Json:
        """One exchange as text. Raises LookupError when it is too long ago."""
        found = next((one for one in self._exchanges() if _id(one) == id_), None)
        if found is None:
            raise LookupError("That exchange is too long ago.")
        return {
            **_line(found),
            "request": self._masked(_request(found)),
            "response": self._masked(_response(found)),
        }

    def _exchanges(self) -> Iterable[Exchange]:
        both: list[Exchange] = [
            *islice(reversed(self._slack.journal), _REACH),
            *islice(reversed(self._pagerduty.journal), _REACH),
        ]
        return sorted(both, key=lambda one: one.at, reverse=True)

    def _offered(self) -> Iterable[str]:
        """The tickets in messages' buttons, which also stand alone as what a press sends."""
        for channel in self._slack.workspace.channels.values():
            for message in (*channel.messages.values(), *channel.ephemerals.values()):
                for url in url_buttons(message.blocks).values():
                    yield from _OFFERED.findall(url)

    def _masked(self, text: str) -> str:
        for secret in (*self._hidden(), *self._offered()):
            if secret:
                text = text.replace(secret, MASK)
        return _TICKETS.sub(rf"\1{MASK}", text)


def _id(one: Exchange) -> str:
    # Both journals keep the very objects, so that while one can be seen its address is its own.
    return f"{id(one):x}"


def _from_bot(one: Exchange) -> bool:
    return one.direction in ("api", "response_url", "in")


def _line(one: Exchange) -> Json:
    if isinstance(one, SlackExchange):
        side = "Slack"
        what = (
            one.api_method
            or one.name
            or ("a reply by response_url" if one.direction == "response_url" else "")
        )
        failed = isinstance(one.answer, dict) and one.answer.get("ok") is False
        status = f"{one.status or 'no answer'}" + (f" {one.answer['error']}" if failed else "")
        ok = one.status == 200 and not failed
    else:
        side, failed = "PagerDuty", False
        event = one.body.get("event", {}) if isinstance(one.body, dict) else {}
        name = event.get("event_type") if one.direction == "out" and isinstance(event, dict) else None
        what = str(name or f"{one.method} {one.path}")
        status, ok = str(one.status or "no answer"), one.status is not None and one.status < 300
    return {
        "id": _id(one),
        "at": one.at.isoformat(),
        "side": side,
        "from_bot": _from_bot(one),
        "what": what,
        "status": status,
        "ok": ok,
        "milliseconds": round(one.milliseconds, 1),
    }


def _request(one: Exchange) -> str:
    query = "&".join(
        f"{name}={value}"
        for name, values in one.query.items()
        for value in (values if isinstance(values, list) else [values])
    )
    first = f"{one.method} {one.path}{'?' + query if query else ''} HTTP/1.1"
    headers = [f"{name}: {value}" for name, value in one.headers.items()]
    return "\n".join([first, *headers, "", _body(one.body)]).rstrip()


def _response(one: Exchange) -> str:
    if not one.status:
        return "(no answer came)"
    return f"HTTP/1.1 {one.status}\n\n{_body(one.answer)}".rstrip()


def _body(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(_unfolded(value), indent=2, ensure_ascii=False)


def _unfolded(value: Any) -> Any:
    """JSON inside JSON strings (a form's `payload`, `blocks`) laid open, as nobody can read it folded."""
    if isinstance(value, dict):
        return {k: _unfolded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_unfolded(v) for v in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return _unfolded(json.loads(value))
        except ValueError:
            return value
    return value
