"""The bot's web pages as complete documents: one small stylesheet inside, no script, nothing from elsewhere.

Pure. Every text from outside is escaped here. `HEADERS` go with every page: nothing is cached or framed, no
address (some hold a ticket) is passed on to where a link leads, and only our own stylesheet counts.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape

DONE, CARE, WAIT = "✓", "!", "…"

STYLE = """
:root{color-scheme:light dark;--ground:#f3f5f4;--card:#fff;--ink:#17211d;--soft:#55635d;--line:#d8dfdb;
--brand:#0b6e4f;--on-brand:#fff;--warm:#fff5df;--warm-ink:#5a4100;--warm-line:#ecd196}
@media (prefers-color-scheme:dark){:root{--ground:#101513;--card:#19201d;--ink:#e9efec;--soft:#a3b1ab;
--line:#34403a;--brand:#4cc69a;--on-brand:#06281c;--warm:#2e2712;--warm-ink:#f3dfa8;--warm-line:#5b4c1e}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:start center;background:var(--ground);
color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
padding:1.25rem 1rem 2rem;overflow-wrap:anywhere}
main{width:100%;max-width:30rem;background:var(--card);border:1px solid var(--line);border-radius:1rem;
padding:1.5rem 1.25rem 1.75rem}
.brand{margin:0 0 1.25rem;font-size:.875rem;font-weight:600;letter-spacing:.02em;color:var(--brand)}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25;font-weight:700;text-wrap:balance}
p{margin:0 0 1rem}
main>:last-child{margin-bottom:0}
form+p,a+p{margin-top:1rem}
.mark{display:grid;place-items:center;width:2.75rem;height:2.75rem;margin:0 0 1rem;border-radius:50%;
background:var(--brand);color:var(--on-brand);font-size:1.375rem;font-weight:700;line-height:1}
.mark.warn{background:var(--warm);color:var(--warm-ink);border:1px solid var(--warm-line)}
.soft{color:var(--soft)}
.who{margin:0 0 1rem;border:1px solid var(--line);border-radius:.75rem}
.who>div{padding:.75rem 1rem}
.who>div+div{border-top:1px solid var(--line)}
dt{font-size:.8125rem;color:var(--soft)}
dd{margin:0;color:var(--soft)}
dd strong{display:block;font-size:1.0625rem;color:var(--ink)}
.note{margin:0 0 1rem;padding:.75rem 1rem;border:1px solid var(--warm-line);border-radius:.75rem;
background:var(--warm);color:var(--warm-ink)}
form{display:grid;gap:.75rem;margin:1.5rem 0 0}
.button{display:block;width:100%;padding:.8125rem 1rem;border:1px solid var(--line);border-radius:.625rem;
background:transparent;color:var(--ink);font:inherit;font-weight:600;text-align:center;text-decoration:none;
cursor:pointer}
.primary{background:var(--brand);border-color:var(--brand);color:var(--on-brand)}
.button:hover{filter:brightness(.96)}
.button:focus-visible{outline:3px solid var(--brand);outline-offset:3px}
code{font:.9375em ui-monospace,"SF Mono",Menlo,Consolas,monospace}
@media (min-width:40rem){body{padding-top:8vh}main{padding:2rem 2.25rem 2.25rem}}
""".strip()

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")

# No `form-action`: browsers hold it against every redirect that follows a form, and PagerDuty sends people on
# to their company's own sign-in, wherever that is. The pages hold no script, and escape everything.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def document(title: str, *parts: str, mark: str = "") -> str:
    """A whole page; `title` is plain text, the parts are finished HTML. `mark` is the sign above the title,
    for the eye alone: ✓, or another for what needs care.
    """
    sign = ""
    if mark:
        kind = "mark" if mark == DONE else "mark warn"
        sign = f'<p class="{kind}" aria-hidden="true">{escape(mark)}</p>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{escape(title)} · Pagerline</title><style>{STYLE}</style></head>"
        '<body><main aria-labelledby="title"><p class="brand">Pagerline</p>'
        f'{sign}<h1 id="title">{escape(title)}</h1>{"".join(parts)}</main></body></html>'
    )


def paragraph(text: str, *, soft: bool = False) -> str:
    """Plain text."""
    return f'<p class="soft">{escape(text)}</p>' if soft else f"<p>{escape(text)}</p>"


def note(text: str) -> str:
    """Plain text that must not be overlooked."""
    return f'<p class="note" role="note">{escape(text)}</p>'


def identities(*rows: tuple[str, str, tuple[str, ...]]) -> str:
    """Who somebody is, place by place: (place, name, details)."""
    entries = "".join(
        f"<div><dt>{escape(place)}</dt><dd><strong>{escape(name)}</strong>"
        + "<br>".join(escape(detail) for detail in details if detail)
        + "</dd></div>"
        for place, name, details in rows
    )
    return f'<dl class="who">{entries}</dl>'


def form(action: str, hidden: Mapping[str, str], *buttons: str) -> str:
    """A form that posts; `hidden` are its values."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    return f'<form method="post" action="{escape(action)}">{fields}{"".join(buttons)}</form>'


def submit(label: str, *, name: str = "", value: str = "", primary: bool = False) -> str:
    """A button of a form; the pressed one's name and value are sent with it."""
    sent = f' name="{escape(name)}" value="{escape(value)}"' if name else ""
    style = "button primary" if primary else "button"
    return f'<button type="submit" class="{style}"{sent}>{escape(label)}</button>'


def link(label: str, url: str) -> str:
    """A link that looks like a button."""
    return f'<a class="button primary" href="{escape(url)}">{escape(label)}</a>'
