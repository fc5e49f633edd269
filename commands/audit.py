"""Who did what through the bot, for admins.

    /pager audit                the newest acts of this workspace
    /pager audit 30             more of them
    /pager audit @bob           one person's
    /pager audit 24h            of a day; words go together: `audit @bob 7d`

All there is goes to machines by `python -m bot audit` (docs/audit.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.command.context import Context
from bot.command.spans import span
from bot.declaration import Argument, Query, Reply, command
from bot.errors import UserError
from bot.render.audit import AuditLine, audit_list
from bot.store.audit_reading import Wanted

FEW = 10
MOST = 30  # in one message; a line may be 300 characters long


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the words mean; `since` as typed."""

    count: int | None = None
    user_id: str = ""
    since: str = ""


@command(
    "audit",
    admins_only=True,
    examples=("audit", "audit 30", "audit @bob", "audit 24h"),
    arguments={"what": Argument("What", usage="[N|@user|24h]")},
)
async def audit(ctx: Context, what: Query | None = None) -> Reply:
    """Show who did what through me. For admins."""
    asked = _understood(what or "", ctx.slash)
    length = span(asked.since) if asked.since else None
    wanted = Wanted(
        team_id=ctx.who.user.team_id,
        who=asked.user_id,
        since=await ctx.audit.now() - length if length else None,
    )
    count = min(asked.count or FEW, MOST)
    acts = await ctx.audit.newest(wanted, count)
    known = await ctx.incidents.seen([ident for act in acts for ident in act.incident_ids])
    total = len(acts) if len(acts) < count else await ctx.audit.count(wanted)
    narrowed = " ".join(word for word in (f"@{asked.user_id}" if asked.user_id else "", asked.since) if word)
    return audit_list(
        [
            AuditLine(
                at=act.accepted_at,
                user_id=act.user_id,
                verb=act.verb,
                words=act.words,
                subjects=tuple(known.get(ident, ident) for ident in act.incident_ids),
                outcome=act.outcome,
                surface=act.surface,
                status=act.status,
            )
            for act in acts
        ],
        heading=_heading(asked),
        total=total,
        more_words=f"audit {narrowed} {MOST}".replace("  ", " ") if count < MOST else "",
        replaces=ctx.request.from_control,
    )


def _understood(what: str, slash: str) -> _Asked:
    count, user_id, since = None, "", ""
    for word in what.split():
        if word.startswith("@") and len(word) > 1:
            user_id = word[1:]
        elif word.isascii() and word.isdigit():
            count = max(1, int(word[:4]))
        elif span(word):
            since = word
        else:
            raise UserError(
                f"I do not understand “{word[:40]}”. Type `{slash} audit` and a number, a person such as "
                "@bob, or a time such as 24h."
            )
    return _Asked(count, user_id, since)


def _heading(asked: _Asked) -> str:
    return f"Acts in the last {asked.since}" if asked.since else "Latest acts"
