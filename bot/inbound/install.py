"""Slack's OAuth install: `GET /slack/install` begins it, `GET /slack/oauth_redirect` ends it.

slack_bolt's flow walks it (state, cookie, code); behind slack_sdk's interfaces stand our own tables
(bot/store/installs.py). The door is open to the world, so a workspace is let in only when the settings name
it: anybody else's token is given back at once and not stored. An access that expires (token rotation) is
refused: a bot that posts while nobody asks would have to renew it for ever.
"""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

import structlog
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.errors import SlackFailure, StoreUnavailable
from bot.render import install_pages as pages
from bot.render.web import HEADERS
from bot.slack.failures import OutcomeUnknown, Unreachable
from bot.slack.scopes import OPTIONAL_SCOPES, SCOPES
from bot.slack.workspaces import Connect, Workspaces
from bot.store.installs import STATE_SECONDS, Install, Installs, InstallStates

log = structlog.get_logger("pagerline.slack")

INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
TEAM = re.compile(r"[TE][A-Z0-9]{1,30}")
MOST_A_MINUTE = 60
LONGEST_QUERY = 4000  # characters; Slack's codes and our states have fewer than 300
Json = Mapping[str, Any]

# It logs codes and whole answers; what matters of them is said here.
_quiet = logging.getLogger("slack_bolt.oauth.quiet")


class TurnedAway(BoltError):
    """Slack granted it, and we do not take it."""

    def __init__(self, ending: pages.Ending) -> None:
        super().__init__(ending.title)
        self.ending = ending


class InstallStore(AsyncInstallationStore):
    """slack_sdk's installation store over our table, as far as an install needs it: saving.

    Which token serves a request is bot/slack/workspaces.py's business, and uninstalls are
    bot/command/coming_and_going.py's.
    """

    def __init__(self, installs: Installs, workspaces: Workspaces, connect: Connect) -> None:
        self._installs = installs
        self._workspaces = workspaces
        self._connect = connect

    @property
    def logger(self) -> logging.Logger:
        """Unused: structlog speaks here."""
        return _quiet

    async def async_save(self, installation: Installation) -> None:
        """Store it when its workspace is welcome; raises TurnedAway, StoreUnavailable."""
        organisation = bool(installation.is_enterprise_install)
        team_id = (installation.enterprise_id if organisation else installation.team_id) or ""
        name = (installation.enterprise_name if organisation else installation.team_name) or ""
        if not team_id or not installation.bot_token:
            raise TurnedAway(pages.NOT_ACCEPTED)
        token = SecretStr(installation.bot_token)
        if not self._installs.is_welcome(team_id, installation.enterprise_id):
            raise TurnedAway(pages.not_welcome(name, team_id, revoked=await self._give_back(team_id, token)))
        if installation.bot_refresh_token or installation.bot_token_expires_at:
            raise TurnedAway(pages.ROTATES)
        if self._workspaces.is_own(team_id):
            return
        await self._installs.save(
            Install(
                team_id=team_id,
                name=name,
                token=token,
                bot_user_id=installation.bot_user_id or "",
                bot_id=installation.bot_id or "",
                enterprise_id=installation.enterprise_id,
                is_organisation=organisation,
                app_id=installation.app_id,
                scopes=",".join(sorted(installation.bot_scopes or ())),
                installed_by=installation.user_id,
            )
        )
        log.info("workspace_installed", team=team_id, by=installation.user_id)

    async def async_save_bot(self, bot: Bot) -> None:
        """Bolt saves a bot alone when it has rotated its token: ours do not."""
        raise TurnedAway(pages.ROTATES)

    async def _give_back(self, team_id: str, token: SecretStr) -> bool:
        try:
            await self._connect(team_id, token).revoke()
        except SlackFailure as failure:
            log.warning("token_not_given_back", team=team_id, code=failure.code)
            return False
        log.warning("workspace_turned_away", team=team_id)
        return True


