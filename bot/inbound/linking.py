"""The pages of linking over HTTP: what a browser sends is checked here, what it means is bot/accounts'.

    GET  /pagerduty/link?ticket=…   who it is about; sets the cookie
    POST /pagerduty/link            303 to PagerDuty
    GET  /pagerduty/callback        from PagerDuty; 303 to the next, so that no code stays in the address
    GET  /pagerduty/confirm?id=…    both names, or how it ended; may be reloaded
    POST /pagerduty/confirm         303 back to it, or to Sign in with Slack
    GET  /slack/signed_in           from there

A GET changes nothing but what it hands over once from PagerDuty or Slack: link previews press GETs. A POST
needs a form token that only the cookie's browser has: HMAC of the cookie over what the form is about. The
cookie never leaves for anybody's log, and no query is logged (no access log is written at all).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlencode

import structlog
from aiohttp import web

from bot.accounts.completing import LinkStopped
from bot.accounts.confirming import Standing, Way
from bot.accounts.link_side import LinkSide
from bot.accounts.linking import CALLBACK_PATH, CONFIRM_PATH, LINK_PATH, SIGN_IN_PATH
from bot.errors import StoreUnavailable
from bot.inbound.reading import Unreadable, read_body
from bot.render import link_problems as problems
from bot.render.link_pages import (
    CANCEL,
    WAY,
    ask_page,
    confirm_page,
    linked_page,
    problem_page,
    waiting_page,
)
from bot.render.web import HEADERS

log = structlog.get_logger("pagerline.linking")

COOKIE_SECONDS = 3600
LARGEST_SECRET = 200  # characters of a ticket, state, id or cookie; ours have at most 110
_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")
_WAYS: dict[str, Way] = {"plain": "plain", "admin": "admin", "slack": "slack"}

Page = Callable[[web.Request], Awaitable[web.Response]]


class LinkDoors:
    """`public_url` decides about the cookie: `__Host-` needs https, and not every browser lets a loopback
    address do without.
    """

    def __init__(self, side: LinkSide, *, public_url: str, slash: str) -> None:
        self._linking = side.linking
        self._confirming = side.confirming
        self._slash = slash
        self._secure = public_url.startswith("https://")
        self.cookie = "__Host-pagerline" if self._secure else "pagerline"

    # ------------------------------------------------------------------------------------------- doors

    async def ask(self, request: web.Request) -> web.Response:
        """GET link."""
        return await self._answered(request, self._ask)

    async def begin(self, request: web.Request) -> web.Response:
        """POST link."""
        return await self._answered(request, self._begin)

    async def returned(self, request: web.Request) -> web.Response:
        """GET callback."""
        return await self._answered(request, self._returned)

    async def shown(self, request: web.Request) -> web.Response:
        """GET confirm."""
        return await self._answered(request, self._shown)

    async def confirm(self, request: web.Request) -> web.Response:
        """POST confirm."""
        return await self._answered(request, self._confirm)

    async def signed_in(self, request: web.Request) -> web.Response:
        """GET signed_in."""
        return await self._answered(request, self._signed_in)

    async def _answered(self, request: web.Request, page: Page) -> web.Response:
        try:
            return await page(request)
        except LinkStopped as stopped:
            problem = stopped.problem
        except StoreUnavailable as away:
            log.warning("link_page_failed", reason=str(away))
            problem = problems.cannot_remember()
        except Unreadable as unreadable:
            return web.Response(status=unreadable.status, text=unreadable.text, headers=HEADERS)
        except Exception:
            error_id = secrets.token_hex(4)
            log.exception("link_page_broke", error_id=error_id)
            problem = problems.apology(error_id)
        return _page(problem_page(problem), problem.status)

    # ------------------------------------------------------------------------------------------- pages

    async def _ask(self, request: web.Request) -> web.Response:
        ticket = _query(request, "ticket")
        asked = await self._linking.asked(ticket)
        browser = self._browser(request) or secrets.token_urlsafe(32)
        hidden = {"ticket": ticket, "token": _token(browser, "link", ticket)}
        answer = _page(ask_page(asked.face, asked.now, action=LINK_PATH, hidden=hidden))
        answer.set_cookie(
            self.cookie,
            browser,
            max_age=COOKIE_SECONDS,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return answer

    async def _begin(self, request: web.Request) -> web.Response:
        form = await _form(request)
        ticket = form.get("ticket", "")
        browser = self._checked(request, form, "link", ticket)
        return _see(await self._linking.begin(ticket, browser))

    async def _returned(self, request: web.Request) -> web.Response:
        link_id = await self._linking.returned(
            _query(request, "state"),
            self._browser(request),
            code=_query(request, "code", limit=4000),
            error=_query(request, "error"),
        )
        return _see(_confirm_url(link_id))

    async def _shown(self, request: web.Request) -> web.Response:
        browser = self._browser(request)
        standing = await self._confirming.shown(_query(request, "id"), browser)
        return _page(self._standing_page(standing, browser))

    def _standing_page(self, standing: Standing, browser: str) -> str:
        face, link = standing.face, standing.link
        if link.outcome == "linked":
            return linked_page(face, link.person, acts=link.has_intent, slash=self._slash)
        if link.confirmed_at is not None:
            return waiting_page(face, link.person)
        return confirm_page(
            face,
            link.person,
            doubt=standing.doubt.said if standing.doubt else None,
            ways=standing.ways,
            missing=standing.missing,
            action=CONFIRM_PATH,
            hidden={"id": link.id, "token": _token(browser, "confirm", link.id)},
        )

    async def _confirm(self, request: web.Request) -> web.Response:
        form = await _form(request)
        link_id = form.get("id", "")
        browser = self._checked(request, form, "confirm", link_id)
        if form.get(WAY) == CANCEL:
            await self._confirming.cancel(link_id, browser)
            return _see(_confirm_url(link_id))
        elsewhere = await self._confirming.confirm(link_id, browser, _WAYS.get(form.get(WAY, ""), "plain"))
        return _see(elsewhere or _confirm_url(link_id))

    async def _signed_in(self, request: web.Request) -> web.Response:
        link_id = await self._confirming.signed_in(
            _query(request, "state"),
            self._browser(request),
            code=_query(request, "code", limit=4000),
            error=_query(request, "error"),
        )
        return _see(_confirm_url(link_id))

    # ------------------------------------------------------------------------------------------- inside

    def _browser(self, request: web.Request) -> str:
        """What the cookie says, empty when there is none of ours."""
        value = request.cookies.get(self.cookie, "")
        return value if _COOKIE.fullmatch(value) else ""

    def _checked(self, request: web.Request, form: dict[str, str], purpose: str, about: str) -> str:
        """The browser, when the form is one that we showed it. Raises LinkStopped."""
        browser = self._browser(request)
        given = form.get("token", "")
        if not browser or not hmac.compare_digest(_token(browser, purpose, about).encode(), given.encode()):
            raise LinkStopped(problems.no_cookie(self._slash))
        return browser


Door = Callable[[LinkDoors], Callable[[web.Request], Awaitable[web.Response]]]
ROUTES: tuple[tuple[str, str, Door], ...] = (
    ("GET", LINK_PATH, lambda doors: doors.ask),
    ("POST", LINK_PATH, lambda doors: doors.begin),
    ("GET", CALLBACK_PATH, lambda doors: doors.returned),
    ("GET", CONFIRM_PATH, lambda doors: doors.shown),
    ("POST", CONFIRM_PATH, lambda doors: doors.confirm),
    ("GET", SIGN_IN_PATH, lambda doors: doors.signed_in),
)


def _token(browser: str, purpose: str, about: str) -> str:
    return hmac.new(browser.encode(), f"{purpose} {about}".encode(), hashlib.sha256).hexdigest()


def _query(request: web.Request, name: str, *, limit: int = LARGEST_SECRET) -> str:
    value = request.query.get(name, "")
    return value if len(value) <= limit and _is_plain(value) else ""


async def _form(request: web.Request) -> dict[str, str]:
    """Single values of a posted form; raises Unreadable."""
    raw = await read_body(request)
    try:
        fields = parse_qs(raw.decode("ascii"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        raise Unreadable(400, "not_a_form", "This is not a form of ours.") from None
    last = {name: values[-1][:LARGEST_SECRET] for name, values in fields.items()}
    return {name: value for name, value in last.items() if _is_plain(value)}


def _is_plain(value: str) -> bool:
    """What ours, PagerDuty's and Slack's codes are made of; PostgreSQL takes no NUL, not even to look for."""
    return value.isascii() and value.isprintable()


def _page(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html", headers=HEADERS)


def _see(url: str) -> web.Response:
    """303: what comes next is a GET, whatever this was."""
    return web.Response(status=303, headers={**HEADERS, "Location": url})


def _confirm_url(link_id: str) -> str:
    return f"{CONFIRM_PATH}?{urlencode({'id': link_id})}"
