"""PagerDuty's endpoints as calls that take and give our values, made as one identity: what is written here,
what is read in reads.py.

bot/accounts binds a client to a person; the account's own client is for reads. Raises PagerDutyFailure and
nothing else (bot/pagerduty/refusals.py says which kind). A write that may have happened is looked at before
it is repeated; when it cannot be looked at, the failure says `maybe_done`. How many calls each takes stands
in its docstring: PagerDuty limits them, and a test counts them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from bot.errors import (
    PagerDutyFailure,
    PagerDutyRefused,
    PagerDutyUnavailable,
    StoreUnavailable,
    UserError,
)
from bot.model import (
    Note,
    Reading,
    Status,
    Urgency,
)
from bot.pagerduty import payloads
from bot.pagerduty.edits import Edit
from bot.pagerduty.fields import mapping, objects, text
from bot.pagerduty.journal import Journal
from bot.pagerduty.reads import Reads
from bot.pagerduty.refusals import ARGUMENTS_CAUSED_ERROR

SAME_NOTE = timedelta(minutes=1)  # how far PagerDuty's clock may be from ours when a note is looked for
DUPLICATE_KEY = "matching dedup key"


@contextmanager
def _or_else(problem: PagerDutyUnavailable, kind: type[PagerDutyFailure]) -> Iterator[None]:
    """Around what is tried after a write without an answer: when that fails too, or the person's token turns
    out to be over and cannot be renewed, the write stays unknown.
    """
    try:
        yield
    except (kind, UserError, StoreUnavailable):
        raise problem from None


@dataclass(frozen=True, slots=True)
class Created:
    """An incident we asked for; `existed` when one with its key was open already."""

    reading: Reading
    existed: bool


@dataclass(frozen=True, slots=True)
class PagerDuty(Reads):
    """One identity's client."""

    def acting_as(self, sender: str, label: str) -> PagerDuty:
        """The same credentials, acting for the PagerDuty user with this login e-mail; `label` says for which
        Slack user, for counting (`T0ACME:U0ALICE`).
        """
        return replace(self, credentials=replace(self.credentials, label=label), sender=sender)

    def in_background(self) -> PagerDuty:
        """The same for work nobody waits for: its reads leave people their share of the limit."""
        return replace(self, credentials=replace(self.credentials, in_background=True))

    def noting_in(self, journal: Journal) -> PagerDuty:
        """The same, with every call kept in the journal."""
        return replace(self, journal=journal)

    async def set_status(self, ids: Sequence[str], status: Status) -> list[Reading]:
        """Acknowledge or resolve up to 250 in one write: all or none.

        When no answer came they are read, and the write is repeated once for those that have not changed and
        are open: acknowledging a resolved incident would reopen it. So of those given back some may be
        resolved though acknowledging was asked for.
        """
        try:
            return await self._set_status(ids, status)
        except PagerDutyUnavailable as problem:
            if not problem.maybe_done:
                raise
            with _or_else(problem, PagerDutyFailure):
                found = await asyncio.gather(*(self.incident(one) for one in ids))
            left = [
                one.incident.id for one in found if one.incident.is_open and one.incident.status is not status
            ]
            if len(left) == len(ids):
                return await self._set_status(ids, status)
            with _or_else(problem, PagerDutyUnavailable):  # some of it was done
                again = await self._set_status(left, status) if left else []
            return [*(one for one in found if one.incident.id not in left), *again]

    async def _set_status(self, ids: Sequence[str], status: Status) -> list[Reading]:
        entries = [{"id": one, "type": "incident_reference", "status": str(status)} for one in ids]
        data = await self._write("PUT", "/incidents", {"incidents": entries})
        return [self._reading(one) for one in objects(data.get("incidents"))]

    async def escalate(self, incident_id: str, level: int) -> Reading:
        """To a 1-based level of its policy. Not repeated when the outcome is unknown: it would page again."""
        body = {"incident": {"type": "incident_reference", "escalation_level": level}}
        data = await self._write("PUT", f"/incidents/{incident_id}", body)
        return self._reading(data.get("incident"))

    async def edit_incident(self, incident_id: str, edit: Edit) -> Reading:
        """Change its fields in one write. When no answer came it is read, and the write is repeated once
        where that is harmless: no level, which would page again, and no status, which may have moved on.
        """
        try:
            return await self._edit(incident_id, edit)
        except PagerDutyUnavailable as problem:
            if not problem.maybe_done:
                raise
            with _or_else(problem, PagerDutyFailure):
                found = await self.incident(incident_id)
            if edit.is_done(found.incident):
                return found
            if edit.level is not None or edit.status is not None:
                raise
            return await self._edit(incident_id, edit)

    async def _edit(self, incident_id: str, edit: Edit) -> Reading:
        data = await self._write("PUT", f"/incidents/{quote(incident_id, safe='')}", edit.body())
        return self._reading(data.get("incident"))

    async def add_note(self, incident_id: str, text: str) -> Note:
        """Write a note; when no answer came, it is looked for among the notes, then written once more."""
        since = self.http.clock() - SAME_NOTE
        try:
            return await self._add_note(incident_id, text)
        except PagerDutyUnavailable as problem:
            if not problem.maybe_done:
                raise
            with _or_else(problem, PagerDutyFailure):
                found = await self.notes(incident_id)
            # Somebody may have written the same words long ago.
            written = [one for one in found if one.content == text and one.at >= since]
            return written[-1] if written else await self._add_note(incident_id, text)

    async def _add_note(self, incident_id: str, text: str) -> Note:
        data = await self._write("POST", f"/incidents/{incident_id}/notes", {"note": {"content": text}})
        note = payloads.note(data.get("note"))
        if note is None:
            raise PagerDutyUnavailable("PagerDuty's answer holds no note", maybe_done=True)
        return note

    async def create_incident(
        self,
        *,
        service_id: str,
        title: str,
        incident_key: str,
        details: str | None = None,
        urgency: Urgency | None = None,
    ) -> Created:
        """Open one; the same key while it is open gives the same incident, so that an unknown outcome is safe
        to repeat.
        """
        incident: dict[str, Any] = {
            "type": "incident",
            "title": title,
            "incident_key": incident_key,
            "service": {"id": service_id, "type": "service_reference"},
        }
        if details:
            incident["body"] = {"type": "incident_body", "details": details}
        if urgency:
            incident["urgency"] = str(urgency)
        asked_before = False
        for _ in range(2):
            try:
                data = await self._write("POST", "/incidents", {"incident": incident})
                return Created(self._reading(data.get("incident")), existed=False)
            except PagerDutyRefused as refused:
                open_one = await self._duplicate(refused, service_id, incident_key)
                return Created(open_one, existed=not asked_before)
            except PagerDutyUnavailable as problem:
                if not problem.maybe_done:
                    raise
                with _or_else(problem, PagerDutyFailure):
                    open_one_now = await self.incident_with_key(service_id, incident_key)
                if open_one_now:
                    return Created(open_one_now, existed=False)
                asked_before = True
        raise PagerDutyUnavailable("PagerDuty did not answer.", maybe_done=True)

    async def _duplicate(self, refused: PagerDutyRefused, service_id: str, key: str) -> Reading:
        told = any(DUPLICATE_KEY in reason for reason in refused.reasons)
        if not told and refused.code != ARGUMENTS_CAUSED_ERROR:
            raise refused
        found = await self.incident_with_key(service_id, key)
        if found is None:
            raise refused
        return found

    async def enable_webhooks(self, subscription_id: str) -> None:
        """Switch a subscription on again that PagerDuty has switched off. One call."""
        await self._write("POST", f"/webhook_subscriptions/{quote(subscription_id, safe='')}/enable", {})

    async def create_webhooks(self, wanted: Mapping[str, Any]) -> tuple[str, SecretStr]:
        """Make a V3 subscription; its id, and its secret, which PagerDuty tells this once. One call."""
        data = await self._write("POST", "/webhook_subscriptions", {"webhook_subscription": wanted})
        made = mapping(data.get("webhook_subscription"))
        ident, secret = text(made.get("id")), text(mapping(made.get("delivery_method")).get("secret"))
        if ident is None or secret is None:
            raise PagerDutyUnavailable("PagerDuty's answer holds no secret", maybe_done=True)
        return ident, SecretStr(secret)

    async def ping_webhooks(self, subscription_id: str) -> None:
        """Have PagerDuty send a `pagey.ping`. One call."""
        await self._write("POST", f"/webhook_subscriptions/{quote(subscription_id, safe='')}/ping", {})

    async def delete_webhooks(self, subscription_id: str) -> None:
        """One call."""
        await self._write("DELETE", f"/webhook_subscriptions/{quote(subscription_id, safe='')}", {})

    async def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Never repeated here once it may have happened: each caller looks first, in its own way."""
        answer = await self.http.request(
            method,
            path,
            self.credentials,
            body=body,
            sender=self.sender,
            retry_safe=False,
            journal=self.journal,
        )
        return answer.data if isinstance(answer.data, dict) else {}
