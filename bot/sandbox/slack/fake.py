"""FakeSlack: the wiring of the fake, and every verb of a person, an admin or bad luck as a Python method."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

from bot.sandbox.slack import housekeeping, pressing, snapshot, submitting, talking
from bot.sandbox.slack.acting import Acting
from bot.sandbox.slack.answers import Json
from bot.sandbox.slack.control import Control
from bot.sandbox.slack.delivery import Delivered, Delivery
from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.installing import Installing
from bot.sandbox.slack.journal import Change, Changes, Journal
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.neighbours import Neighbours
from bot.sandbox.slack.sign_in import SignIn
from bot.sandbox.slack.state import Message, Workspace
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.tokens import HISTORY_SCOPES, Tokens
from bot.sandbox.slack.views import Views
from bot.sandbox.slack.web_api import MAX_BODY, WebApi
from bot.sandbox.world import World

_VERBS = (
    "action",
    "archive",
    "close",
    "command",
    "delete_message",
    "doubles",
    "fault",
    "history_scope",
    "invite",
    "kick",
    "mention",
    "message",
    "open_home",
    "options",
    "rate_limits",
    "repeat",
    "scopes",
    "shortcut",
    "socket",
    "state",
    "submit",
    "subscribe",
    "token",
    "uninstall",
    "url_verification",
)


class FakeSlack:
    """A Slack workspace in this process, on a real port.

    `clock` gives UNIX seconds. `speed` divides the gaps between event retries (at once, 1 min, 5 min).
    """

    def __init__(
        self,
        world: World,
        *,
        clock: Callable[[], float] = time.time,
        speed: float = 1.0,
        beside: FakeSlack | None = None,
    ) -> None:
        """`beside`: another workspace that has the same app, on whose listener this one is reached."""
        self._clock = clock
        self._speed = speed
        self.world = world
        self.tokens: Tokens = Tokens() if beside is None else beside.tokens.of_the_same_app()
        self.changes = Changes()
        self.journal = Journal()
        self.workspace = Workspace(world, clock, self.changes)
        self.views = Views(self.workspace)
        self.tickets = Tickets(clock)
        self.faults = Faults()
        self.limits = RateLimits(clock)
        self.delivery = Delivery(self.workspace, self.journal, self.tokens, clock, speed=speed)
        self.acting = Acting(self.workspace, self.views, self.tickets, self.tokens, self.delivery)
        self.sign_in = SignIn(self.workspace, self.tokens, clock)
        self.installing: Installing = Installing(self.tokens, clock) if beside is None else beside.installing
        self.installing.places.append(self)
        self.web_api = WebApi(
            self.acting,
            self.sign_in,
            self.installing,
            faults=self.faults,
            limits=self.limits,
            journal=self.journal,
        )
        self.all: list[FakeSlack] = [self]
        self.verbs: dict[str, Callable[..., Any]] = {name: getattr(self, name) for name in _VERBS}
        self._runner: web.AppRunner | None = None

    @property
    def bot_token(self) -> str:
        return self.tokens.bot_token

    @property
    def app_token(self) -> str:
        return self.tokens.app_token

    @property
    def signing_secret(self) -> str:
        return self.tokens.signing_secret

    def application(self) -> web.Application:
        """The routes: Web API, response URLs, Socket Mode, `/control`."""
        app = web.Application(client_max_size=MAX_BODY)
        neighbours = Neighbours(self.all)
        app.router.add_route("*", "/api/{method:[A-Za-z0-9.]+}", neighbours.call)
        app.router.add_post("/response/{ticket}", neighbours.respond)
        app.router.add_get("/link/", self.delivery.sockets.accept)
        self.sign_in.add_to(app.router)
        self.installing.add_to(app.router)
        app.router.add_post("/control/{verb}", Control({**self.verbs, "journal": self.journal_since}).handle)
        return app

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; the base URL for Web API clients, ending in `/api/`."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound = self._runner.addresses[0][1]
        origin = f"http://{host}:{bound}"
        for one in self.all:
            one.acting.origin = origin
            await one.delivery.start()
        return f"{origin}/api/"

    async def stop(self) -> None:
        """Close the API first, so that nothing it still does is delivered into a closed session."""
        await self.delivery.sockets.close_all()
        if self._runner is not None:
            await self._runner.cleanup()
        for one in self.all:
            await one.delivery.stop()

    def add_workspace(self, world: World) -> FakeSlack:
        """Another workspace, in which the app is not installed yet; before `start`."""
        other = FakeSlack(world, clock=self._clock, speed=self._speed, beside=self)
        other.delivery.sockets = self.delivery.sockets  # one app has one websocket for all of them
        self.all.append(other)
        return other

    def connect(self, bot_url: str) -> None:
        """Deliver to `<bot_url>/slack/events` from now on, unless a socket is open."""
        for one in self.all:
            one.delivery.connect(bot_url)

    def listen(self) -> AsyncIterator[Change]:
        """What changes from now on, as a person looking on would notice."""
        return self.changes.listen()

    async def command(self, user: str, channel: str, text: str = "", command: str = "/pager") -> Delivered:
        return await talking.command(self.acting, user, channel, text, command)

    async def message(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Delivered:
        return (await talking.message(self.acting, user, channel, text, thread_ts))[0]

    async def mention(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Delivered:
        return (await talking.mention(self.acting, user, channel, text, thread_ts))[0]

    async def open_home(self, user: str, tab: str = "home") -> Delivered:
        return await talking.open_home(self.acting, user, tab)

    async def action(self, user: str, action_id: str, **where: Any) -> Delivered:
        """Press or choose something; `where` as in `pressing.action`."""
        return await pressing.action(self.acting, user, action_id, **where)

    async def options(self, user: str, action_id: str, value: str = "", **where: Any) -> Delivered:
        """Type into an external select; `where` as in `pressing.options`."""
        return await pressing.options(self.acting, user, action_id, value, **where)

    async def submit(self, user: str, view: str | None = None, values: Json | None = None) -> Delivered:
        """Submit a modal (the topmost of this user unless `view` is given)."""
        return await submitting.submit(self.acting, user, self._view_id(user, view), values)

    async def close(self, user: str, view: str | None = None, *, every: bool = False) -> Delivered:
        return await submitting.close(self.acting, user, self._view_id(user, view), every=every)

    async def shortcut(
        self, user: str, callback_id: str, channel: str | None = None, message: str | None = None
    ) -> Delivered:
        return await submitting.shortcut(self.acting, user, callback_id, channel=channel, message=message)

    async def invite(self, channel: str, user: str | None = None, by: str = "U0CAROL") -> Delivered:
        return await housekeeping.invite(self.acting, channel, user, by)

    async def kick(self, channel: str, user: str | None = None, by: str = "U0CAROL") -> Delivered:
        return await housekeeping.kick(self.acting, channel, user, by)

    async def archive(self, channel: str, *, undo: bool = False) -> Delivered:
        return await housekeeping.archive(self.acting, channel, undo=undo)

    async def delete_message(self, channel: str, ts: str) -> Delivered:
        return await housekeeping.delete_message(self.acting, channel, ts)

    async def uninstall(self) -> Delivered:
        """An admin removes the app: its token dies, and it is in no channel any more."""
        return await housekeeping.uninstall(self.acting)

    async def repeat(self, name: str | None = None) -> Delivered:
        """Deliver the last thing (of this name) again, body unchanged; events with Slack's retry headers."""
        return await self.delivery.repeat(name)

    def history_scope(self, *, granted: bool) -> None:
        """Give or take the scopes that `conversations.history` and `.replies` need in channels."""
        if granted:
            self.tokens.scopes |= HISTORY_SCOPES
        else:
            self.tokens.scopes -= HISTORY_SCOPES

    def scopes(self, granted: list[str] | None = None, revoked: list[str] | None = None) -> Json:
        """Add or take away scopes of the bot token; all it has now."""
        self.tokens.scopes |= set(granted or [])
        self.tokens.scopes -= set(revoked or [])
        return {"scopes": sorted(self.tokens.scopes)}

    def token(self, dead: str | None = None) -> None:
        """Let every call with the bot token fail with this error (`token_revoked`, …); None revives it."""
        self.tokens.dead = dead

    def subscribe(self, events: list[str]) -> None:
        """The bot events of the app's manifest: only these are delivered."""
        self.delivery.subscribed = set(events)

    def fault(self, method: str, mode: str, **more: Any) -> None:
        """Play a fault on the next calls; see `faults.Fault`."""
        self.faults.add(Fault.from_json({"method": method, "mode": mode, **more}))

    def rate_limits(self, *, enabled: bool, per_minute: dict[str, int] | None = None) -> None:
        self.limits.enabled = enabled
        self.limits.per_minute = per_minute or {}

    async def socket(self, reason: str = "refresh_requested", *, every: bool = False) -> None:
        """Send a Socket Mode `disconnect` to one connection, or to each."""
        await self.delivery.sockets.disconnect(reason, every=every)

    def state(self) -> Json:
        return snapshot.whole(self.acting)

    def doubles(self, key: str | None = None, *, existing: bool = True) -> list[list[Json]]:
        """Messages posted twice: same channel and metadata (with `key`, same value of that payload field)."""
        groups = self.workspace.doubles(key, existing=existing)
        return [[snapshot.message(self.acting, m) for m in group] for group in groups]

    def journal_since(self, since: int = 0) -> Json:
        """Exchanges from number `since` on."""
        return {"exchanges": [e.as_json() for e in list(self.journal)[since:]]}

    async def url_verification(self, challenge: str = "prove it") -> Delivered:
        """What Slack sends when the request URL is saved."""
        return await self.delivery.verify_url(challenge)

    def messages(self, channel: str, *, seen_by: str | None = None) -> list[Message]:
        """What stands in a channel, oldest first, replies too; `seen_by` adds that user's ephemeral ones."""
        place = self.workspace.channel(channel)
        private = [m for m in place.ephemerals.values() if m.seen_by == seen_by]
        return sorted([*place.messages.values(), *private], key=lambda m: m.ts)

    def _view_id(self, user: str, view: str | None) -> str:
        if view is not None:
            return view
        top = self.views.top(user)
        if top is None:
            raise LookupError(f"{user} has no modal open.")
        return top.id