class StateStore(AsyncOAuthStateStore):
    """slack_sdk's state store over our table."""

    def __init__(self, states: InstallStates) -> None:
        self._states = states

    @property
    def logger(self) -> logging.Logger:
        """Unused: structlog speaks here."""
        return _quiet

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        """A new one, good for ten minutes."""
        return await self._states.issue()

    async def async_consume(self, state: str) -> bool:
        """True once."""
        return await self._states.consume(state)


class _Flow(AsyncOAuthFlow):
    """Bolt's flow with our page and our way to Slack: its own client has neither our timeouts nor our kinds
    of failure, and no more of the query goes into Slack's address than a workspace's id.
    """

    def __init__(
        self, settings: AsyncOAuthSettings, exchange: Callable[[str], Awaitable[Json]], connect: Connect
    ) -> None:
        super().__init__(settings=settings, logger=_quiet)
        self._exchange = exchange
        self._connect = connect

    async def build_authorize_url(self, state: str, request: AsyncBoltRequest) -> str:
        asked = (request.query.get("team") or [""])[0]
        return self.settings.authorize_url_generator.generate(
            state=state, team=asked if TEAM.fullmatch(asked) else None
        )

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:
        return pages.invitation_page(url)

    async def run_installation(self, code: str) -> Installation | None:
        """What Slack grants for the code; None when it refuses. Raises SlackFailure when it is away."""
        try:
            told = await self._exchange(code)
            team, enterprise = _map(told.get("team")), _map(told.get("enterprise"))
            installer = _map(told.get("authed_user"))
            token = str(told.get("access_token") or "")
            key = str(team.get("id") or enterprise.get("id") or "")
            who = await self._connect(key, SecretStr(token)).identity()
        except (Unreachable, OutcomeUnknown):
            raise
        except SlackFailure as failure:
            log.warning("install_refused", code=failure.code)
            return None
        return Installation(
            app_id=told.get("app_id"),
            enterprise_id=enterprise.get("id"),
            enterprise_name=enterprise.get("name"),
            team_id=team.get("id"),
            team_name=team.get("name"),
            bot_token=token,
            bot_id=who.bot_id,
            bot_user_id=told.get("bot_user_id") or who.bot_user_id,
            bot_scopes=str(told.get("scope") or ""),
            bot_refresh_token=told.get("refresh_token"),
            bot_token_expires_in=told.get("expires_in"),
            user_id=str(installer.get("id") or ""),
            is_enterprise_install=told.get("is_enterprise_install") is True,
            token_type=told.get("token_type"),
        )


