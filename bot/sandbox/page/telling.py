"""A story as Python: one test that can be pasted into tests/stories and run."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.sandbox.page.story import MOST_SIGHTS, Act, Sight, Step, Story

Json = dict[str, Any]
PLACES = {"C0CHECK": "office.checkout", "C0SEARCH": "office.search", "C0INCID": "office.incidents"}
PEOPLE = {
    "U0ALICE": "office.alice",
    "U0BOB": "office.bob",
    "U0CAROL": "office.carol",
    "U0DANA": "office.dana",
    "U0GUEST": "office.gus",
    "U0OLIVE": "office.olive",
    "U0UMA": "office.uma",
}
# How long a story waits for what PagerDuty's own clock brings about.
PATIENCE_SECONDS = 60
_FIXTURE = ("C0CHECK", "subscribe Checkout")
_SWITCHES = {
    "slack_limits": ("office.slack.rate_limits(enabled=True)", "office.slack.rate_limits(enabled=False)"),
    "slack_down": (
        'office.slack.fault("*", "server_error", count=1_000_000)',
        "office.slack.faults.clear()",
    ),
    "pagerduty_down": ('office.pagerduty.outage("down")', 'office.pagerduty.outage("off")'),
    "pagerduty_slow": ('office.pagerduty.outage("slow", seconds=3)', 'office.pagerduty.outage("off")'),
    "webhooks_dropped": (
        'office.pagerduty.webhooks.set_mode("drop")',
        'office.pagerduty.webhooks.set_mode("deliver")',
    ),
    "webhooks_twice": (
        'office.pagerduty.webhooks.set_mode("duplicate")',
        'office.pagerduty.webhooks.set_mode("deliver")',
    ),
}


def tell(story: Story) -> str:
    """The whole module, imports and all."""
    return Telling(story).text()


class Telling:
    """Writes one story; variables are given out as things are first spoken of."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._state = story.pagerduty.state
        self._lines: list[str] = []
        self._incidents: dict[str, str] = {}
        self._messages: dict[tuple[str, str], str] = {}
        self._titles: dict[str, str] = {}
        self._imports: set[str] = set()
        self._acted: set[str | None] = set()

    def text(self) -> str:
        steps = self._story.now()
        self._before()
        for step in steps:
            self._seen(step)
            if step.act is not None:
                self._done(step.act)
        body = _without_unused(self._lines) or ["office.checkout.messages()  # nothing has been done yet"]
        imports = [
            "from tests.stories.office import Office",
            f"from tests.stories.slack_eyes import {', '.join(sorted(self._imports - {'until'}))}"
            if self._imports - {"until"}
            else "",
            "from tests.stories.waiting import until" if "until" in self._imports else "",
        ]
        return "\n".join(
            [
                '"""A session in the sandbox, copied as a story."""',
                "",
                "from __future__ import annotations",
                "",
                *filter(None, imports),
                "",
                "",
                "async def test_a_session_in_the_sandbox(office: Office) -> None:",
                *(f"    {line}" for line in body),
                "",
            ]
        )

    def _before(self) -> None:
        """What was typed before anyone touched the page: which channel follows what."""
        typed = [act.act.body for act in self._story.steps if act.act and act.act.verb == "command"]
        on_page = {(b.get("channel"), b.get("text", "")) for b in typed}
        for exchange in self._story.slack.journal.deliveries("slash_commands"):
            body = exchange.body if isinstance(exchange.body, dict) else {}
            said = (body.get("channel_id"), body.get("text", ""))
            if said != _FIXTURE and said not in on_page:
                who, where = self._person(str(body.get("user_id"))), self._place(str(said[0]))
                self._line(f"await {who}.types({_literal(said[1])}, {where})")

    # ── what was seen ──

    def _seen(self, step: Step) -> None:
        within = f", within={PATIENCE_SECONDS}" if step.waited else ""
        told = 0
        for sight in step.sights:
            if told >= MOST_SIGHTS:
                return
            told += self._sight(sight, within)

    def _sight(self, sight: Sight, within: str) -> bool:
        """Write what is expected there; False when a story does not tell of it."""
        if sight.seen_by is not None:
            return self._private(sight)
        if sight.parent is not None:
            return self._reply(sight, sight.parent)
        if sight.incident is not None and sight.incident not in self._incidents:
            return False
        name = self._message(sight.channel, sight.ts, sight)
        if name is None:
            return False
        wanted = [*map(_literal, sight.pieces[:2]), f"buttons={_literal(list(sight.buttons))}"]
        self._line(f"await {name}.expect({', '.join(wanted)}{within})")
        return True

    def _private(self, sight: Sight) -> bool:
        piece = next(iter(sight.pieces), None)
        if piece is None or sight.seen_by not in self._acted:
            return False
        name = self._messages[sight.channel, sight.ts] = f"private_{self._count('private') + 1}"
        place = self._place(sight.channel)
        self._line(f"{name} = await {place}.expect_private({_literal(sight.seen_by)}, {_literal(piece)})")
        return True

    def _reply(self, sight: Sight, parent: str) -> bool:
        under, piece = self._messages.get((sight.channel, parent)), next(iter(sight.pieces), None)
        if under is None or piece is None:
            return False
        self._imports.add("until")
        self._line("await until(")
        self._line(f"    lambda: any({_literal(piece)} in one.words for one in {under}.thread()) or None,")
        self._line(f"    {_literal('no such line in the thread')},")
        self._line(")")
        return True

    # ── what was done ──

    def _done(self, act: Act) -> None:
        if act.side == "slack":
            self._in_slack(act)
        elif act.side == "pagerduty" and act.verb == "trigger":
            for made in act.made:
                self._trigger(made)
        elif act.side == "pagerduty":
            self._in_pagerduty(act.body)
        else:
            self._broken(act)

    def _in_pagerduty(self, body: Json) -> None:
        given = [f"{self._incident(str(body['incident']))}.id", _literal(body["verb"])]
        given.append(f"by={_literal(body['by'])}")
        for name, value in body.items():
            if name == "into":
                given.append(f"into={self._incident(str(value))}.id")
            elif name not in ("incident", "verb", "by"):
                given.append(f"{name}={_literal(value)}")
        self._line(f"office.pagerduty.act({', '.join(given)})")

    def _in_slack(self, act: Act) -> None:
        body, user = act.body, str(act.body.get("user") or act.body.get("by"))
        self._acted.add(user)
        person, place = self._person(user), str(body.get("channel"))
        match act.verb:
            case "command":
                self._line(f"await {person}.types({self._words(body.get('text', ''))}, {self._place(place)})")
            case "message":
                self._said(body, person, place)
            case "action" if body.get("message"):
                message = self._message(place, str(body["message"]))
                if message and act.label:
                    self._line(f"await {message}.press({_literal(act.label)}, by={_literal(user)})")
            case "submit":
                values = _plain(body.get("values") or {})
                given = ", ".join(f"{k}={_literal(v)}" for k, v in values.items())
                if not all(k.isidentifier() for k in values):
                    given = f"**{_literal(values)}"
                self._line(f"await {person}.fills({given})")
            case "close":
                self._line(f"await office.slack.close({_literal(user)})")
            case "open_home":
                self._line(f"await office.slack.open_home({_literal(user)})")
            case "invite" | "kick":
                self._line(f"await office.slack.{act.verb}({_literal(place)}, by={_literal(user)})")

    def _said(self, body: Json, person: str, place: str) -> None:
        workspace = self._story.slack.workspace
        handle = f"@{workspace.person(workspace.bot).handle}"
        text, thread = str(body["text"]), body.get("thread_ts")
        under = self._message(place, str(thread)) if thread else None
        if text.casefold().startswith(handle):
            where = f", thread_ts={under}.ts" if under else ""
            said = self._words(text[len(handle) :].strip())
            self._line(f"await {person}.mentions({said}, {self._place(place)}{where})")
        else:
            who, where = _literal(body["user"]), f", {under}.ts" if under else ""
            self._line(f"await office.slack.message({who}, {_literal(place)}, {self._words(text)}{where})")

    def _broken(self, act: Act) -> None:
        if act.verb == "storm":
            name = f"storm_{self._count('storm') + 1}"
            self._line(f"{name} = office.pagerduty.storm({act.body['count']})")
            self._incidents |= {id_: f"{name}[{at}]" for at, id_ in enumerate(act.made)}
        elif act.verb == "mend":
            for _, off in _SWITCHES.values():
                if off not in self._lines[-len(_SWITCHES) :]:
                    self._line(off)
        elif act.verb == "switch":
            on, off = _SWITCHES[act.body["name"]]
            self._line(on if act.body["on"] else off)

    # ── names for things ──

    def _line(self, line: str) -> None:
        self._lines.append(line)

    def _count(self, kind: str) -> int:
        named = {*self._incidents.values(), *self._messages.values()}
        return len({name.split("[")[0] for name in named if name.startswith(f"{kind}_")})

    def _place(self, channel: str) -> str:
        if channel in PLACES:
            return PLACES[channel]
        self._imports.add("Place")
        return f"Place(office.slack, {_literal(channel)})"

    def _person(self, user: str) -> str:
        if user in PEOPLE:
            return PEOPLE[user]
        self._imports.add("Person")
        return f"Person(office.slack, {_literal(user)})"

    def _incident(self, id_: str) -> str:
        """Its variable; an incident from before the session, or from the bot, is triggered first."""
        if id_ not in self._incidents:
            self._trigger(id_)
        return self._incidents[id_]

    def _trigger(self, id_: str) -> None:
        incident = self._state.incidents[id_]
        name = self._incidents[id_] = f"incident_{self._count('incident') + 1}"
        more = f", urgency={_literal(incident.urgency)}"
        if incident.priority:
            more += f", priority={_literal(incident.priority)}"
        self._line(
            f"{name} = await office.trigger({_literal(self._title(id_))}, {_literal(incident.service)}{more})"
        )

    def _title(self, id_: str) -> str:
        """Its title, made unlike all others: a story finds its messages by it."""
        if id_ not in self._titles:
            title = self._state.incidents[id_].title
            again = sum(t.split(" (again")[0] == title for t in self._titles.values())
            self._titles[id_] = f"{title} (again {again})" if again else title
        return self._titles[id_]

    def _message(self, channel: str, ts: str, sight: Sight | None = None) -> str | None:
        """The variable of a message in a channel, looked for first when nobody has spoken of it yet."""
        if (channel, ts) in self._messages:
            return self._messages[channel, ts]
        incident = sight.incident if sight else self._incident_of(channel, ts)
        if incident is not None:
            stored = self._incident(incident)
            storm = self._state.incidents[incident].title if stored.startswith("storm_") else None
            words = _plainest(storm or self._title(incident))
        elif sight and sight.pieces:
            words = sight.pieces[0]
        else:
            return None
        self._messages[channel, ts] = name = f"message_{self._count('message') + 1}"
        self._line(f"{name} = await {self._place(channel)}.expect_message({_literal(words)})")
        return name

    def _incident_of(self, channel: str, ts: str) -> str | None:
        message = self._story.slack.workspace.channel(channel).messages.get(ts)
        payload = (message.metadata or {}).get("event_payload", {}) if message else {}
        incident = payload.get("incident")
        return incident if incident in self._state.incidents else None

    def _words(self, text: str) -> str:
        """A typed line as a literal; the numbers of incidents become those of the story's own."""
        numbers = [n for n in re.findall(r"\b\d{3,}\b", text) if int(n) in self._state.by_number]
        if not numbers:
            return _literal(text)
        written = text.replace("{", "{{").replace("}", "}}")
        for number in dict.fromkeys(numbers):
            name = self._incident(self._state.by_number[int(number)].id)
            written = re.sub(rf"\b{number}\b", f"{{{name}.number}}", written)
        return f"f{_literal(written)}"


def _literal(value: Any) -> str:
    """As Python writes it, with double quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(k)}: {_literal(v)}' for k, v in value.items())}}}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _without_unused(lines: list[str]) -> list[str]:
    """Values that nobody speaks of again need no name."""
    whole = "\n".join(lines)

    def shortened(line: str) -> str:
        named = re.match(r"((?:private|message|incident|storm)_\d+) = ", line)
        return line[named.end() :] if named and len(re.findall(rf"\b{named[1]}\b", whole)) == 1 else line

    return [shortened(line) for line in lines]


def _plainest(title: str) -> str:
    """The longest part of a title that no escaping changes."""
    return max(re.split(r"[&<>*_~`|\\]", title), key=len).strip()


def _plain(values: Json) -> Json:
    """A form's values by block, as a person would name them."""
    found = {}
    for block, actions in values.items():
        for held in actions.values():
            value = _value(held)
            if value not in (None, "", []):
                found[block] = value
    return found


def _value(held: Json) -> Any:
    if held.get("selected_option"):
        return held["selected_option"]["value"]
    if "selected_options" in held:
        return [o["value"] for o in held["selected_options"] or []]
    return next((v for k, v in held.items() if k != "type"), None)
