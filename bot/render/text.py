"""Words as Slack's mrkdwn: everything from outside passes through here before it stands in a block.

Slack's rule is to escape only `&`, `<` and `>`; that takes the power from mentions and links. It offers no
way to escape `*`, `_`, `~` and the back-tick, so those are exchanged for their look-alikes, and only where
Slack would take them for formatting: `disk_usage` stays what it is. Emoji codes stay: they notify nobody, and
an invisible character inside `arn:aws:…` would spoil what somebody copies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

DOT = "  ·  "

_LOOK_ALIKES = {
    "*": "∗",
    "_": "ˍ",
    "~": "∼",
    "`": "ˋ",
}  # asterisk operator, low macron, tilde operator, grave
# Control characters but for tab and newline, and the marks that turn the direction of the rest of a line
# round.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_MARKUP = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|.", re.DOTALL)
# What could still call somebody: `@here` where Slack parses plain text, `<!here>` where a client decodes
# twice.
_CALL = re.compile(r"@(?=(?:here|channel|everyone)\b)|<(?=[!@#]|[a-z]+:)", re.IGNORECASE)
_JOINER = "\u2060"  # invisible, breaks no line
_SPAN = re.compile("“[^”]*”|`(?P<code>[^`“”]+)`")
_PLACE = "\ue000"  # of private use: where a code span was while the rest is escaped
_URL = re.compile(r"https?://[^\s<>|]+", re.IGNORECASE)


def escape(text: str) -> str:
    """Outside text for a mrkdwn object: mentions nobody, links nothing, and looks as it was typed."""
    return _entities(harmless("".join(_disarmed(text))))


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def harmless(text: str) -> str:
    """Outside text for a plain_text object: nothing unseen in it, nothing that looks like a mention."""
    text = _UNSEEN.sub("", text.replace("\r\n", "\n"))
    return _CALL.sub(lambda found: found.group() + _JOINER, text)


def _disarmed(text: str) -> Iterable[str]:
    text = text.replace("*", _LOOK_ALIKES["*"])  # we write outside text in bold: any asterisk might end it
    armed = {
        marker: [at for at, char in enumerate(text) if char == marker and _formats(text, at)]
        for marker in _LOOK_ALIKES
        if marker in text
    }
    off = {at for places in armed.values() if len(places) > 1 for at in places}  # one alone formats nothing
    return (_LOOK_ALIKES[char] if at in off else char for at, char in enumerate(text))


def _formats(text: str, at: int) -> bool:
    """Whether Slack could take the character for a start or end of formatting: it asks for a word's edge."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    opens = not before.isalnum() and not after.isspace()
    closes = not after.isalnum() and not before.isspace()
    return opens or closes