class InstallDoors:
    """The two doors. `exchange` gives Slack a code and the address it was made for, `came` serves what was
    just stored; `public_url` is where browsers find us. `clock` is monotonic seconds.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: SecretStr,
        public_url: str,
        api_url: str,
        exchange: Callable[[str, str], Awaitable[Json]],
        connect: Connect,
        store: InstallStore,
        states: InstallStates,
        workspaces: Workspaces,
        came: Callable[[], Awaitable[None]],
        slash: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._begun: deque[float] = deque()
        self._workspaces = workspaces
        self._came = came
        self._slash = slash
        origin = public_url.rstrip("/")
        self._install_url = origin + INSTALL_PATH
        # `__Host-` needs https, which a loopback address does not have.
        self._secure = origin.startswith("https://")
        _quiet.setLevel(logging.CRITICAL)
        self._flow = _Flow(
            AsyncOAuthSettings(
                client_id=client_id,
                client_secret=client_secret.get_secret_value(),
                scopes=[*SCOPES, *OPTIONAL_SCOPES],
                user_scopes=[],
                redirect_uri=origin + REDIRECT_PATH,
                install_path=INSTALL_PATH,
                redirect_uri_path=REDIRECT_PATH,
                authorization_url=urljoin(api_url, "../oauth/v2/authorize"),
                installation_store=store,
                state_store=StateStore(states),
                state_cookie_name="__Host-pagerline-install" if self._secure else "pagerline-install",
                state_expiration_seconds=int(STATE_SECONDS),
                callback_options=AsyncCallbackOptions(success=self._installed, failure=self._failed),
                logger=_quiet,
            ),
            lambda code: exchange(code, origin + REDIRECT_PATH),
            connect,
        )

    async def install(self, request: web.Request) -> web.Response:
        """GET /slack/install: what will happen, and the way to Slack."""
        if not self._begin():
            return self._page(pages.ending_page(pages.BUSY, self._install_url), pages.BUSY.status)
        return await self._answered(request, self._flow.handle_installation)

    async def returned(self, request: web.Request) -> web.Response:
        """GET /slack/oauth_redirect: back from Slack, with a code or without."""
        return await self._answered(request, self._flow.handle_callback)

    # ------------------------------------------------------------------------------------------------ inside

    def _begin(self) -> bool:
        """Each is a write to the database, and anybody may open the page."""
        now = self._clock()
        while self._begun and self._begun[0] <= now - 60:
            self._begun.popleft()
        if len(self._begun) >= MOST_A_MINUTE:
            return False
        self._begun.append(now)
        return True

    async def _answered(
        self, request: web.Request, walk: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]
    ) -> web.Response:
        if len(request.query_string) > LONGEST_QUERY:
            return self._page(pages.ending_page(pages.NOT_ACCEPTED, self._install_url), 400)
        asked = AsyncBoltRequest(body="", query=request.query_string, headers=dict(request.headers))
        try:
            answer = await walk(asked)
        except StoreUnavailable as away:
            log.warning("install_not_remembered", reason=str(away))
            ending = pages.CANNOT_REMEMBER
        except SlackFailure as failure:
            log.warning("install_not_answered", code=failure.code)
            ending = pages.SLACK_AWAY
        else:
            return self._page(answer.body, answer.status, cookies=answer)
        return self._page(pages.ending_page(ending, self._install_url), ending.status)

    def _page(self, html: str, status: int, *, cookies: BoltResponse | None = None) -> web.Response:
        page = web.Response(text=html, status=status, content_type="text/html", headers=HEADERS)
        for cookie in cookies.cookies() if cookies else ():
            for name, morsel in cookie.items():
                page.set_cookie(
                    name,
                    morsel.value,
                    max_age=int(morsel["max-age"]) if morsel["max-age"] else 0,
                    path="/",
                    secure=self._secure,
                    httponly=True,
                    samesite="Lax",
                )
        return page

    async def _installed(self, args: AsyncSuccessArgs) -> BoltResponse:
        installation = args.installation
        own = self._workspaces.is_own(installation.team_id or "")
        try:
            await self._came()
        except StoreUnavailable as away:
            log.warning("workspace_served_later", reason=str(away))  # the loop looks again
        organisation = bool(installation.is_enterprise_install)
        name = installation.enterprise_name if organisation else installation.team_name
        html = pages.installed_page(
            name or "your workspace",
            "Organisation" if organisation else "Workspace",
            slash=self._slash,
            already=own,
        )
        return BoltResponse(status=200, body=html, headers=self._no_cookie())

    async def _failed(self, args: AsyncFailureArgs) -> BoltResponse:
        ending = _ENDINGS.get(args.reason, pages.NOT_ACCEPTED)
        if isinstance(args.error, TurnedAway):
            ending = args.error.ending
        log.warning("install_ended", reason=args.reason[:40], said=ending.title)
        html = pages.ending_page(ending, self._install_url)
        return BoltResponse(status=ending.status, body=html, headers=self._no_cookie())

    def _no_cookie(self) -> dict[str, str | Sequence[str]]:
        return {"Set-Cookie": self._flow.settings.state_utils.build_set_cookie_for_deletion()}


_ENDINGS = {
    "access_denied": pages.DENIED,
    "invalid_browser": pages.WRONG_BROWSER,
    "invalid_state": pages.EXPIRED,
}


def _map(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}
