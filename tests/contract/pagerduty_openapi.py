"""Holds what went over the wire against PagerDuty's own OpenAPI documents, where those are present.

`check_exchange` takes one exchange of the fake's journal and says what is wrong with it: the request the
bot sent, and the answer the fake gave. It is lenient where the documents contradict PagerDuty (see the
contract's README): nulls are allowed anywhere, `readOnly` is ignored, any 2xx stands for the declared one,
and what PagerDuty really takes but does not document is listed below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jsonschema.exceptions import ValidationError
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from bot.sandbox.pagerduty import Exchange

CONTRACT = Path(__file__).resolve().parents[2].parent / "shared" / "contract"
PREFIXES = {
    "pagerduty-rest.openapi.json": "",
    "pagerduty-events-v2.openapi.json": "/v2",
    "pagerduty-events-v1.openapi.json": "/generic/2010-04-15",
}
DOCUMENTS = tuple(PREFIXES)

# Works at PagerDuty although no document names it.
UNDOCUMENTED_QUERY = {"priority_ids[]"}
# Log entry kinds that one list names and another forgot, or misspelt.
UNLISTED_KINDS = {"acknowledge_log_entry", "field_value_change_log_entry"}
ERROR_STATUSES = {400, 401, 402, 403, 404, 406, 408, 413, 422, 429, 500, 503}
FEW = 5
MASK = "•••"

Json = Any


def available() -> bool:
    return all((CONTRACT / name).is_file() for name in DOCUMENTS)


@cache
def _documents() -> dict[str, Json]:
    return {name: json.loads((CONTRACT / name).read_text("utf-8")) for name in DOCUMENTS}


@cache
def _registry() -> Registry[Any]:
    resources = [(f"urn:{name}", DRAFT4.create_resource(document)) for name, document in _documents().items()]
    return Registry().with_resources(resources)


@cache
def _operations() -> list[tuple[str, str, re.Pattern[str]]]:
    """Document name, path template and its pattern; templates with the fewest parameters first."""
    found = [
        (name, path, re.compile(f"^{PREFIXES[name]}" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"))
        for name, document in _documents().items()
        for path in document["paths"]
    ]
    return sorted(found, key=lambda operation: operation[1].count("{"))


def check_exchange(exchange: Exchange) -> list[str]:
    """The problems of one exchange, each naming where it is; webhooks out, control and OAuth have no
    document.
    """
    if exchange.direction == "out" or exchange.path.startswith(("/control/", "/oauth/")):
        return []
    where = f"{exchange.method} {exchange.path}"
    match = next((o for o in _operations() if o[2].match(exchange.path)), None)
    if match is None:
        return [] if exchange.status in (401, 404) else [f"{where}: there is no such path"]
    name, path, _ = match
    operation = _documents()[name]["paths"][path].get(exchange.method.lower())
    if operation is None:
        return [] if exchange.status == 404 else [f"{where}: there is no such method"]
    problems = [*_request_problems(exchange, name, operation), *_answer_problems(exchange, name, operation)]
    return [f"{where}: {problem}" for problem in problems]


def request_problems(path: str, body: Json) -> list[str]:
    """The problems of one body that is to be posted to this path."""
    name, template, _ = next(one for one in _operations() if one[2].match(path))
    operation = _documents()[name]["paths"][template]["post"]
    return list(_violations(name, operation["requestBody"]["content"], body, "request"))


def _request_problems(exchange: Exchange, name: str, operation: Json) -> Iterator[str]:
    if exchange.status is not None and exchange.status >= 400 and exchange.status not in (429, 500, 503):
        return  # a refused request may be wrong on purpose
    parameters = [_resolved(name, p) for p in operation.get("parameters", [])]
    known = {p["name"] for p in parameters if p["in"] == "query"} | UNDOCUMENTED_QUERY
    for parameter in sorted(set(exchange.query) - known):
        yield f"unknown query parameter {parameter}"
    for parameter in parameters:
        values = exchange.query.get(parameter["name"], [])
        schema = _resolved(name, parameter.get("schema", {}))
        allowed = schema.get("enum") or _resolved(name, schema.get("items", {})).get("enum")
        if schema.get("type") == "boolean":
            allowed = ["true", "false"]
        for value in values:
            if allowed and value not in allowed:
                yield f"{parameter['name']}={value} is not one of {allowed}"
    is_rest = not PREFIXES[name]
    if is_rest and "version=2" not in exchange.headers.get("accept", ""):
        yield "the Accept header does not ask for version 2"
    content = _resolved(name, operation.get("requestBody", {})).get("content", {})
    if exchange.body is not None and content:
        yield from _violations(name, content, _unmasked(exchange.body), "request")


def _answer_problems(exchange: Exchange, name: str, operation: Json) -> Iterator[str]:
    status = exchange.status
    if status is None:
        return
    responses = operation["responses"]
    if status >= 400:
        if status not in ERROR_STATUSES:
            yield f"answers with the status {status}"
        return
    candidates = [s for s in (str(status), *sorted(responses)) if s in responses and s[0] == "2"]
    declared = responses[candidates[0]] if candidates else None
    if declared is None:
        yield f"answers {status}, which is not declared"
        return
    content = _resolved(name, declared).get("content", {})
    if content and exchange.answer is not None:
        yield from _violations(name, content, _shortened(exchange.answer), f"answer {status}")


def _shortened(answer: Json) -> Json:
    """With the first and the last few of long lists: a hundred incidents take a second, and are alike."""
    if not isinstance(answer, dict):
        return answer
    return {
        key: [*value[:FEW], *value[-FEW:]] if isinstance(value, list) and len(value) > 2 * FEW else value
        for key, value in answer.items()
    }


def _resolved(name: str, value: Json) -> Json:
    while "$ref" in value:
        target = _documents()[name]
        for part in value["$ref"][2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            target = target[int(key)] if isinstance(target, list) else target[key]
        value = target
    return value


def _violations(name: str, content: Json, instance: Json, what: str) -> Iterator[str]:
    schema = next(iter(content.values()))["schema"]
    rooted = _with_base(schema, f"urn:{name}")
    validator = OAS30Validator(rooted, registry=_registry())
    for error in validator.iter_errors(_without_nulls(instance)):
        if not _excused(error, instance):
            yield f"{what}: {'/'.join(str(p) for p in error.absolute_path) or '.'}: {error.message[:200]}"


def _with_base(value: Json, base: str) -> Json:
    """A copy whose local references point into the document."""
    if isinstance(value, dict):
        return {
            k: f"{base}{v}"
            if k == "$ref" and isinstance(v, str) and v.startswith("#")
            else _with_base(v, base)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_with_base(item, base) for item in value]
    return value


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _unmasked(value: Json) -> Json:
    """The journal's masks would be too short for a routing key."""
    if isinstance(value, dict):
        return {k: "x" * 32 if v == MASK else _unmasked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_unmasked(item) for item in value]
    return value


def _excused(error: ValidationError, instance: Json) -> bool:
    """Where the documents contradict PagerDuty itself, or each other."""
    path = list(error.absolute_path)
    allowed: Json = error.validator_value
    if error.validator == "required":
        there = instance
        for part in path:
            there = there[part]
        return any(name in there and there[name] is None for name in allowed)
    if error.validator == "enum":
        # With include[] the reference becomes the object and its type loses `_reference`.
        return f"{error.instance}_reference" in allowed or error.instance in UNLISTED_KINDS
    if error.validator == "oneOf":
        # Overlapping kinds (no context: several fit) are the documents' fault, and one kind with only excused
        # differences is enough.
        by_kind = groupby(error.context, key=lambda cause: cause.relative_schema_path[0])
        return not error.context or any(all(_excused(c, instance) for c in causes) for _, causes in by_kind)
    # A new incident's details are text; only the schema says object.
    return path[-3:] == ["incident", "body", "details"] or path[-2:] == ["body", "details"]
