"""The log: one line an event, in two styles, and never a secret in it, wherever it hides."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import BLOT, QUIET, Redactor, configure

PLANTED = "planted-secret-4711"
ODD = "od'd\"sec\\ret+/="
SHAPED = [
    "xoxb-1234567890-abcdefghij",
    "xoxp-1234567890-abcdefghij",
    "xapp-1-A0PAGER-1234-abcdef",
    "xoxe.xoxb-1-abcdefghij",
    "pdus+_0XBPWQQ_abcdef-1234",
    "https://hooks.slack.com/commands/T0ACME/123456/abcDEF",
]
IN_ITS_PLACE = [
    ("Authorization: Token token=y_NbAkKc66ryYTWUXYEu", "y_NbAkKc66ryYTWUXYEu"),
    ("Authorization: Bearer eyJhbGciOi.JIUzI1NiJ9", "eyJhbGciOi.JIUzI1NiJ9"),
    ("X-PagerDuty-Signature: v1=" + "ab" * 32, "ab" * 32),
    ("x-slack-signature v0=" + "0f" * 32, "0f" * 32),
    ("could not reach postgresql://pager:hunter2@db:5432/pager", "hunter2"),
]

Say = Callable[..., None]


@pytest.fixture(autouse=True)
def _the_log_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def begin(out: io.StringIO, *, style: str = "json", level: str = "INFO") -> None:
    configure(level=level, style=style, secrets=[PLANTED, ODD], stream=out)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


# ----------------------------------------------------------------------------------------------------- a line


def test_a_json_line_says_when_who_what(out: io.StringIO) -> None:
    begin(out)
    structlog.get_logger("pagerline.delivery").info("posted", channel="C1", tries=2, ok=True, who=None)
    (line,) = lines(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "posted",
        "logger": "pagerline.delivery",
        "level": "info",
        "channel": "C1",
        "tries": 2,
        "ok": True,
        "who": None,
    }


def test_a_console_line_is_for_people(out: io.StringIO) -> None:
    begin(out, style="console")
    structlog.get_logger("pagerline.delivery").warning("posted", channel="C1")
    assert "warning" in out.getvalue()
    assert "posted" in out.getvalue()
    assert "channel=C1" in out.getvalue()
    assert "\x1b" not in out.getvalue(), "colours belong on a terminal only"


def test_the_level_is_a_threshold(out: io.StringIO) -> None:
    begin(out, level="WARNING")
    log = structlog.get_logger("pagerline.x")
    log.info("quiet")
    log.warning("loud")
    assert [line["event"] for line in lines(out)] == ["loud"]


def test_other_libraries_end_in_the_same_place(out: io.StringIO) -> None:
    begin(out)
    logging.getLogger("somebody.else").warning("lost %s of %d", "one", 3)
    (line,) = lines(out)
    assert (line["event"], line["logger"], line["level"]) == ("lost one of 3", "somebody.else", "warning")


@pytest.mark.parametrize("name", sorted(QUIET))
def test_chatty_libraries_are_quiet_even_when_we_debug(out: io.StringIO, name: str) -> None:
    """Bolt's verifier, for one, writes bodies and signatures at INFO."""
    begin(out, level="DEBUG")
    for logger in (logging.getLogger(name), logging.getLogger(f"{name}.deeper")):
        logger.setLevel(logging.DEBUG)  # as Bolt does for its own, whatever it was before
        logger.info("everything I know")
    logging.getLogger(name).log(QUIET[name], "trouble")
    assert [line["event"] for line in lines(out)] == ["trouble"]


def test_strangers_who_speak_no_http_fill_no_log(out: io.StringIO) -> None:
    begin(out)
    log = logging.getLogger("aiohttp.server")
    for error in (BadHttpMessage("what is this?"), RuntimeError("a bug")):
        log.error("Error handling request", exc_info=error)
    (line,) = lines(out)
    assert "a bug" in line["exception"]


def test_context_bound_to_a_task_is_in_its_lines(out: io.StringIO) -> None:
    begin(out)
    with structlog.contextvars.bound_contextvars(request="R1"):
        structlog.get_logger("pagerline.x").info("inside")
    structlog.get_logger("pagerline.x").info("outside")
    assert [line.get("request") for line in lines(out)] == ["R1", None]


