"""Many incidents at once: readable soon, on pages if they come faster than Slack takes posts, true
throughout, and folded when it is over (docs/storms.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.model import Incident, Status
from bot.rehearsal.budgets import FOLDED, READABLE, TRUE_IN_STORM
from bot.rehearsal.report import Result, Step
from bot.rehearsal.scene import Scene
from bot.rehearsal.view import View, state_word, told_last
from bot.rehearsal.watching import Look
from bot.slack.client import Found

MANY = 30
"""Enough for pages at Slack's pace (ten posts that wait), few enough for one write to end them."""
MOST = 100


async def play(scene: Scene, count: int = MANY) -> None:
    """Open them, acknowledge half, resolve all. Raises PagerDutyFailure and SlackFailure."""
    began = scene.watching.now()
    made = await scene.stage.open_many(count)
    took = scene.watching.now() - began
    scene.watching.note(Step(f"{count} incidents are opened by REST", Result.OK, took=took))
    pages = Pages(scene.view)
    what = "every one of them is readable"
    await scene.watching.see(what, READABLE, pages.names(made), since=began)
    half = await scene.stage.set_status(made[: count // 2], Status.ACKNOWLEDGED)
    await scene.watching.see("acknowledged is shown of each", TRUE_IN_STORM, pages.tell(half))
    over = await scene.stage.set_status(made, Status.RESOLVED)
    await scene.watching.see("resolved is shown of each", TRUE_IN_STORM, pages.tell(over))
    what = "pages, and one summary afterwards"
    if not pages.most:
        scene.watching.skip(what, "the posts came fast enough, no page was needed")
        return
    calm = FOLDED.longer_by(scene.settings.storm_calm_seconds)
    await scene.watching.see(what, calm, pages.folded)


class Pages:
    """The channel in a storm. What was told once counts: pages are folded while we look. `most` pages stood
    there at once.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.most = 0

    def names(self, incidents: Sequence[Incident]) -> Look:
        """Each stands in some message."""
        return self._each(incidents, lambda found, one: bool(told_last(found, one)))

    def tell(self, incidents: Sequence[Incident]) -> Look:
        """The newest word of each is the state it is in."""
        return self._each(incidents, lambda found, one: last_word(found, one) == state_word(one.status))

    async def folded(self) -> str:
        """One page is left, and it is the summary."""
        pages = [one for one in await self._view.everything() if is_page(one)]
        summaries = [one for one in pages if is_summary(one)]
        if len(pages) == len(summaries) == 1:
            return ""
        return f"{len(pages) - len(summaries)} pages and {len(summaries)} summaries stand there"

    def _each(self, incidents: Sequence[Incident], fits: Callable[[Sequence[Found], Incident], bool]) -> Look:
        left = {one.id: one for one in incidents}

        async def look() -> str:
            found = await self._view.everything()
            self.most = max(self.most, sum(map(is_page, found)))
            for one in list(left.values()):
                if fits(found, one):
                    del left[one.id]
            return f"{len(left)} of {len(incidents)} are not" if left else ""

        return look


def last_word(found: Sequence[Found], incident: Incident) -> str:
    """The state that the channel gives it last. A page may become the summary between two looks; that names
    nobody, and whatever is open then has a message of its own.
    """
    if told := told_last(found, incident):
        return told
    return state_word(Status.RESOLVED) if any(map(is_summary, found)) else ""


def is_summary(found: Found) -> bool:
    """What one page of a storm became when it was over."""
    return is_page(found) and found.text.startswith("Storm over")


def is_page(found: Found) -> bool:
    """A page of a storm, or the summary that one of them became."""
    return found.mark is not None and found.mark.kind == "page"
