"""FakePagerDuty: the parts put together behind one listener.

One origin serves what PagerDuty spreads over several hosts: REST at `/`, `/v2/enqueue` and
`/v2/change/enqueue`, the v1 events form, `/oauth/…`, `/ip-safelists/…`, and `/control/…`, which PagerDuty
does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox.pagerduty.access import Access
from bot.sandbox.pagerduty.announcements import Announcer, Listener
from bot.sandbox.pagerduty.control import Control
from bot.sandbox.pagerduty.control_routes import ControlRoutes
from bot.sandbox.pagerduty.conversation import Conversation
from bot.sandbox.pagerduty.deliveries import Deliveries
from bot.sandbox.pagerduty.events_api import EventsApi
from bot.sandbox.pagerduty.faults import Fault, Faults
from bot.sandbox.pagerduty.faults import Mode as FaultMode
from bot.sandbox.pagerduty.front import Front
from bot.sandbox.pagerduty.ids import Clock, utc_now
from bot.sandbox.pagerduty.incident_body import IncidentWriter
from bot.sandbox.pagerduty.journal import Exchange, Journal
from bot.sandbox.pagerduty.lifecycle import Lifecycle
from bot.sandbox.pagerduty.limits import RateLimits
from bot.sandbox.pagerduty.oauth import OAuth
from bot.sandbox.pagerduty.oauth_routes import OAuthRoutes
from bot.sandbox.pagerduty.people_control import PeopleControl
from bot.sandbox.pagerduty.references import Writer
from bot.sandbox.pagerduty.registration import OAuthApp
from bot.sandbox.pagerduty.rest.change_events import ChangeEvents
from bot.sandbox.pagerduty.rest.directory import Directory
from bot.sandbox.pagerduty.rest.incident_acts import IncidentActs
from bot.sandbox.pagerduty.rest.incidents import IncidentReads
from bot.sandbox.pagerduty.rest.oncalls import OnCalls
from bot.sandbox.pagerduty.rest.routes import Route
from bot.sandbox.pagerduty.rest.webhooks import WebhookSubscriptions
from bot.sandbox.pagerduty.roles import Roles
from bot.sandbox.pagerduty.rota import Rota
from bot.sandbox.pagerduty.safelists import PublishedLists
from bot.sandbox.pagerduty.state import Incident, State
from bot.sandbox.pagerduty.subscriptions import Subscription, Subscriptions
from bot.sandbox.pagerduty.webhook_body import EVENTS, WebhookWriter
from bot.sandbox.pagerduty.wire import Incoming, Reply, Wire
from bot.sandbox.world import World

LARGEST_REQUEST = 2 * 1024 * 1024  # bytes


class FakePagerDuty:
    """A PagerDuty account over HTTP on the loopback.

    `speed` divides durations (escalation delays, timeouts, webhook retry gaps); `clock` gives the true UTC
    time.
    """

    def __init__(self, world: World, *, speed: float = 1.0, clock: Clock = utc_now) -> None:
        self.world = world
        self.state = State(world)
        self._clock = clock
        self._journal = Journal()
        self.faults = Faults()
        self.limits = RateLimits(clock)
        self.access = Access(self.state, clock)
        self.oauth = OAuth(self.state, self.access)
        self.roles = Roles(self.state)
        self._subscriptions = Subscriptions()
        writer = Writer(self.state)
        self._announcer = Announcer(WebhookWriter(self.state, writer), clock)
        self.webhooks = Deliveries(
            self.state, self._subscriptions, self._journal, clock, self._announcer.tell, speed=speed
        )
        self._announcer.deliver = self.webhooks.publish
        self.rota = Rota(self.state, clock)
        self.lifecycle = Lifecycle(self.state, self.rota, self._announcer, clock, speed=speed)
        conversation = Conversation(self.lifecycle)
        self.control = Control(self.lifecycle, conversation, self._announcer, self.webhooks)
        incidents = IncidentWriter(self.state, writer)
        self._routes: list[Route] = [
            *IncidentReads(self.state, incidents, clock).routes(),
            *IncidentActs(self.lifecycle, conversation, incidents).routes(),
            *ChangeEvents(self.state, writer).routes(),
            *Directory(self.state, writer).routes(),
            *OnCalls(self.state, self.rota, writer, clock).routes(),
            *WebhookSubscriptions(self.state, self._subscriptions, self.webhooks, clock).routes(),
        ]
        self._events = EventsApi(self.lifecycle)
        self.safelists = PublishedLists()
        self._control_routes = ControlRoutes(
            control=self.control,
            state=self.state,
            writer=incidents,
            deliveries=self.webhooks,
            subscriptions=self._subscriptions,
            faults=self.faults,
            limits=self.limits,
            journal=self._journal,
            subscribe=self.subscribe_webhook,
            people=PeopleControl(self.access, self.oauth, self.roles),
        )
        self._runner: web.AppRunner | None = None
        self.origin = ""

    # ── the account ──

    @property
    def api_key(self) -> str:
        """The account's full key, 20 characters."""
        return self.access.account_key

    @property
    def journal(self) -> list[Exchange]:
        return self._journal.exchanges

    def user_key(self, user: str) -> str:
        """A person's own REST key (`Token token=…`)."""
        return self.access.user_key(user)

    def bearer(self, user: str) -> str:
        """An OAuth access token of a person with every scope (`Bearer …`)."""
        return self.access.bearer(user)

    def register_oauth_app(
        self, client_id: str, redirect_uris: list[str], client_secret: str | None = None, **more: Any
    ) -> None:
        """See `OAuthApp`: kind (`scoped` unless given), scopes, name, lifetimes."""
        self.oauth.register(OAuthApp(client_id, client_secret, frozenset(redirect_uris), **more))

    def subscribe_webhook(
        self, url: str, *, events: list[str] | None = None, secret: str | None = None
    ) -> tuple[str, str]:
        """Subscribe for the whole account; returns (subscription id, secret)."""
        subscription = self._subscriptions.add(url, frozenset(events or EVENTS), secret=secret)
        return subscription.id, subscription.secrets[-1]

    def rotate_webhook_secret(self, subscription: str, secret: str, *, keep_old: bool = True) -> None:
        """Sign with a new secret too, or with it alone."""
        self.subscription(subscription).rotate(secret, keep_old=keep_old)

    def subscription(self, id_: str) -> Subscription:
        """Raises KeyError for an unknown id."""
        found = self._subscriptions.get(id_)
        if found is None:
            raise KeyError(id_)
        return found

    # ── what a test or a page does: the verbs of /control ──

    def trigger(self, service: str, title: str, **options: Any) -> Incident:
        """See `Control.trigger`."""
        return self.control.trigger(service, title, **options)

    def act(self, incident: str | int, verb: str, by: str, **options: Any) -> Incident:
        """See `Control.act`."""
        return self.control.act(incident, verb, by, **options)

    def storm(self, count: int, services: list[str] | None = None) -> list[Incident]:
        return self.control.storm(count, services)

    def outage(self, mode: FaultMode, **options: Any) -> None:
        """See `Fault`: mode, and paths, methods, count, seconds, status, code, bare."""
        self.faults.set(Fault(mode, **options))

    def listen(self) -> Listener:
        """Every change from now on, for `async for`."""
        return self._announcer.listen()

    # ── up and down ──

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve, and let time pass; returns the origin (`http://127.0.0.1:41234`)."""
        self.webhooks.start()
        self.lifecycle.timers.start()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.origin = f"http://{host}:{port}"
        return self.origin

    async def stop(self) -> None:
        await self.lifecycle.timers.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self.webhooks.stop()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=LARGEST_REQUEST)
        wire = Wire(self._journal, self.faults, self._clock)
        front = Front(self.access, self.roles, self.limits)
        unrecorded = Wire(Journal(), Faults(), self._clock)
        router = application.router
        for name, verb in self._control_routes.verbs().items():
            router.add_post(f"/control/{name}", unrecorded.bind(self._control_routes.serve(verb)))
        router.add_post("/v2/enqueue", wire.bind(_event(self._events.enqueue)))
        router.add_post("/v2/change/enqueue", wire.bind(_event(self._events.enqueue_change)))
        router.add_post("/generic/2010-04-15/create_event.json", wire.bind(_event(self._events.create_event)))
        self.safelists.add_to(router)
        OAuthRoutes(self.oauth, self.state).add_to(router, wire, unrecorded)
        for route in self._routes:
            router.add_route(route.method, route.path, wire.bind(front.serve(route)))
        router.add_route("*", "/{path:.*}", wire.bind(front.serve(None)))
        return application


def _event(handle: Callable[[Any], tuple[int, Any]]) -> Callable[[Incoming], Reply]:
    def inner(incoming: Incoming) -> Reply:
        status, body = handle(incoming.body)
        return Reply(status, body)

    return inner
