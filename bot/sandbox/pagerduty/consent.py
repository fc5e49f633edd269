"""PagerDuty's consent page, drawn: who is signed in, what the app asks in plain words, Allow and Deny.

A `GET` only shows it; what the person decides is a form sent back to the same address.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from bot.sandbox.pagerduty.access import Region
from bot.sandbox.pagerduty.oauth import Question
from bot.sandbox.pagerduty.registration import IDENTITY_SCOPE, WORDS
from bot.sandbox.sign_in_page import Frame, choose, decide, who
from bot.sandbox.world import Person

_LOOK = Frame("PagerDuty", "#045b30", "#5fcf98")


def consent_page(
    question: Question,
    query: Mapping[str, str],
    people: Iterable[Person],
    me: Person | None,
    place: str,
) -> str:
    """The page. `me` is who is signed in (None: it asks who one is), `people` who else could be, `place` the
    account.
    """
    app = html.escape(question.app.name)
    if me is None:
        inside = (
            f"<h1>Sign in to PagerDuty to go on to {app}</h1>"
            f"<p>Nobody is signed in here. Who are you?</p>{choose(people, query)}"
        )
        return _LOOK.page(f"Sign in to go on to {question.app.name}", inside)
    others = [one for one in people if one is not me]
    inside = (
        f"<h1>Allow {app} to use your PagerDuty account?</h1>{who(me, place)}"
        f"<details><summary>Not you?</summary>{choose(others, query)}</details>"
        f"{_asked(question.scopes)}{decide(query, me)}"
        '<p class="quiet">You can take this back in PagerDuty at any time.<br>'
        f"You go on to {html.escape(question.redirect_uri)}</p>"
    )
    return _LOOK.page(f"Allow {question.app.name}?", inside)


def trouble_page(said: str) -> str:
    """When nobody may be sent anywhere: the app or its address is not the registered one."""
    inside = (
        f"<h1>This link does not work</h1><p>{html.escape(said)}.</p>"
        '<p class="quiet">Whoever looks after the app must register this very redirect address with it. '
        "You can close this page.</p>"
    )
    return _LOOK.page("This link does not work", inside)


def place_of(subdomain: str, region: Region) -> str:
    """Where the account lives, in words."""
    return f"{subdomain}.pagerduty.com" + (", EU service region" if region == "eu" else "")


def _asked(scopes: frozenset[str]) -> str:
    """What the app may change and see, each once: changing includes seeing."""
    if scopes & {"read", "write"}:
        change = ["whatever you may change in PagerDuty"] if "write" in scopes else []
        see = ["whatever you may see in PagerDuty"]
    else:
        change = _named(scopes, "write")
        see = [words for words in _named(scopes, "read") if words not in change]
    parts = [("In your name it may change", change), ("It may see", ["who you are", *see])]
    said = "".join(
        f"<h2>{title}</h2><ul>{''.join(f'<li>{html.escape(one)}</li>' for one in listed)}</ul>"
        for title, listed in parts
        if listed
    )
    if scopes == {IDENTITY_SCOPE}:
        return f"{said}<p>It gets no access to incidents: ask whoever registered it.</p>"
    return f'{said}<p class="quiet">It can never do more than you may yourself.</p>'


def _named(scopes: Iterable[str], way: str) -> list[str]:
    names = (scope.removesuffix(f".{way}") for scope in scopes if scope.endswith(f".{way}"))
    return sorted(WORDS[name] for name in names)