def cut(text: str, limit: int) -> str:
    """Plain text of at most `limit` characters, the last one `…` when something was left out."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip(" \n\u200d\ufe0f") + "…"


def cut_markup(text: str, limit: int) -> str:
    """Finished mrkdwn of at most `limit` characters; never ends within an entity, a link or a date token."""
    if len(text) <= limit:
        return text
    length = 0
    for part in _MARKUP.finditer(text):
        if length + len(part.group()) > limit - 1:
            break
        length = part.end()
    return text[:length].rstrip() + "…"


def line(text: str, limit: int = 300) -> str:
    """Outside text on one line, at most `limit` characters before escaping."""
    return escape(cut(" ".join(text.split()), limit))


def sentence(text: str, limit: int = 900) -> str:
    """A sentence of ours on one line: `what to type` is code in it, but not within “…”, where what somebody
    else wrote stands. Everything is escaped as everywhere.
    """
    spans: list[str] = []

    def set_aside(found: re.Match[str]) -> str:
        if found["code"] is None:
            return found[0]
        spans.append(found["code"])
        return _PLACE

    rest = _SPAN.sub(set_aside, cut(" ".join(text.replace(_PLACE, "").split()), limit))
    between = escape(rest).split(_PLACE)
    codes = [f"`{_entities(harmless(span))}`" for span in spans] + [""]
    return "".join(f"{part}{code}" for part, code in zip(between, codes, strict=True))


def prose(text: str, limit: int = 2000) -> str:
    """Outside text that keeps its lines, and whose web addresses are links: a note, details."""
    text = cut(text.strip(), limit)
    parts: list[str] = []
    at = 0
    for found in _URL.finditer(text):
        address = found.group().rstrip(".,;:!?)]}'\"*_~`")
        if "…" in address:
            continue
        parts += [escape(text[at : found.start()]), link(address)]
        at = found.start() + len(address)
    # A line that begins with `>` would become a quotation of ours.
    return re.sub("^(?=&gt;)", _JOINER, "".join(parts) + escape(text[at:]), flags=re.MULTILINE)


def quote(markup: str) -> str:
    """Finished mrkdwn as a quotation, line by line."""
    return "\n".join(f"> {part}" if part else ">" for part in markup.split("\n"))


def bold(markup: str) -> str:
    """Finished mrkdwn in bold; nothing stays nothing."""
    markup = markup.strip()
    return f"*{markup}*" if markup else ""


def struck(markup: str) -> str:
    """Finished mrkdwn struck through: what something was before."""
    return f"~{markup.replace('~', _LOOK_ALIKES['~']).strip()}~" if markup.strip() else ""


def safe_url(url: str | None) -> str | None:
    """The address, safe inside Slack's `<…|…>`; None unless it is http or https with a host."""
    if not url or any(char.isspace() or not char.isprintable() for char in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc:
        return None
    for char, code in (("<", "%3C"), (">", "%3E"), ("|", "%7C"), ("&", "&amp;")):
        url = url.replace(char, code)
    return url


def link(url: str | None, label: str | None = None, limit: int = 300) -> str:
    """A link with an outside label (default: the address itself); just the label when the address is none
    we trust.
    """
    address = safe_url(url)
    if label is None:
        return f"<{address}>" if address else line(url or "", limit)
    # A second `|` would be taken for the end of the label by some of Slack's clients.
    shown = line(label, limit).replace("|", "∣")
    return f"<{address}|{shown}>" if address and shown else shown


def dotted(*parts: str | None) -> str:
    """The parts that say something, with middle dots between."""
    return DOT.join(part for part in parts if part)


def names(of: Iterable[str], most: int = 3, mark: Callable[[str], str] = bold) -> str:
    """Outside names, each marked: `*Alice*, *Bob* and 2 more`."""
    shown = [mark(line(name, 60)) for name in of]
    if len(shown) > most:
        return f"{', '.join(shown[: most - 1])} and {len(shown) - most + 1} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def plain_names(of: Iterable[str], most: int = 3) -> str:
    """As `names`, for the plain text."""
    return names(of, most, str)


def plural(count: int, noun: str, many: str | None = None) -> str:
    """`1 incident`, `1,200 incidents`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def duration(length: timedelta) -> str:
    """A span that is over, in at most two units: `40 s`, `2 min`, `1 h 5 min`, `1 d 4 h`, `3 d`."""
    seconds = max(int(length.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{days} d" + (f" {hours % 24} h" if days < 3 and hours % 24 else "")


def moment(at: datetime, lead: str = "") -> str:
    """A point in time as every reader's own clock shows it: `09:40 today`. `lead`: our words before it."""
    return _date(at, lead + "{time} {date_short_pretty}", lead + moment_utc(at))


def clock(at: datetime, lead: str = "") -> str:
    """As `moment` without the day, for what happens soon."""
    return _date(at, lead + "{time}", lead + clock_utc(at))


def day(at: datetime, lead: str = "") -> str:
    """As `moment`, the date first: for shifts, where the day matters more than the minute."""
    return _date(at, lead + "{date_short_pretty} {time}", lead + day_utc(at))


def _date(at: datetime, form: str, fallback: str) -> str:
    return f"<!date^{int(at.timestamp())}^{form}|{fallback}>"


def moment_utc(at: datetime) -> str:
    """`09:40 UTC, Jan 15`: true anywhere, for fallbacks and plain text."""
    at = at.astimezone(UTC)
    return f"{at:%H:%M} UTC, {at:%b} {at.day}"


def day_utc(at: datetime) -> str:
    """`Jan 15, 09:40 UTC`: as `moment_utc`, the date first."""
    at = at.astimezone(UTC)
    return f"{at:%b} {at.day}, {at:%H:%M} UTC"


def clock_utc(at: datetime) -> str:
    """`09:40 UTC`, for what is about to happen."""
    return f"{at.astimezone(UTC):%H:%M} UTC"
