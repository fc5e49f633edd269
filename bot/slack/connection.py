"""One call to Slack over the shared session: timeouts, what may be repeated, and failures as our kinds.

Under bot/slack/client.py, which knows the methods. slack_sdk raises three different things for an answer that
is not Slack's, and its default retry handler posts a message twice when the connection drops after the
request: both end here.
"""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

from bot import outbound
from bot.errors import SlackFailure
from bot.slack.failures import DROPPED, OutcomeUnknown, Unreachable, ViewExpired, classify

CALL_SECONDS = 5.0
CONNECT_SHARE = 0.8
"""Connecting fails before the whole call does, so that "nothing was sent" is known and not guessed."""
AGAIN_AFTER_SECONDS = 0.2
MAX_CONNECTIONS = 50

OnCall = Callable[[str, str, float], None]
"""Told of every call: method, `ok` or Slack's error code, seconds."""


def open_session(seconds: float = CALL_SECONDS, *, trust_env: bool = False) -> aiohttp.ClientSession:
    """The one session all calls to Slack share; the caller closes it. Call inside the running loop.

    The timeout stands here because slack_sdk ignores its own when it is given a session. `trust_env` lets
    HTTPS_PROXY and NO_PROXY count.
    """
    connect = seconds * CONNECT_SHARE
    timeout = aiohttp.ClientTimeout(total=seconds, connect=connect, sock_connect=connect)
    return outbound.open_session(timeout=timeout, connections=MAX_CONNECTIONS, trust_env=trust_env)


class _OnceAgain(AsyncRetryHandler):
    """Repeats a call that may be repeated, once, when its connection broke. Never a limited one: that is the
    pace's business.
    """

    def __init__(self) -> None:
        super().__init__(
            max_retry_count=1,
            interval_calculator=FixedValueRetryIntervalCalculator(AGAIN_AFTER_SECONDS),
        )

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        return isinstance(error, aiohttp.ClientConnectionError) and not isinstance(error, TimeoutError)


class Connection:
    """Calls methods of one workspace. Raises the kinds of bot/slack/failures.py, nothing else."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token: SecretStr,
        *,
        base_url: str,
        on_call: OnCall | None = None,
        always: Mapping[str, Any] | None = None,
    ) -> None:
        """`always`: arguments of every call."""
        self._session = session
        self._on_call = on_call
        self._always = dict(always or {})
        self._once = self._client(token, base_url, [])
        self._repeatable = self._client(token, base_url, [_OnceAgain()])

    def _client(self, token: SecretStr, base_url: str, handlers: list[AsyncRetryHandler]) -> AsyncWebClient:
        client = AsyncWebClient(
            token.get_secret_value(),
            base_url=base_url,
            session=self._session,
            timeout=math.ceil(self._session.timeout.total or CALL_SECONDS),
            retry_handlers=handlers,
        )
        # slack_sdk fills this from HTTPS_PROXY for loopback too; the session decides about proxies.
        client.proxy = None
        return client

    async def read(self, method: str, **params: Any) -> Mapping[str, Any]:
        """A call that changes nothing; its arguments go into the query."""
        return (await self.call(method, repeatable=True, verb="GET", params=params))[0]

    async def write(self, method: str, *, repeatable: bool, **arguments: Any) -> Mapping[str, Any]:
        """A call that changes something; with JSON. `repeatable`: twice is the same as once."""
        return (await self.call(method, repeatable=repeatable, json=arguments))[0]

    async def call(
        self,
        method: str,
        *,
        repeatable: bool,
        verb: str = "POST",
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """The answer's body and headers. Arguments that are None are left out."""
        client = self._repeatable if repeatable else self._once
        if self._always and json is not None:
            json = self._always | dict(json)
        elif self._always:
            params = self._always | dict(params or {})
        began = time.monotonic()
        outcome = "cancelled"
        try:
            response = await client.api_call(method, http_verb=verb, params=_given(params), json=_given(json))
            outcome = "ok"
        except _CONNECTION_ERRORS as error:
            failure = _failure(method, error)
            outcome = failure.code
            # The SDK's own error holds the whole answer: it ends here, not in a traceback.
            raise failure from None
        finally:
            self._count(method, outcome, began)
        body = response.data
        return (body if isinstance(body, Mapping) else {}), response.headers

    async def exchange(
        self, method: str, form: Mapping[str, Any], *, client_id: str, client_secret: SecretStr
    ) -> Mapping[str, Any]:
        """One of OAuth's calls, where our app proves itself instead of a token; never repeated: codes work
        once.
        """
        proof = f"{client_id}:{client_secret.get_secret_value()}"
        began = time.monotonic()
        outcome = "cancelled"
        try:
            response = await self._once.api_call(
                method,
                data=_given(form),
                headers={"Authorization": f"Basic {base64.b64encode(proof.encode()).decode('ascii')}"},
            )
            outcome = "ok"
        except _CONNECTION_ERRORS as error:
            failure = _failure(method, error)
            outcome = failure.code
            raise failure from None  # as in `call`
        finally:
            self._count(method, outcome, began)
        return response.data if isinstance(response.data, Mapping) else {}

    async def respond(self, response_url: str, body: Mapping[str, Any]) -> None:
        """Post to the address Slack gave for answering one interaction; needs no token, is never repeated."""
        began = time.monotonic()
        failure: SlackFailure | None = None
        try:
            async with self._session.post(response_url, json=body, allow_redirects=False) as answer:
                failure = None if answer.status == 200 and await _taken(answer) else await _refused(answer)
        except _CONNECTION_ERRORS as error:
            failure = _failure("response_url", error)
        self._count("response_url", failure.code if failure else "ok", began)
        if failure is not None:
            raise failure

    def _count(self, method: str, outcome: str, began: float) -> None:
        if self._on_call is not None:
            self._on_call(method, outcome, time.monotonic() - began)


_CONNECTION_ERRORS = (SlackApiError, aiohttp.ClientError, OSError, AttributeError, UnicodeDecodeError)


def _failure(method: str, error: Exception) -> SlackFailure:
    if isinstance(error, SlackApiError):
        return _answered(method, error.response)
    if isinstance(error, (AttributeError, UnicodeDecodeError)):
        # slack_sdk takes a text/plain page for Slack's answer and trips over it.
        return OutcomeUnknown("not_json", method=method)
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return Unreachable("unreachable", method=method)
    if isinstance(error, TimeoutError):
        return OutcomeUnknown("timeout", method=method)
    return OutcomeUnknown(DROPPED, method=method)


def _given(arguments: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if arguments is None:
        return None
    return {name: value for name, value in arguments.items() if value is not None}


def _answered(method: str, response: Any) -> SlackFailure:
    """The SDK hands over its own response, or aiohttp's when the body was not JSON at all."""
    if isinstance(response, aiohttp.ClientResponse):
        return classify(method, response.status, None, response.headers)
    return classify(method, response.status_code, response.data, response.headers)


async def _taken(answer: aiohttp.ClientResponse) -> bool:
    """Slack says `ok` in words or in JSON, and also `{"ok": false}` with status 200."""
    try:
        body = await answer.json(content_type=None)
    except ValueError:
        return True
    return not isinstance(body, dict) or body.get("ok") is not False


async def _refused(answer: aiohttp.ClientResponse) -> SlackFailure:
    try:
        body = await answer.json(content_type=None)
    except ValueError:
        body = None
    failure = classify("response_url", answer.status, body, answer.headers)
    if answer.status in (404, 410) and not isinstance(failure, ViewExpired):
        return ViewExpired("expired_url", method="response_url")
    return failure
