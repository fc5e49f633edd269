"""PagerDuty is away for the bot, as far as the incident of this game day goes: nothing else is touched.

The running bot is told in its database (bot/store/rehearsals.py): its calls about this incident fail as if
nobody had answered, and webhooks about it count as lost. What must follow is what follows a real outage: the
channel is told as of when it is true, a press is answered, and afterwards everything is caught up by reading.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.errors import UserError
from bot.model import Incident, Status
from bot.rehearsal.budgets import CAUGHT_UP, LEVEL, TOLD_AWAY
from bot.rehearsal.report import Result, Step
from bot.rehearsal.scene import Scene
from bot.rehearsal.watching import Look
from bot.store.audit_reading import Act, AuditReading, Wanted
from bot.store.rehearsals import LONGEST

PRESS_SECONDS = 20.0  # for a person to press a button meanwhile
LOST_SECONDS = 3.0  # for PagerDuty's webhook to come, and be lost
MISSED = "what was missed is shown"
TOLD = "pagerduty_unavailable"  # the audit's word for it
PRESSED = "a press is answered meanwhile"


async def play(scene: Scene, audit: AuditReading, say: Callable[[str], None]) -> None:
    """Raises UserError where it cannot be seen within LONGEST; PagerDutyFailure and SlackFailure."""
    budget = TOLD_AWAY.longer_by(scene.settings.as_of_seconds)
    longest = LONGEST - PRESS_SECONDS - LOST_SECONDS
    if budget.seconds > longest:
        raise UserError(
            f"AS_OF_SECONDS is {scene.settings.as_of_seconds:g}, and a rehearsal ends by itself after "
            f"{LONGEST:g} s: the note would come too late to be seen."
        )
    incident = await scene.open_one()
    if incident is None:
        return
    await scene.see_words("its level is known", incident, "(level 1 of", budget=LEVEL)
    since = await audit.now()
    await scene.rehearsals.begin([incident.id], LONGEST)
    try:
        told = _note(scene, "as of")
        await scene.watching.see("the channel is told as of when", budget, told, at_most=longest)
        (taken,) = await scene.stage.set_status([incident], Status.ACKNOWLEDGED)
        lost = scene.watching.now() + LOST_SECONDS
        say(f"Press Acknowledge on {incident.label} in Slack now, if you like: you have {PRESS_SECONDS:g} s.")
        await _press(scene, audit, Wanted(since=since), incident)
        await scene.watching.rest(lost)
        already = not await scene.view.wrong(taken)
    finally:
        await scene.rehearsals.end()
    began = scene.watching.now()
    if already:
        scene.watching.note(Step(MISSED, Result.OK, detail="a sweep had brought it before"))
    else:
        await scene.see(MISSED, taken, budget=CAUGHT_UP, since=began)
    back = _note(scene, "answers again")
    await scene.watching.see("the note says it is over", CAUGHT_UP, back, since=began)
    await scene.resolve(incident, await scene.stage.set_status([incident], Status.RESOLVED))


def _note(scene: Scene, words: str) -> Look:
    """One message about PagerDuty, and it says so."""

    async def look() -> str:
        found = await scene.view.notes_about_pagerduty()
        if len(found) > 1:
            return f"{len(found)} notes stand there"
        return "" if found and words in found[0].text else f"no note says {words!r}"

    return look


async def _press(scene: Scene, audit: AuditReading, wanted: Wanted, incident: Incident) -> None:
    """Whether somebody pressed, and how that ended: an ephemeral answer is seen by its reader alone, but the
    bot's audit tells of it.
    """
    done: list[Act] = []

    async def look() -> str:
        acts = [one for one in await audit.newest(wanted, 50) if _is_about(one, incident)]
        done.extend(one for one in acts if one.done_at is not None)
        return "" if done else "nobody pressed"

    now = scene.watching.now()
    await scene.watching.wait(look, now + PRESS_SECONDS)
    if not done:
        scene.watching.skip(PRESSED, "nobody pressed")
        return
    act = next((one for one in done if one.outcome == TOLD), done[0])
    assert act.done_at is not None
    told = f"{act.verb}: {act.outcome}"
    if act.outcome != TOLD:
        scene.watching.skip(PRESSED, f"{told}, which needed no answer of PagerDuty's")
        return
    took = (act.done_at - act.accepted_at).total_seconds()
    scene.watching.note(Step(PRESSED, Result.OK, took=took, detail=told))


def _is_about(act: Act, incident: Incident) -> bool:
    """One that came to nothing has no incident on record, only the words that named it."""
    return incident.id in act.incident_ids or bool(
        {incident.id, str(incident.number)} & set(act.words.split())
    )
