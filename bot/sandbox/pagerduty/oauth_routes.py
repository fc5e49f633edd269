"""The HTTP side of `/oauth`: the consent page a browser opens, and what the app's server asks."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.sandbox.pagerduty.consent import consent_page, place_of, trouble_page
from bot.sandbox.pagerduty.oauth import OAuth, OAuthError
from bot.sandbox.pagerduty.state import State
from bot.sandbox.pagerduty.wire import Incoming, Reply, Wire
from bot.sandbox.sign_in_page import HEADERS, signed_in

FORM = "application/x-www-form-urlencoded"


class OAuthRoutes:
    def __init__(self, oauth: OAuth, state: State) -> None:
        self._oauth = oauth
        self._state = state

    def add_to(self, router: web.UrlDispatcher, wire: Wire, unrecorded: Wire) -> None:
        """What a person's browser asks is not the bot's doing, and stands in no journal."""
        router.add_get("/oauth/authorize", unrecorded.bind(self._show))
        router.add_post("/oauth/authorize", unrecorded.bind(self._decide))
        router.add_post("/oauth/token", wire.bind(self._token))
        router.add_post("/oauth/revoke", wire.bind(self._revoke))

    def _show(self, incoming: Incoming) -> Reply:
        query = dict(incoming.request.query)
        try:
            question = self._oauth.ask(query)
        except OAuthError as error:
            return _page(trouble_page(str(error)), error.status)
        if question.back:
            return Reply(302, headers={"Location": question.back})
        people = self._state.people
        me = signed_in(people.values(), query, incoming.request.cookies)
        region = self._oauth.region_of(me.pagerduty_id or "") if me else "us"
        place = place_of(self._state.world.pagerduty_subdomain, region)
        return _page(consent_page(question, query, people.values(), me, place))

    def _decide(self, incoming: Incoming) -> Reply:
        """`decision` is allow or deny, `user` the Slack id of who was signed in on the page."""
        form = _form(incoming)
        me = signed_in(self._state.people.values(), {"as": form.get("user", "")}, {})
        user = (me.pagerduty_id if me else None) or ""
        try:
            question = self._oauth.ask(dict(incoming.request.query))
            decided = self._oauth.allow if form.get("decision") == "allow" else self._oauth.deny
            back = question.back or decided(question, user)
        except OAuthError as error:
            return _page(trouble_page(str(error)), error.status)
        return Reply(303, headers={"Location": back})

    def _token(self, incoming: Incoming) -> Reply:
        try:
            return Reply(200, self._oauth.token(_form(incoming)))
        except OAuthError as error:
            return Reply(error.status, error.body)

    def _revoke(self, incoming: Incoming) -> Reply:
        try:
            self._oauth.revoke(_form(incoming))
        except OAuthError as error:
            return Reply(error.status, error.body)
        return Reply(200, {})


def _page(text: str, status: int = 200) -> Reply:
    return Reply(status, text, headers=dict(HEADERS), content_type="text/html")


def _form(incoming: Incoming) -> Mapping[str, str]:
    """The fields of a form; OAuth takes no JSON."""
    if incoming.request.content_type != FORM or not isinstance(incoming.body, dict):
        return {}
    return incoming.body
