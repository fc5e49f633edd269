"""How a Slack user looks on a page, as Slack tells now, if they may be linked at all."""

from __future__ import annotations

import structlog

from bot.accounts.completing import LinkStopped
from bot.accounts.members import Members
from bot.accounts.proof import confirmed_email
from bot.errors import NotAllowed, SlackFailure
from bot.model import SlackProfile, SlackUser
from bot.render import link_problems as problems
from bot.render.link_pages import Face
from bot.slack.workspaces import Workspaces

log = structlog.get_logger("pagerline.linking")


class Faces:
    """Profiles, as bot/accounts/members.py lets them through."""

    def __init__(self, members: Members, workspaces: Workspaces, *, slash: str) -> None:
        self._members = members
        self._workspaces = workspaces
        self._slash = slash

    async def of(self, user: SlackUser) -> tuple[Face, SlackProfile]:
        """Raises LinkStopped."""
        slack = self._workspaces.for_team(user.team_id)
        try:
            profile = await self._members.member(user)
            workspace = (await slack.who_we_are()).team_name if slack is not None else ""
        except NotAllowed as refused:
            raise LinkStopped(problems.not_allowed(str(refused))) from None
        except SlackFailure as failure:
            log.warning("slack_not_reached", code=failure.code)
            raise LinkStopped(problems.slack_away(self._slash)) from None
        name = profile.real_name or profile.name
        handle = profile.name if profile.name != name else ""
        return Face(name, confirmed_email(profile) or "", workspace, user.team_id, handle), profile
