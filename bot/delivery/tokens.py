"""Whether each workspace's token works: when Slack says no, nothing more is delivered until it does.

Found out by whoever makes a call (bot/delivery/setbacks.py), tried again by the loop. A workspace that was
installed anew has another client, and with it a token nobody has refused. Said in the log once when it breaks
and once when it recovers, and by /health/ready meanwhile.
"""

from __future__ import annotations

import structlog

from bot.errors import SlackFailure
from bot.slack.client import Slack
from bot.slack.failures import TokenBad
from bot.slack.workspaces import Workspaces

log = structlog.get_logger("pagerline.delivery")


class Tokens:
    """The workspaces that are given up for now."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._bad: dict[str, tuple[str, Slack | None]] = {}  # the code, and whose token it was about

    def found_bad(self, team_id: str, failure: TokenBad) -> None:
        """Slack refused the workspace's token."""
        if not self.is_bad(team_id):
            log.error("slack_token_bad", team=team_id, code=failure.code)
        self._bad[team_id] = failure.code, self._workspaces.for_team(team_id)

    def is_bad(self, team_id: str) -> bool:
        """Nothing can be delivered there."""
        bad = self._bad.get(team_id)
        return bad is not None and bad[1] is self._workspaces.for_team(team_id)

    async def try_again(self) -> bool:
        """Ask Slack about every bad token; True when one works again."""
        recovered = False
        for team_id in list(self._bad):
            slack = self._workspaces.for_team(team_id)
            if slack is None or not self.is_bad(team_id):
                del self._bad[team_id]  # uninstalled, or installed anew
                continue
            try:
                await slack.identity()
            except TokenBad as failure:
                self._bad[team_id] = failure.code, slack
            except SlackFailure as failure:
                log.debug("slack_token_not_tried", team=team_id, code=failure.code)
            else:
                del self._bad[team_id]
                log.info("slack_token_works_again", team=team_id)
                recovered = True
        return recovered

    def problems(self) -> list[str]:
        """One line for each workspace whose token is bad, with what to do."""
        return [
            f"Slack refuses the bot token of workspace {team_id} ({code}): reinstall the app there; if "
            "SLACK_BOT_TOKEN is for this workspace, set it to the new token."
            for team_id, (code, _) in sorted(self._bad.items(), key=lambda item: item[0])
            if self.is_bad(team_id)
        ]
