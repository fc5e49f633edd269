"""The pages one sees while linking, in order: who it is about, both names, and how it ended. Pure.

`hidden` are a form's values: bot/inbound/linking.py makes and checks them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bot.model import Person
from bot.render.link_problems import Problem
from bot.render.web import CARE, DONE, WAIT, document, form, identities, link, note, paragraph, submit

WAY, CANCEL = "way", "cancel"  # the confirming form's buttons: one name, and the value that says no
_WAYS = {"plain": "Link them", "slack": "Sign in with Slack", "admin": "Ask an admin"}

_PROOFS = {
    "slack": "Signing in with Slack, in this browser, settles it at once.",
    "admin": "An admin has a day to answer; Slack tells you then.",
}


@dataclass(frozen=True, slots=True)
class Face:
    """A Slack user as a page shows them; `email` only when Slack has confirmed it."""

    name: str
    email: str
    workspace: str
    team_id: str
    handle: str = ""

    @property
    def row(self) -> tuple[str, str, tuple[str, ...]]:
        handle = f"@{self.handle}" if self.handle else ""
        return (f"Slack · {self.workspace}" if self.workspace else "Slack", self.name, (handle, self.email))


def ask_page(face: Face, now: Person | None, *, action: str, hidden: Mapping[str, str]) -> str:
    """Before anything happens: whom this link is for."""
    parts = [
        paragraph("This lets one Slack user act in PagerDuty under the name you sign in with there:"),
        identities(face.row),
        note(
            f"Go on only if you are {face.name}. If somebody sent you this link, close this page: "
            "they would act in your name."
        ),
    ]
    if now is not None:
        parts.append(paragraph(f"Linked as {now.name} at present; this replaces it.", soft=True))
    parts.append(form(action, hidden, submit("Continue to PagerDuty", primary=True)))
    parts.append(paragraph("PagerDuty asks you to allow it. Then you see both names and confirm.", soft=True))
    return document("Link Slack to PagerDuty", *parts)


def confirm_page(
    face: Face,
    person: Person,
    *,
    doubt: str | None,
    ways: Sequence[str],
    missing: Collection[str],
    action: str,
    hidden: Mapping[str, str],
) -> str:
    """After PagerDuty: both names. `doubt` is a sentence that says why it takes more than a press."""
    parts = [_both(face, person)]
    if doubt is None:
        title = "Are both of these you?"
        parts.insert(
            0, paragraph(f"What {face.name} does in Slack will be done in PagerDuty as {person.name}.")
        )
    else:
        title = "One more proof"
        parts.append(
            note(
                f"{doubt} So I cannot tell yet that both are the same person. "
                f"If you are not {face.name} in Slack, press “This is not right”."
            )
        )
        parts.append(paragraph(" ".join(_PROOFS[way] for way in ways if way in _PROOFS), soft=True))
    if missing:
        parts.append(
            note(
                "PagerDuty did not grant "
                + ", ".join(sorted(missing))
                + ". What needs it will be refused; a "
                "PagerDuty admin can add it to this bot's app registration, then link again."
            )
        )
    buttons = [
        submit(_WAYS[way], name=WAY, value=way, primary=position == 0) for position, way in enumerate(ways)
    ]
    buttons.append(submit("This is not right", name=WAY, value=CANCEL))
    return document(title, *parts, form(action, hidden, *buttons))


def waiting_page(face: Face, person: Person) -> str:
    """An admin was asked."""
    return document(
        "An admin has to approve this",
        paragraph("I asked the admins. Nothing is linked until one of them says yes; Slack tells you then."),
        _both(face, person),
        paragraph("They have a day. You can close this page.", soft=True),
        _to_slack(face),
        mark=WAIT,
    )


def linked_page(face: Face, person: Person, *, acts: bool, slash: str) -> str:
    """Done. `acts`: something waited for it."""
    now = "What you asked for is being done now; the answer appears in Slack where you asked." if acts else ""
    return document(
        "You are linked",
        paragraph(f"What you do in Slack now carries your PagerDuty name, {person.name}."),
        _both(face, person),
        paragraph(now) if now else "",
        _to_slack(face),
        paragraph(f"{slash} whoami shows this again, {slash} unlink ends it.", soft=True),
        mark=DONE,
    )


def problem_page(problem: Problem) -> str:
    """What stopped it, and the one next step."""
    return document(problem.title, paragraph(problem.said), paragraph(problem.then), mark=CARE)


def _both(face: Face, person: Person) -> str:
    return identities(face.row, ("PagerDuty", person.name, (person.email or "",)))


def _to_slack(face: Face) -> str:
    return link("Back to Slack", f"slack://open?team={quote(face.team_id, safe='')}")
