"""What "forgiving" means, as a table; and that two that fit equally well are never guessed between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.matching import STRICT, best, fold, ranked

NAMES = [
    "Checkout",
    "Checkout primary",
    "Checkout rota",
    "Payments API",
    "Payments",
    "Platform on-call",
    "Platform rota",
    "Search",
    "Login",
    "Métriques",
    "Alice Anderson",
    "Bob Brown",
    "Bobby Tables",
    "Zürich DC / Netz",
]


def found(query: str) -> list[str]:
    return best(query, NAMES, str, lambda name: f"P{NAMES.index(name)}X")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        # exactly, whatever the case
        ("Checkout", ["Checkout"]),
        ("checkout", ["Checkout"]),
        ("CHECKOUT", ["Checkout"]),
        ("payments", ["Payments"]),
        ("search", ["Search"]),
        # accents and signs
        ("metriques", ["Métriques"]),
        ("MÉTRIQUES", ["Métriques"]),
        ("zurich dc netz", ["Zürich DC / Netz"]),
        ("platform on call", ["Platform on-call"]),
        ("platform oncall", ["Platform on-call"]),
        # word order, words run together
        ("api payments", ["Payments API"]),
        ("anderson alice", ["Alice Anderson"]),
        ("paymentsapi", ["Payments API"]),
        ("rota checkout", ["Checkout rota"]),
        # some of the words
        ("primary", ["Checkout primary"]),
        ("api", ["Payments API"]),
        ("anderson", ["Alice Anderson"]),
        ("netz", ["Zürich DC / Netz"]),
        # beginnings
        ("sea", ["Search"]),
        ("log", ["Login"]),
        ("metr", ["Métriques"]),
        ("ali", ["Alice Anderson"]),
        ("pay a", ["Payments API"]),
        ("plat rot", ["Platform rota"]),
        ("al and", ["Alice Anderson"]),
        # one slip
        ("serch", ["Search"]),
        ("saerch", ["Search"]),
        ("loginn", ["Login"]),
        ("metrikues", ["Métriques"]),
        ("alcie", ["Alice Anderson"]),
        ("paymants api", ["Payments API"]),
        ("checkout priamry", ["Checkout primary"]),
        ("plaform rota", ["Platform rota"]),
        # ids
        ("p8x", ["Login"]),
        # between two: both, never a guess
        ("rota", ["Checkout rota", "Platform rota"]),
        ("platform", ["Platform on-call", "Platform rota"]),
        ("check", ["Checkout", "Checkout primary", "Checkout rota"]),
        ("bo", ["Bob Brown", "Bobby Tables"]),
        # nothing
        ("invoices", []),
        ("x", []),
        ("lo gin on", []),
        ("srh", []),
        ("", []),
        ("?", []),
    ],
)
def test_forgiving(query: str, names: list[str]) -> None:
    assert found(query) == names


def test_where_a_guess_would_page_somebody_only_the_words_themselves_count() -> None:
    def strictly(query: str) -> list[str]:
        return best(query, NAMES, str, str, worst=STRICT)

    assert strictly("search") == ["Search"]
    assert strictly("api payments") == ["Payments API"]
    assert strictly("sea") == []
    assert strictly("serch") == []


def test_ranked_gives_all_that_fit_the_best_first() -> None:
    assert ranked("checkout", NAMES, str, str) == ["Checkout", "Checkout primary", "Checkout rota"]


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=5))
def test_any_query_can_be_asked_of_any_names(query: str, names: list[str]) -> None:
    fitting = best(query, names, str, str)
    assert all(name in names for name in fitting)
    assert fold(query) == fold(fold(query))


@given(st.sampled_from(NAMES))
def test_a_name_finds_itself(name: str) -> None:
    assert found(name) == [name]


def test_many_equal_words_do_not_take_for_ever() -> None:
    best("a " * 40 + "b", ["a " * 40], str, str)
