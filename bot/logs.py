"""Structured logs: one event name and fields, readable on a terminal or as JSON lines; secrets are blotted
out before anything is written.

Set up once by the command line, before anything else speaks. The standard library's loggers (Bolt, aiohttp,
SQLAlchemy) end in the same place.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO
from urllib.parse import quote

import structlog

BLOT = "[secret]"
SHORTEST = 6  # characters: what is shorter stands in too many harmless words
# Shapes of secrets as their makers write them; what a setting holds is blotted by value as well, whatever its
# shape.
SHAPES = re.compile(
    r"xox[a-z]-[\w-]{6,}|xapp-[\w-]{6,}|xwfp-[\w-]{6,}|xoxe\.[\w.-]{6,}|pdus\+[\w.-]{6,}"
    r"|(?<=Token token=)[\w+/.-]{6,}|(?<=Bearer )[\w+/.=-]{6,}"
    r"|https://hooks\.slack\.com/[^\s\"']+|v[01]=[0-9a-f]{40,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
QUIET = {
    # its INFO line holds the request body and the signature
    "slack_bolt.RequestVerification": logging.WARNING,
    "slack_bolt": logging.WARNING,
    # warns at every start that it does not use the token it found in the environment: we hand one over
    "slack_bolt.AsyncApp": logging.ERROR,
    "slack_sdk": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "alembic": logging.WARNING,
    "aiosqlite": logging.WARNING,
    "asyncio": logging.WARNING,
}


def _written(secret: str) -> set[str]:
    """A secret as it is, in a URL, in a repr and in JSON; nothing for one too short to be looked for."""
    if len(secret) < SHORTEST:
        return set()
    return {secret, quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1]}


class Redactor:
    """A structlog processor: replaces known secrets, and whatever has the shape of one, in every field."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({way for one in secrets for way in _written(one)}, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def text(self, value: str) -> str:
        """`value` with every secret blotted out."""
        for secret in self._secrets:
            value = value.replace(secret, BLOT)
        return SHAPES.sub(BLOT, value)

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._clean(item) for item in value]
        return value if isinstance(value, (int, float, bool, type(None))) else self.text(str(value))

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Runs last before rendering, when tracebacks are text already."""
        del logger, method
        own = {"_record", "_from_structlog"}
        return {key: value if key in own else self._clean(value) for key, value in event.items()}


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """False for what is too chatty, whatever level its library has set meanwhile (Bolt does), and for bytes
    that were no HTTP: anybody can send them, and each would cost a traceback.
    """
    if any(
        record.levelno < floor for name, floor in QUIET.items() if f"{record.name}.".startswith(f"{name}.")
    ):
        return False
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__module__ != "aiohttp.http_exceptions"


def configure(*, level: str, style: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging through one redacting handler.

    `style` is console or json; `stream` is standard error unless given.
    """
    redactor = Redactor(secrets)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redactor,
    ]
    out = stream or sys.stderr
    tail: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.addFilter(_is_worth_telling)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, tail],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
