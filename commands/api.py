"""Any call to PagerDuty's REST API, for admins, as themselves.

    /pager api GET /incidents query=limit=1 query=statuses[]=triggered
    GET /incidents?limit=1&statuses[]=triggered: 200
    {"incidents": [...

What would change something is shown first, and sent when its button is pressed. Keys and secrets in answers
are hidden; what is too long for Slack is cut, and said. `python -m bot api` prints everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bot.command.context import Context
from bot.declaration import Argument, Line, OneOf, Prose, Reply, Word, command
from bot.errors import PagerDutyForbidden, PagerDutyNotFound, PagerDutyRefused, UserError
from bot.pagerduty.calls import METHODS, ApiCall, read_call, without_secrets
from bot.render.api_answer import ask_before_call, call_answered, call_refused
from bot.render.carried import MOST, carried


class Method(OneOf):
    """An HTTP method."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {method.casefold(): method for method in METHODS}


class Sure(OneOf):
    """What the button says that sends a write."""

    __slots__ = ()
    choices: ClassVar[Mapping[str, str]] = {"yes": "Yes"}


@command(
    "api",
    scope="incidents.write",
    admins_only=True,
    examples=(
        "api GET /abilities",
        "api GET /incidents query=limit=5 query=statuses[]=triggered",
        'api PUT /incidents/Q1ABC body={"incident": {"type": "incident_reference", "urgency": "low"}}',
        "api",
    ),
    title="Call PagerDuty's API",
    submit="Continue",
    arguments={
        "method": Argument("Method", usage="METHOD"),
        "path": Argument("Path", "Such as /incidents/1234/notes.", usage="path"),
        "query": Argument("Query", "One a line: name=value, lists as name[]=value.", named=True),
        "header": Argument("Headers", "One a line, such as X-EARLY-ACCESS: feature.", named=True),
        "body": Argument("Body", "JSON. Typed in a line, it comes last.", named=True),
        "sure": Argument(form_only=True, asked=False),
    },
)
async def api(
    ctx: Context,
    method: Method,
    path: Word,
    *,
    query: list[Line] | None = None,
    header: Prose | None = None,
    body: Prose | None = None,
    sure: Sure | None = None,
) -> Reply:
    """Make any call to PagerDuty's REST API. For admins.

    You act as yourself, and it is on record without headers and body. A call that may change something is
    sent when you press its button.
    """
    call = read_call(method, path, query=query or (), headers=(header or "").splitlines(), body=body or "")
    if call.is_write and sure is None:
        return _ask(call, header or "", body or "")
    try:
        answer = await ctx.incidents.call(call)
    except (PagerDutyRefused, PagerDutyNotFound, PagerDutyForbidden) as refused:
        return call_refused(
            call.line, refused.status, str(refused), refused.reasons, replaces=ctx.request.on_private_reply
        )
    return call_answered(
        call.line, answer.status, without_secrets(answer.data), replaces=ctx.request.on_private_reply
    )


def _ask(call: ApiCall, header: str, body: str) -> Reply:
    fields = {
        "method": call.method.casefold(),
        "path": call.path,
        "query": "\n".join(f"{name}={value}" for name, value in call.query),
        "header": header,
        "body": body,
        "sure": "yes",
    }
    words = carried("api", fields)
    if len(words) > MOST:
        raise UserError(
            f"That is too long for a button of Slack's ({len(words):,} characters of {MOST:,}), so I cannot "
            "ask before it is sent. Use `python -m bot api` in a shell."
        )
    return ask_before_call(call.line, without_secrets(call.body), sorted(call.headers), words)
