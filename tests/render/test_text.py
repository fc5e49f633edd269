from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render import text
from bot.render.text import cut, cut_markup, escape, line, link, prose, safe_url

# Text that likes to be markup: every special character is frequent in it.
MEAN = st.text(
    st.sampled_from(list("<>&!@#|*_~`ab 1\n:/")) | st.characters(exclude_categories=["Cs"]), max_size=200
)


@given(MEAN)
def test_escaped_text_neither_mentions_nor_links(typed: str) -> None:
    told = escape(typed)
    assert "<" not in told
    assert ">" not in told
    assert re.sub("&(amp|lt|gt);", "", told).count("&") == 0
    assert "*" not in told
    assert not re.search(r"@(here|channel|everyone)\b", told, re.IGNORECASE)


@given(MEAN, st.integers(1, 60))
def test_a_line_is_short_and_stays_on_one_line(typed: str, limit: int) -> None:
    told = line(typed, limit)
    assert "\n" not in told
    assert (
        len(told.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("\u2060", ""))
        <= limit
    )


@given(MEAN, st.integers(1, 60))
def test_cutting_markup_never_splits_an_entity_or_a_link(typed: str, limit: int) -> None:
    markup = f"{escape(typed)} <https://acme.example/x?a=1&amp;b=2|{escape(typed[:5])}> {escape(typed)}"
    told = cut_markup(markup, limit)
    assert len(told) <= limit
    assert told.count("<") == told.count(">")
    assert re.sub("&(amp|lt|gt);", "", re.sub("<[^>]*>", "", told)).count("&") == 0


@given(MEAN)
def test_prose_links_only_web_addresses(typed: str) -> None:
    for inside in re.findall("<([^>]*)>", prose(typed)):
        assert inside.startswith(("http://", "https://", "HTTP", "Http"))


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("<!channel> *boo*", "&lt;\u2060!channel&gt; ∗boo∗"),
        ("snake_case and disk_usage_total", "snake_case and disk_usage_total"),
        ("_it_ is ~gone~", "ˍitˍ is ∼gone∼"),
        ("~5 min left", "~5 min left"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("&lt; as typed", "&amp;lt; as typed"),
        ("turned \u202eround\u2066", "turned round"),
        ("ping @here and me@hereafter.example", "ping @\u2060here and me@hereafter.example"),
    ],
)
def test_text_is_shown_as_typed(typed: str, shown: str) -> None:
    assert escape(typed) == shown


def test_a_quoted_line_that_looks_like_a_quotation_stays_a_line() -> None:
    assert text.quote(prose("first\n> second")) == "> first\n> \u2060&gt; second"


def test_what_to_type_is_code_in_a_sentence_and_what_somebody_wrote_is_not() -> None:
    said = "I do not understand “_a` b_`c”. Type `/pager ack <N>…` or `help`; _x <!here> y_."
    assert text.sentence(said) == (
        "I do not understand “ˍaˋ bˍˋc”. Type `/pager ack &lt;N&gt;…` or `help`; ˍx &lt;\u2060!here&gt; yˍ."
    )
    assert text.sentence("\ue000 no place of its own `x`") == "no place of its own `x`"


def test_addresses_in_prose_are_links_without_the_full_stop() -> None:
    told = prose("see https://runbooks.example/a?b=1&c=2. Then (https://x.example/y)")
    assert told == "see <https://runbooks.example/a?b=1&amp;c=2>. Then (<https://x.example/y>)"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "acme.example",
        "https://",
        "https://a b",
        "ftp://a.example",
        "http://[bad",
        "mailto:a@b",
    ],
)
def test_only_web_addresses_are_linked(url: str | None) -> None:
    assert safe_url(url) is None
    assert link(url, "Label") == "Label"


def test_a_link_cannot_be_broken_open() -> None:
    assert link("https://a.example/<x>|y", "a|b>c") == "<https://a.example/%3Cx%3E%7Cy|a∣b&gt;c>"


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=40), "40 s"),
        (timedelta(minutes=2, seconds=59), "2 min"),
        (timedelta(hours=1, minutes=5), "1 h 5 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=1, hours=4), "1 d 4 h"),
        (timedelta(days=3, hours=4), "3 d"),
    ],
)
def test_durations_have_at_most_two_units(length: timedelta, told: str) -> None:
    assert text.duration(length) == told


def test_a_moment_is_everyones_own_time_and_true_without_it() -> None:
    at = datetime(2026, 1, 15, 10, 40, tzinfo=timezone(timedelta(hours=1)))
    assert text.moment(at) == "<!date^1768470000^{time} {date_short_pretty}|09:40 UTC, Jan 15>"
    assert (
        text.day(at, "until ")
        == "<!date^1768470000^until {date_short_pretty} {time}|until Jan 15, 09:40 UTC>"
    )
    assert text.clock(at.astimezone(UTC)) == "<!date^1768470000^{time}|09:40 UTC>"


def test_many_names_are_counted() -> None:
    assert text.names(["A", "B"]) == "*A* and *B*"
    assert text.names(["A", "B", "C", "D"]) == "*A*, *B* and 2 more"
    assert text.plain_names(["A"]) == "A"
    assert text.names([]) == ""


def test_cut_says_that_something_is_missing() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert cut("a\U0001f469\u200d\U0001f680 b", 4) == "a\U0001f469…"
