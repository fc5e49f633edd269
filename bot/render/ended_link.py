"""The one message to somebody on call whose link to PagerDuty has ended (bot/command/ended_links.py)."""

from __future__ import annotations

from bot.render.blocks import Block, actions, context, link_button, section
from bot.render.limits import Rendered, finish
from bot.render.text import safe_url

_HEAD = "Your link to PagerDuty has ended, and you are on call."
_MEANS = (
    "PagerDuty no longer accepts it. Pages still reach you, but nothing you press here counts in PagerDuty "
    "until you link again."
)
LABEL = "Link my PagerDuty account"


def ended_link(*, url: str, ticket: str, slash: str = "/pager") -> Rendered:
    """`url` is what the button opens, `ticket` what it carries."""
    blocks: list[Block] = [section(f":link:  *{_HEAD}*\n{_MEANS}")]
    if safe_url(url):
        blocks.append(actions([link_button(LABEL, url, "link", value=ticket)]))
    blocks.append(context(f"It takes ten seconds. `{slash} link` does the same."))
    return finish(f"{_HEAD} {_MEANS} Press the button, or type {slash} link.", blocks)
