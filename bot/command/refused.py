"""PagerDuty's 403 to somebody's own token, in words that help: on what, which act, and whom to ask instead.

Asked by bot/command/run.py. With the account's key (e-mail mode) a 403 is about the key, not about a person,
and bot/render/problems.py tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog

from bot.command.filling import incident_refs
from bot.command.ports import IncidentStore
from bot.command.steps import Errand
from bot.declaration import Reply, ServiceRef
from bot.errors import Failure
from bot.model import OnCall, Reference, Service
from bot.render.problems import role_refused

log = structlog.get_logger("pagerline.command")


class Duty(Protocol):
    """Services, and who is on call for them (bot/pagerduty/directory.py)."""

    async def services(self) -> Sequence[Service]: ...
    async def on_calls(self, *, policies: Sequence[str] = ()) -> Sequence[OnCall]: ...


class RoleRefusals:
    """Nothing here raises: whom to ask is left out when it cannot be told."""

    def __init__(self, incidents: IncidentStore, duty: Duty) -> None:
        self._incidents = incidents
        self._duty = duty

    async def answer(self, errand: Errand) -> Reply | None:
        """None when it is not about somebody's own role."""
        command, desk = errand.called.command, errand.desk
        acting = desk.acting if desk is not None else None
        if command is None or acting is None or acting.kind != "oauth":
            return None
        try:
            service, policy = await self._about(errand)
            ask = await self._on_call(policy, but=acting.person.id) if policy else []
        except Failure as failure:
            log.info("nobody_to_ask", error=str(failure))
            service, ask = None, []
        return role_refused(command.title.lower(), service.name if service else "", ask)

    async def _about(self, errand: Errand) -> tuple[Reference | None, Reference | None]:
        """The service it was about, and the policy that pages for it, as far as they are known."""
        given = errand.given.values if errand.given else {}
        for ref in incident_refs(given)[:1]:
            incident = await self._incidents.find(ref.id)
            if incident is not None:
                return incident.service, incident.policy
        for value in given.values():
            if isinstance(value, ServiceRef):
                found = next((one for one in await self._duty.services() if one.id == value.id), None)
                return Reference(value.id, value.name), found.policy if found else None
        return None, None

    async def _on_call(self, policy: Reference, *, but: str) -> list[str]:
        """Names of those on call at its first level that has somebody else."""
        shifts = [one for one in await self._duty.on_calls(policies=[policy.id]) if one.person.id != but]
        first = min((one.level for one in shifts), default=0)
        return list(dict.fromkeys(one.person.name for one in shifts if one.level == first))
