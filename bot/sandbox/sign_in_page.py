"""The frame of the pages on which a person signs in or consents, at the fake Slack and the fake PagerDuty."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from string import Template
from urllib.parse import urlencode

from bot.sandbox.world import Person

# The sandbox's page leaves the Slack id of whoever sits there: cookies do not tell ports apart.
PRESENT_PERSON = "sandbox_person"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

_STYLE = Template("""
:root {
  color-scheme: light dark;
  --ground: light-dark(#f1f3f2, #14181a);
  --card: light-dark(#fff, #1f2528);
  --line: light-dark(#d9dedb, #384045);
  --edge: light-dark(#7d8883, #7d8883);
  --text: light-dark(#1c2421, #e2e6e4);
  --quiet: light-dark(#56625c, #a4afaa);
  --link: light-dark($colour, $bright);
  --brand: $colour;
}
* { box-sizing: border-box; }
body {
  margin: 0;
  min-height: 100vh;
  display: grid;
  grid-template-rows: auto 1fr auto;
  background: var(--ground);
  color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header { padding: .9rem 1.5rem; background: var(--brand); color: #fff; font-weight: 700; }
header small { font-weight: 400; }
main { width: min(34rem, 100%); margin: 2rem auto; padding: 0 1rem; }
.card { padding: 1.6rem; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
h1 { margin: 0 0 1.1rem; font-size: 1.35rem; line-height: 1.3; text-wrap: balance; }
h2 { margin: 1.2rem 0 .3rem; font-size: 1rem; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.quiet, footer { color: var(--quiet); font-size: .9rem; }
.who {
  display: flex;
  gap: .9rem;
  align-items: center;
  padding: .8rem 1rem;
  border: 1px solid var(--line);
  border-radius: 10px;
}
.who p { margin: 0; }
.initials {
  flex: none;
  display: grid;
  place-items: center;
  width: 2.6rem;
  height: 2.6rem;
  border-radius: 50%;
  background: var(--brand);
  color: #fff;
  font-weight: 700;
}
ul { margin: .2rem 0; padding-left: 1.2rem; }
form { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1.5rem 0 1rem; }
button {
  flex: 1 1 9rem;
  min-height: 2.9rem;
  padding: .5rem 1rem;
  border: 1px solid var(--edge);
  border-radius: 8px;
  background: var(--card);
  color: var(--text);
  font: inherit;
  font-weight: 600;
  cursor: pointer;
}
button.allow { background: var(--brand); border-color: var(--link); color: #fff; }
button:hover { filter: brightness(.94); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
details { margin-top: .6rem; }
summary { cursor: pointer; color: var(--link); width: fit-content; padding: .2rem 0; }
.people { list-style: none; margin: .3rem 0 0; padding: 0; }
.people a { display: block; padding: .45rem .6rem; border-radius: 8px; color: var(--link); }
.people a:hover { background: var(--ground); }
footer { padding: 1rem 1.5rem; text-align: center; }
@media (width <= 600px) {
  main { margin: 1rem auto; padding: 0 .7rem; }
  .card { padding: 1.1rem; }
}
""")

_FRAME = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<header>$brand <small>of the sandbox</small></header>
<main><div class="card">$inside</div></main>
<footer>This is the sandbox's own $brand. Nothing leaves this machine.</footer>
</body>
</html>
""")


class Frame:
    """A fake's own look: its name, its colour, and that colour on a dark ground."""

    def __init__(self, brand: str, colour: str, bright: str) -> None:
        self._brand = html.escape(brand)
        self._style = _STYLE.substitute(colour=colour, bright=bright)

    def page(self, title: str, inside: str) -> str:
        """A whole page around this HTML."""
        return _FRAME.substitute(
            title=html.escape(title), style=self._style, brand=self._brand, inside=inside
        )


def who(me: Person, place: str) -> str:
    """The card of whoever is signed in, and where (`acme.pagerduty.com`)."""
    initials = html.escape("".join(word[0] for word in me.name.split()[:2]))
    return (
        f'<div class="who"><span class="initials" aria-hidden="true">{initials}</span>'
        f"<p>Signed in as <strong>{html.escape(me.name)}</strong><br>"
        f'<span class="quiet">{html.escape(me.email)} · {html.escape(place)}</span></p></div>'
    )


def choose(people: Iterable[Person], query: Mapping[str, str]) -> str:
    """A link for each person that shows the same page to them: they are named by Slack id in `as`."""

    def link(one: Person) -> str:
        address = html.escape("?" + urlencode({**without_person(query), "as": one.slack_id}))
        return f'<li><a href="{address}">Sign in as {html.escape(one.name)}</a></li>'

    return f'<ul class="people">{"".join(link(one) for one in people)}</ul>'


def decide(query: Mapping[str, str], me: Person) -> str:
    """Allow and Deny: `decision`, and `user`, whose Slack id it is, go back to the page's own address."""
    return (
        f'<form method="post" action="{html.escape("?" + urlencode(without_person(query)))}">'
        f'<input type="hidden" name="user" value="{html.escape(me.slack_id)}">'
        '<button class="allow" name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny">Deny</button></form>'
    )


def without_person(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name != "as"}


def signed_in(
    people: Iterable[Person], query: Mapping[str, str], cookies: Mapping[str, str]
) -> Person | None:
    """Who was picked on the page, or else sits at the sandbox's page."""
    known = {one.slack_id: one for one in people}
    return known.get(query.get("as", "")) or known.get(cookies.get(PRESENT_PERSON, ""))
