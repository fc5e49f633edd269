"""The pages of linking, and what Slack says of it: complete, escaped, with a next step."""

from __future__ import annotations

import base64
import hashlib
import inspect
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from bot.model import Person
from bot.render import link_problems, linking
from bot.render.link_pages import (
    Face,
    ask_page,
    confirm_page,
    linked_page,
    problem_page,
    waiting_page,
)
from bot.render.link_problems import Problem
from bot.render.web import HEADERS
from tests.render.conftest import Drawn

UMA = Face("Uma Ueda", "uma@acme.example", "Acme", "T0ACME", "uma")
PERSON = Person("PUMA007", "Uma Ueda", "uma@acme.example")
BOB = Person("PBOB002", "Bob Brown", "bob@acme.example")
HIDDEN = {"ticket": "t1cket", "token": "f0rm"}
EVIL = "</h1><script>alert('x')</script>\""
GIVEN = {
    "slash": "/pager",
    "error": "invalid_client",
    "error_id": "ab12",
    "why": "You are a guest here. Ask a full member.",
    "missing": ["incidents.write", "users.read"],
    "region": "us",
    "slack_email": "uma@acme.example",
    "pagerduty_email": "bob@acme.example",
    "slack_name": "Uma Ueda",
}


class Balance(HTMLParser):
    """Fails for tags that do not fit together, and collects what a page holds."""

    EMPTY = frozenset({"meta", "input", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def confirming(face: Face = UMA, person: Person = PERSON, doubt: str | None = None) -> str:
    ways = ("slack", "admin") if doubt else ("plain",)
    return confirm_page(face, person, doubt=doubt, ways=ways, missing=(), action="/c", hidden=HIDDEN)


PAGES = {
    "ask": ask_page(UMA, None, action="/a", hidden=HIDDEN),
    "ask again": ask_page(UMA, BOB, action="/a", hidden=HIDDEN),
    "confirm": confirming(),
    "doubt": confirming(person=BOB, doubt="Slack knows uma@acme.example, PagerDuty bob@acme.example."),
    "waiting": waiting_page(UMA, BOB),
    "linked": linked_page(UMA, PERSON, acts=True, slash="/pager"),
    "problem": problem_page(link_problems.denied("/pager")),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_complete_and_needs_nothing_from_elsewhere(name: str) -> None:
    page = Balance(PAGES[name])
    tags = [tag for tag, _ in page.seen]
    assert ("html", {"lang": "en"}) in page.seen
    assert [tags.count(tag) for tag in ("main", "h1", "title", "style")] == [1, 1, 1, 1]
    assert not {"script", "img", "link", "iframe"} & set(tags)
    # Only what opens Slack leads elsewhere.
    links = {attrs.get("href") for tag, attrs in page.seen if tag == "a"}
    assert links <= {"slack://open?team=T0ACME"}


def test_the_policy_lets_in_the_stylesheet_and_nothing_else() -> None:
    style = PAGES["ask"].partition("<style>")[2].partition("</style>")[0]
    told = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{told}'" in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "page",
    [
        ask_page(
            Face(EVIL, EVIL, EVIL, EVIL, EVIL), Person("P1", EVIL), action="/a", hidden={"ticket": EVIL}
        ),
        confirming(Face(EVIL, EVIL, EVIL, EVIL, EVIL), Person("P1", EVIL, EVIL), EVIL),
        waiting_page(Face(EVIL, EVIL, EVIL, EVIL), Person("P1", EVIL, EVIL)),
        linked_page(Face(EVIL, EVIL, EVIL, EVIL), Person("P1", EVIL), acts=False, slash=EVIL),
        problem_page(Problem(EVIL, EVIL, EVIL)),
    ],
)
def test_whatever_stands_in_a_name_is_text(page: str) -> None:
    assert "script" not in [tag for tag, _ in Balance(page).seen]


def every_problem() -> list[Problem]:
    found = []
    for name, make in inspect.getmembers(link_problems, inspect.isfunction):
        if make.__module__ == link_problems.__name__ and not name.startswith("_"):
            found.append(make(*(GIVEN[one] for one in inspect.signature(make).parameters)))
    return found


@pytest.mark.parametrize("problem", every_problem(), ids=lambda problem: problem.title)
def test_every_problem_says_what_happened_and_what_to_do(problem: Problem) -> None:
    page = problem_page(problem)
    Balance(page)
    assert problem.status in {200, 400, 403, 404, 409, 410, 429, 500, 502, 503}
    assert problem.title
    assert problem.said.endswith(".")
    assert problem.then.endswith(".")
    assert len(problem.title) <= 60


# ------------------------------------------------------------------------------------------ in Slack

BOTH = {
    "user_id": "U0UMA",
    "slack_name": "Uma Ueda",
    "slack_email": "uma@acme.example",
    "person": "Bob Brown",
    "person_email": "bob@acme.example",
}


def test_golden_what_an_admin_is_asked(golden: Callable[[str, Drawn], None]) -> None:
    why = "Slack knows uma@acme.example, PagerDuty bob@acme.example."
    golden("linking-ask-admin", linking.ask_admin("A" * 43, **BOTH, why=why))


def test_golden_linked_as(golden: Callable[[str, Drawn], None]) -> None:
    golden("linking-linked-as", linking.linked_as("Uma Ueda"))


@pytest.mark.parametrize(
    ("outcome", "by", "said"),
    [
        ("linked", "U0CAROL", "Approved by <@U0CAROL>."),
        ("refused", "U0CAROL", "Refused by <@U0CAROL>."),
        ("refused", None, "Taken back"),
        ("late", None, "in another window"),
        ("expired", None, "Nobody decided in time"),
    ],
)
def test_a_decision_names_who_and_whom(outcome: str, by: str | None, said: str) -> None:
    shown = linking.decided(outcome, by=by, **BOTH)
    assert said in shown.text
    assert "Uma Ueda" in shown.text
    assert "Bob Brown" in shown.text
    assert "value" not in str(shown.blocks)  # nothing is left to press


def test_names_cannot_call_or_format_in_slack() -> None:
    both = BOTH | {"slack_name": "<!here> *x*", "person": "<@U0BOB>", "person_email": "a&b"}
    for shown in (
        linking.ask_admin("A" * 43, **both, why="<!channel>"),
        linking.decided("linked", by="U0CAROL", **both),
        linking.linked_as("<!here>"),
        linking.approved("<!here>"),
        linking.replaced("<!here>", "U0BOB", "/pager"),
        linking.not_approved("<!here>", expired=True, slash="/pager"),
    ):
        assert "<!" not in str(shown.blocks) + shown.text
