"""Sandbox: the world, both fakes and the page, put together. `connect` points them at a bot."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from bot.sandbox.page.site import Inspect, Page, Verbs
from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.world import World, acme

CALLBACK = "/pagerduty/callback"
SLACK_REDIRECTS = ("/slack/signed_in", "/slack/oauth_redirect")


class Sandbox:
    """Everything around a bot: start it, configure the bot with its URLs and secrets, then `connect`.

    `speed` divides the fakes' durations (escalation delays, retry gaps); clocks stay true. `verbs` are the
    bot's own words, which the page completes; `inspect` lends the page's inspector the bot's database.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        page_port: int = 0,
        speed: float = 1.0,
        world: World | None = None,
        verbs: Verbs = (),
        inspect: Inspect | None = None,
    ) -> None:
        self._host = host
        self._page_port = page_port
        self.world = world or acme()
        self.slack = FakeSlack(self.world, speed=speed)
        self.pagerduty = FakePagerDuty(self.world, speed=speed)
        self.page = Page(self.slack, self.pagerduty, verbs=verbs, inspect=inspect, hidden=self.secrets)
        # Made here, because a bot's settings need it before the bot runs and can be subscribed.
        self.webhook_secret = secrets.token_hex(32)
        self.oauth_client_id = "pagerline-sandbox"
        self.oauth_client_secret = secrets.token_hex(20)
        self._callbacks: frozenset[str] = frozenset()
        # Scoped, with every scope there is; `connect` adds where it may send browsers back to.
        self.pagerduty.register_oauth_app(self.oauth_client_id, [], self.oauth_client_secret)
        self._subscription: str | None = None
        self.page_url = ""
        self.slack_api_url = ""
        self.pagerduty_url = ""

    def secrets(self) -> Iterable[str]:
        """What must not be readable on the page."""
        people = self.pagerduty.state.people
        return (
            self.slack.bot_token,
            self.slack.app_token,
            self.slack.signing_secret,
            self.slack.tokens.verification_token,
            self.pagerduty.api_key,
            self.webhook_secret,
            self.slack.tokens.client_secret,
            self.oauth_client_secret,
            *self.slack.sign_in.secrets(),
            *self.pagerduty.access.tokens(),
            *self.pagerduty.oauth.tokens(),
            *(self.pagerduty.user_key(user) for user in people),
            *(service.routing_key for service in self.world.services),
        )

    async def start(self) -> None:
        """Listen on all ports. Raises OSError when the page's port is taken; nothing keeps running then."""
        try:
            self.slack_api_url = await self.slack.start(self._host)
            self.pagerduty_url = await self.pagerduty.start(self._host)
            self.page_url = await self.page.start(self._host, self._page_port)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything; safe to call on what never started."""
        await self.page.stop()
        await self.slack.stop()
        await self.pagerduty.stop()

    def connect(self, bot_url: str) -> None:
        """Deliver Slack's requests and PagerDuty's webhooks to the bot at this origin, and to no other.

        Browsers may be sent back to every bot that was ever connected.
        """
        self.slack.connect(bot_url)
        origin = bot_url.rstrip("/")
        self._callbacks |= {origin + CALLBACK}
        self.pagerduty.oauth.change_app(self.oauth_client_id, redirect_uris=self._callbacks)
        self.slack.tokens.redirect_uris |= {origin + path for path in SLACK_REDIRECTS}
        url = origin + "/pagerduty/webhook"
        if self._subscription is None:
            self._subscription, _ = self.pagerduty.subscribe_webhook(url, secret=self.webhook_secret)
        else:
            self.pagerduty.subscription(self._subscription).url = url
