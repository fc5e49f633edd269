"""Slack's front door: one Bolt app for HTTP and Socket Mode, with one listener per kind of payload.

A listener makes a request of the payload, lets bot/command/run.py accept it (an act is committed then), acks
and is done; which command it is, the catalog says. Bolt matches listeners one after the other, and with
`process_before_response` it answers as soon as the listener returns instead of polling for its ack every 10
ms; an exception would be a 500, so none leaves a listener. What could be neither kept nor refused in words
is answered 503: Slack shows that to who pressed, and sends an event again. Its own `authorize` asks Slack
nothing per request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.command.answering import Answering
from bot.command.arguments import Names
from bot.command.catalog import Catalog
from bot.command.channels import Channels
from bot.command.fields import FieldProblems, check_fields
from bot.command.request import Request, Surface
from bot.command.run import Runner
from bot.command.tasks import Stopping
from bot.declaration import Reply
from bot.errors import SlackFailure, StoreUnavailable
from bot.inbound import slack_payloads as payloads
from bot.model import Channel, SlackUser
from bot.outbound import tls
from bot.render.forms import options_answer
from bot.render.install_pages import NOT_CONNECTED
from bot.render.problems import cannot_remember, restarting
from bot.slack.client import Slack
from bot.slack.workspaces import Workspaces

log = structlog.get_logger("pagerline.slack")

ANYTHING = re.compile("")
OPTIONS_PATIENCE = 2.0  # seconds; Slack waits 3 for a picker's choices
TELLING_PATIENCE = 1.0  # seconds of those 3 that are left when the database was waited for
Ack = Callable[..., Awaitable[Any]]
Body = Mapping[str, Any]
Listener = Callable[[Body, Ack], Awaitable[None]]
Uninstalled = Callable[[str, str], Coroutine[Any, Any, None]]
LinkPressed = Callable[[SlackUser, str, str], Awaitable[None]]
"""Told of a pressed Link button: whose, its ticket, the reply address of the message it stands on."""


class NotTaken(Exception):
    """It is kept nowhere, and whoever asked could not be told: Slack must not take it for accepted."""


def _or_not_taken(listener: Listener) -> Callable[..., Awaitable[BoltResponse | None]]:
    # Bolt looks at the parameters' names.
    async def listen(body: Body, ack: Ack) -> BoltResponse | None:
        try:
            await listener(body, ack)
        except NotTaken as reason:
            log.warning("not_taken", reason=str(reason))
            return BoltResponse(status=503)
        return None

    return listen


class SlackFront:
    """The listeners. `app` is what both doors dispatch to."""

    def __init__(
        self,
        *,
        runner: Runner,
        catalog: Catalog,
        names: Names,
        channels: Channels,
        workspaces: Workspaces,
        api_url: str,
        link_pressed: LinkPressed | None = None,
        uninstalled: Uninstalled | None = None,
    ) -> None:
        """`uninstalled` is told the workspace and the organisation that took the app or its token away."""
        self._runner = runner
        self._link_pressed = link_pressed
        self._catalog = catalog
        self._names = names
        self._channels = channels
        self._workspaces = workspaces
        self._uninstalled = uninstalled or _noted
        # Its INFO lines would put whole request bodies with their signatures into the log.
        logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.WARNING)
        # It warns of every SLACK_… variable it finds in the environment and does not use.
        logging.getLogger("slack_bolt.AsyncApp").setLevel(logging.ERROR)
        self.app = self._build(api_url)

    def _build(self, api_url: str) -> AsyncApp:
        app = AsyncApp(
            # Or Bolt reads the whole stack's source files to find one, at every start. It sets the level of
            # the logger so called: ours is none of its business.
            name="slack_bolt.app",
            # Socket Mode opens connections of its own, by this client's address and TLS.
            client=AsyncWebClient(base_url=api_url, ssl=tls()),
            authorize=_authorize,
            process_before_response=True,
            # The HTTP door checks signatures itself (bot/inbound/slack_http.py): Bolt's check answers 500 to
            # some malformed ones. The rest is not needed here, and costs time on every request.
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        app.command(ANYTHING)(self.on_command)
        app.action(ANYTHING)(_or_not_taken(self.on_action))
        app.view_submission(ANYTHING)(_or_not_taken(self.on_submission))
        app.view_closed(ANYTHING)(self.on_ignored)
        app.options(ANYTHING)(self.on_options)
        app.shortcut(ANYTHING)(self.on_ignored)
        app.event(ANYTHING)(_or_not_taken(self.on_event))
        return app

    # ---------------------------------------------------------------------------------------- listeners

    async def on_command(self, body: Body, ack: Ack) -> None:
        """A slash command. What cannot be taken is said in the ack itself."""
        try:
            team_id = await self._asked_team(body)
            if team_id is None:
                await ack(text=NOT_CONNECTED)
                return
            request = payloads.slash(body, team_id)
            if request is None:
                await ack()
                return
            await self._runner.accept(request)
        except StoreUnavailable:
            await ack(text=cannot_remember().text)
        except Stopping:
            await ack(text=restarting().text)
        else:
            await ack()

    async def on_action(self, body: Body, ack: Ack) -> None:
        """A press. Links and pickers inside forms only need their ack; that somebody opened the page where
        they link is remembered, so that the message with the button can say how it went.
        """
        team_id = await self._team(body)
        if team_id is None:
            await ack()
            return
        request = payloads.press(body, team_id)
        if request is not None:
            await self._accept_or_tell(request)
        pressed = payloads.pressed_link(body, team_id, "link")
        if pressed is not None and self._link_pressed is not None:
            try:
                await self._link_pressed(pressed.user, pressed.value, pressed.response_url)
            except StoreUnavailable as away:
                log.warning("link_press_forgotten", reason=str(away))
        await ack()

    async def on_submission(self, body: Body, ack: Ack) -> None:
        """A form: what cannot be read is said beside its field, while it is still open."""
        team_id = await self._team(body)
        submitted = None if team_id is None else payloads.submission(body, team_id)
        command = self._catalog.find(submitted.verb) if submitted else None
        if submitted is None or command is None or submitted.request.fields is None:
            await ack()
            return
        try:
            check_fields(command, submitted.request.fields)
            await self._runner.accept(submitted.request)
        except FieldProblems as problems:
            shown = {name: said for name, said in problems.by_field.items() if name in submitted.fields}
            await _refuse(ack, shown, submitted.fields, str(problems))
        except StoreUnavailable:
            await _refuse(ack, {}, submitted.fields, cannot_remember().text)
        except Stopping:
            await _refuse(ack, {}, submitted.fields, restarting().text)
        else:
            await ack()

    async def on_options(self, body: Body, ack: Ack) -> None:
        """A picker asks for choices; from the directory's cache, or none."""
        state = payloads.form_state(body.get("view") or {})
        command = self._catalog.find(state.verb) if state else None
        name = str(body.get("action_id") or "").removeprefix("field:")
        parameter = next((one for one in command.parameters if one.name == name), None) if command else None
        choices = []
        if parameter is not None:
            try:
                async with asyncio.timeout(OPTIONS_PATIENCE):
                    choices = list(await self._names.choices(parameter.kind, str(body.get("value") or "")))
            except Exception as error:  # noqa: BLE001 - an empty list is the answer whatever went wrong
                log.warning("no_choices", field=name, error=type(error).__name__)
        await ack(**options_answer(choices))

    async def on_event(self, body: Body, ack: Ack) -> None:
        """Mentions, direct messages, and what happens to channels; everything else is only acked."""
        event = body.get("event") or {}
        if (taken := payloads.taken_away(body)) is not None:
            self._in_background(self._uninstalled(*taken), f"uninstalled {taken[0]}")
            await ack()
            return
        team_id = await self._team(body)
        slack = None if team_id is None else self._workspaces.for_team(team_id)
        if team_id is not None and slack is not None:
            if event.get("type") in ("app_mention", "message"):
                request = payloads.mention(body, team_id, await _our_user(slack, body))
                if request is not None:
                    await self._accept_or_tell(request)
            else:
                self._channel_event(event, team_id, body)
        await ack()

    async def on_ignored(self, ack: Ack) -> None:
        """Nothing of ours to do, but Slack wants an answer."""
        await ack()

    # -------------------------------------------------------------------------------------------- inside

    async def _accept_or_tell(self, request: Request) -> None:
        """Raises NotTaken."""
        try:
            await self._runner.accept(request)
        except StoreUnavailable:
            await self._tell_instead(request, cannot_remember())
        except Stopping as stopping:
            if request.surface in (Surface.MENTION, Surface.DIRECT):
                raise NotTaken("restarting") from stopping  # sent again, it reaches who comes after us
            await self._tell_instead(request, restarting())

    async def _tell_instead(self, request: Request, reply: Reply) -> None:
        """Before Slack is answered: afterwards nobody but this process would know of it."""
        slack = self._workspaces.for_team(request.user.team_id)
        if slack is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TELLING_PATIENCE):
                    if await Answering(slack, request).send(reply):
                        return
        raise NotTaken("neither kept nor told")

    def _channel_event(self, event: Mapping[str, Any], team_id: str, body: Body) -> None:
        given = event.get("channel")
        channel = Channel(team_id, given if isinstance(given, str) else "")
        if not channel.id:
            return
        work = self._channels.heard(
            str(event.get("type") or ""),
            channel,
            user=str(event.get("user") or ""),
            event_id=str(body.get("event_id") or event.get("event_ts") or ""),
        )
        if work is not None:
            self._in_background(work, f"{event.get('type')} {channel.id}")

    def _in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            self._runner.tasks.start(work, name=name)
        except Stopping:
            work.close()
            log.info("event_left_to_others", what=name)

    async def _team(self, body: Body) -> str | None:
        """As `_asked_team`, for those who cannot be told that the database is away. Raises NotTaken."""
        try:
            return await self._asked_team(body)
        except StoreUnavailable as away:
            raise NotTaken(str(away)) from away

    async def _asked_team(self, body: Body) -> str | None:
        """The workspace of ours this belongs to: a named one we serve. Raises StoreUnavailable.

        Where only the settings' token counts, its workspace is meant whatever is named: people of other
        organisations name theirs in shared channels.
        """
        organisation = payloads.organisation_in(body)
        for team_id in dict.fromkeys(one for one in payloads.teams_in(body) if one):
            if await self._workspaces.find(team_id, organisation) is not None:
                return team_id
        served = () if self._workspaces.may_grow else self._workspaces.all()
        if len(served) == 1:
            return served[0].team_id
        log.warning("unknown_workspace", teams=list(payloads.teams_in(body)))
        return None


async def _noted(team_id: str, enterprise_id: str) -> None:
    """With the settings' token alone there is nothing to end: calls fail, and health says so."""
    log.error("app_uninstalled", team=team_id, organisation=enterprise_id)


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Bolt wants to know for whom; we use our own client (bot/slack), so no token is handed over."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token="")


async def _our_user(slack: Slack, body: Body) -> str:
    """The bot's own user id: in the envelope, or as Slack told once."""
    listed = body.get("authorizations")
    for one in listed if isinstance(listed, list) else ():
        ours = isinstance(one, Mapping) and one.get("is_bot") and one.get("team_id") == slack.team_id
        if ours and isinstance(one.get("user_id"), str):
            return str(one["user_id"])
    try:
        return (await slack.who_we_are()).bot_user_id
    except SlackFailure:
        return ""


async def _refuse(ack: Ack, shown: Mapping[str, str], fields: tuple[str, ...], otherwise: str) -> None:
    """Keep the form open and say why: beside the field, or beside the first one."""
    errors = dict(shown) or ({fields[0]: otherwise} if fields else {})
    if errors:
        await ack(response_action="errors", errors=errors)
    else:
        await ack()
