"""The default: one incident from its alert to its end, each step as the channel must show it."""

from __future__ import annotations

from bot.model import Incident, Status, Urgency
from bot.rehearsal.budgets import LEVEL, SHOWN
from bot.rehearsal.scene import Scene

NOTE = "Game day: this note belongs to the rehearsal."


async def play(scene: Scene) -> None:
    """Trigger, escalate, acknowledge, note, resolve. Raises PagerDutyFailure and SlackFailure."""
    incident = await scene.open_one()
    if incident is None:
        return
    levels = scene.ground.levels
    if levels:
        await scene.see_words("its level is known", incident, f"level 1 of {levels}", budget=LEVEL)
    await _escalate(scene, incident)
    (taken,) = await scene.stage.set_status([incident], Status.ACKNOWLEDGED)
    await scene.see("acknowledged is shown", taken)
    await scene.stage.note(incident, NOTE)

    async def noted() -> str:
        told = [one for one in await scene.view.lines(incident) if NOTE in one.text]
        return "" if len(told) == 1 else f"the thread has it {len(told)} times"

    await scene.watching.see("a note stands in the thread, once", SHOWN, noted)
    await scene.resolve(incident, await scene.stage.set_status([incident], Status.RESOLVED))


async def _escalate(scene: Scene, incident: Incident) -> None:
    name = scene.ground.service.name
    why = f"the policy of {name} has one level" if scene.ground.levels < 2 else ""
    if incident.urgency is Urgency.LOW:
        why = "PagerDuty escalates no incident of low urgency; --urgency high does"
    if why:
        scene.watching.skip("escalated is told in the channel, once", why)
        return
    higher = await scene.stage.escalate(incident)
    began = scene.watching.now()

    async def loud() -> str:
        told = [one for one in await scene.view.loud_lines(incident) if "Escalated" in one.text]
        return "" if len(told) == 1 else f"the channel has the line {len(told)} times"

    await scene.watching.see("escalated is told in the channel, once", SHOWN, loud)
    await scene.see("who has it now is shown", higher, since=began)
