"""What Slack does to a typed line is undone; nothing a person types breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.words import clean, distance, link_target, mentioned_user, nearest, plain, split


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ack 1 2", ["ack", "1", "2"]),
        ("  spaced\u00a0out\u2003words ", ["spaced", "out", "words"]),
        ("“Payments API” down", ["Payments API", "down"]),
        ('a "b', ["a", '"b']),
        ('""', ['""']),
        ("<https://x.example/a b|label here> next", ["<https://x.example/a b|label here>", "next"]),
        ("half <open", ["half", "<open"]),
        ("zero\u200bwidth", ["zerowidth"]),
        ("", []),
    ],
)
def test_words_are_told_apart(typed: str, words: list[str]) -> None:
    assert [word.text for word in split(clean(typed))] == words


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("<@U1|alice> did it", "@alice did it"),
        ("<@U1>", "@U1"),
        ("<#C1|general>", "#general"),
        ("<!here> <!channel>", "@here @channel"),
        ("<!subteam^S1|@oncall>", "@oncall"),
        ("<!date^1^{date}|Monday>", "Monday"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("<http://a.example|a.example>", "a.example"),
        ("<https://evil.example|https://good.example>", "https://good.example (https://evil.example)"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;", "&lt;"),
        ("a <b", "a <b"),
    ],
)
def test_slacks_escapes_become_what_was_seen(sent: str, meant: str) -> None:
    assert plain(sent) == meant


def test_people_and_links_are_recognised() -> None:
    assert mentioned_user("<@U1|alice>") == "U1"
    assert mentioned_user("alice") is None
    assert link_target("<https://a.example/?x=1&amp;y=2|label>") == "https://a.example/?x=1&y=2"
    assert link_target("plain") == "plain"


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [("ack", "ack", 0), ("akc", "ack", 1), ("resolv", "resolve", 1), ("", "ab", 2), ("kitten", "sitting", 3)],
)
def test_slips_are_counted(one: str, other: str, slips: int) -> None:
    assert distance(one, other) == slips
    assert distance(other, one) == slips


def test_the_nearest_word_is_offered_and_a_far_one_is_not() -> None:
    verbs = ["ack", "resolve", "escalate", "oncall"]
    assert nearest("akc", verbs) == "ack"
    assert nearest("ESCALTE", verbs) == "escalate"
    assert nearest("res", verbs) == "resolve"
    assert nearest("banana", verbs) is None
    assert nearest("", verbs) is None


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    line = clean(text)
    words = split(line)
    assert all(0 <= word.start < word.end <= len(line) for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    plain(text)
    link_target(text)
    mentioned_user(text)