def test_begun_twice_writes_once(out: io.StringIO) -> None:
    begin(out)
    begin(out)
    structlog.get_logger("pagerline.x").info("once")
    assert len(lines(out)) == 1


# ---------------------------------------------------------------------------------------------------- secrets


class Thing:
    def __repr__(self) -> str:
        return f"Thing({PLANTED})"


class Broken(Exception):
    pass


def nested() -> None:
    try:
        raise ValueError(f"inner {PLANTED}")
    except ValueError as inner:
        raise Broken(f"outer {ODD!r}") from inner


def plainly(log: Any) -> None:
    log.info("said", value=PLANTED)


def in_the_event(log: Any) -> None:
    log.info(f"said {PLANTED}")  # noqa: G004 - the slip this is about


def deep_inside(log: Any) -> None:
    log.info(
        "said", value={"headers": [("Authorization", PLANTED)], PLANTED: {PLANTED}, "raw": PLANTED.encode()}
    )


def in_an_object(log: Any) -> None:
    log.info("said", value=Thing(), several=(Thing(), [Thing()]))


def in_the_context(log: Any) -> None:
    log.bind(token=PLANTED).info("said")


def in_a_traceback(log: Any) -> None:
    try:
        nested()
    except Broken:
        log.exception("failed")


def in_another_library(log: Any) -> None:
    logging.getLogger("aiohttp.server").error("request %s %r", PLANTED, {"token": PLANTED})


def in_another_librarys_traceback(log: Any) -> None:
    try:
        nested()
    except Broken:
        logging.getLogger("aiohttp.server").exception("Error handling request")


def in_a_stack(log: Any) -> None:
    log.info("said", stack_info=True, value=PLANTED)


def in_a_form(log: Any) -> None:
    log.info("said", body=f"token={quote(ODD, safe='')}", shown=repr(ODD), json=json.dumps({"t": ODD}))


WAYS = [
    plainly,
    in_the_event,
    deep_inside,
    in_an_object,
    in_the_context,
    in_a_traceback,
    in_another_library,
    in_another_librarys_traceback,
    in_a_stack,
    in_a_form,
]


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_secret_gets_through(out: io.StringIO, style: str, way: Say) -> None:
    begin(out, style=style)
    way(structlog.get_logger("pagerline.x"))
    written = out.getvalue()
    assert written.strip()
    assert BLOT in written
    for spelt in (PLANTED, ODD, quote(ODD, safe=""), repr(ODD)[1:-1], json.dumps(ODD)[1:-1]):
        assert spelt not in written


def test_a_traceback_stays_readable(out: io.StringIO) -> None:
    begin(out)
    in_a_traceback(structlog.get_logger("pagerline.x"))
    (line,) = lines(out)
    assert "in nested" in line["exception"]
    assert "direct cause" in line["exception"]
    assert "Broken: outer" in line["exception"]


@pytest.mark.parametrize("secret", SHAPED)
def test_what_looks_like_a_secret_is_blotted_though_nobody_configured_it(secret: str) -> None:
    assert Redactor([]).text(f"got {secret} here") == f"got {BLOT} here"


@pytest.mark.parametrize(("text", "secret"), IN_ITS_PLACE)
def test_what_stands_where_secrets_stand_is_blotted(text: str, secret: str) -> None:
    redacted = Redactor([]).text(text)
    assert secret not in redacted
    assert BLOT in redacted


def test_ordinary_words_stay() -> None:
    words = "incident Q1 #1234 in C0CHECK from https://acme.pagerduty.com/incidents/Q1, v1=ok, tokens, xox"
    assert Redactor(["", "ok", "a"]).text(words) == words


def test_the_redactor_does_not_show_what_it_knows() -> None:
    assert PLANTED not in repr(Redactor([PLANTED]))


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=30),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_a_configured_secret_is_blotted_wherever_it_stands(secret: str, before: str, after: str) -> None:
    redacted = Redactor([secret]).text(f"{before}{secret}{after}")
    assert secret not in redacted or secret in BLOT
