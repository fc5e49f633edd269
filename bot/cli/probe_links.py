"""`check`, how people act: by their own linked PagerDuty accounts, or matched by e-mail address; what each
needs, and what the latter cannot promise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from bot.accounts.linking import CALLBACK_PATH
from bot.cli.findings import Finding, failure, ok, unknown, warning
from bot.pagerduty.oauth import ALWAYS, Kind
from bot.settings import Settings, is_outside
from bot.store.database import Database
from bot.store.keyfile import path_beside
from bot.store.link_tally import LinkTally, granted_scopes, tally_links
from bot.store.sealing import Sealer

WHERE = "Integrations → Developer Tools → App Registration"
DAY = 86_400.0  # seconds
SOON = 7 * DAY
# A refresh token ends when it was not used for so long (PagerDuty's OAuth pages); told a week before.
IDLE = {"scoped": 30 * DAY - SOON, "classic": 210 * DAY - SOON}


async def look(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """Reads only: one GET to PagerDuty's sign-in."""
    if not settings.links_people:
        if settings.pagerduty_client_secret is not None:
            yield warning(
                "People",
                "PAGERDUTY_CLIENT_SECRET is set without PAGERDUTY_CLIENT_ID: people are matched by e-mail",
                "Set both to let everyone link their own account, or remove the secret.",
            )
        yield by_email()
        return
    yield ok(
        "People",
        f"link their own PagerDuty accounts ({settings.pagerduty_oauth} OAuth) and act by their own tokens: "
        "PagerDuty enforces their roles",
    )
    if settings.pagerduty_client_secret is None:
        yield failure(
            "PagerDuty app",
            "PAGERDUTY_CLIENT_ID is set without PAGERDUTY_CLIENT_SECRET",
            f"Copy the client secret from {WHERE}; make a new one if it is lost.",
        )
    yield redirect(settings.public_url)
    yield await sign_in_page(settings.identity_url, session)
    if not settings.admins and not settings.installs:
        yield warning(
            "Approval",
            "nobody can confirm a link where the e-mail addresses in Slack and PagerDuty differ: such "
            "people cannot link",
            "Name who runs the bot in ADMINS, or set SLACK_CLIENT_ID for Sign in with Slack.",
        )


def by_email() -> Finding:
    """What matching people by e-mail cannot promise."""
    return ok(
        "People",
        "matched by the e-mail Slack has confirmed; acts carry their name but use the account key, so "
        "PagerDuty does not enforce their own role (observers and read-only roles are refused here)",
    )


def redirect(public_url: str | None) -> Finding:
    """Where PagerDuty sends browsers back to. It must be registered to the letter; nothing can look it up."""
    what = "Redirect URL"
    if not public_url:
        return failure(
            what,
            "PUBLIC_URL is not set, so PagerDuty cannot send browsers back",
            "Set it to where the bot is reached by HTTPS, e.g. https://pager.example.com.",
        )
    url = public_url.rstrip("/") + CALLBACK_PATH
    if not is_outside(public_url) or not public_url.startswith("https://"):
        return warning(
            what,
            f"{url} leads to this machine only: nobody else's browser comes back",
            "Set PUBLIC_URL to where the bot is reached by HTTPS; browsers carry tokens' codes there.",
        )
    return ok(what, f"register exactly {url} with your PagerDuty app ({WHERE})")


async def sign_in_page(identity_url: str, session: aiohttp.ClientSession) -> Finding:
    """Whether PagerDuty's identity host answers at all; client id and secret are proven by the first link."""
    what = "PagerDuty sign-in"
    try:
        async with session.get(f"{identity_url}/oauth/authorize", allow_redirects=False) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as problem:
        return unknown(
            what,
            f"{identity_url} did not answer ({type(problem).__name__})",
            "Check that this machine reaches it: codes and tokens are exchanged there.",
        )
    if status >= 500:
        return unknown(what, f"{identity_url} answered {status}", "Look at PagerDuty's status page.")
    return ok(what, f"{identity_url} answers; the first `link` proves the client id and secret")


async def links(
    settings: Settings, database: Database, asked: frozenset[str] = frozenset()
) -> AsyncIterator[Finding]:
    """How many are linked, and whether their tokens carry more than the scopes `asked`; needs a schema
    that is current. Raises StoreUnavailable.
    """
    if settings.links_people:
        if finding := broad_scopes(settings.pagerduty_oauth, asked, await granted_scopes(database)):
            yield finding
        found = await tally_links(
            database, _sealer(settings, database), soon=SOON, idle=IDLE[settings.pagerduty_oauth]
        )
        for finding in told(found, settings.slash_command):
            yield finding


def broad_scopes(kind: Kind, asked: frozenset[str], granted: frozenset[str]) -> Finding | None:
    """None when tokens carry what the commands use; `granted` is what those of the linked carry together."""
    what = "PagerDuty scopes"
    if kind == "classic":
        return warning(
            what,
            "classic OAuth tokens may do whatever their person may, everywhere in PagerDuty",
            f"Register a Scoped OAuth app ({WHERE}) and set PAGERDUTY_OAUTH=scoped, unless people of several "
            "PagerDuty accounts link.",
        )
    beyond = sorted(granted - asked - ALWAYS) if asked else []
    if not beyond:
        return None
    return warning(
        what,
        f"tokens carry more than any command uses: {', '.join(beyond)}",
        f"Take them from the app's permissions ({WHERE}); a token loses them when its person links again.",
    )


def told(found: LinkTally, slash: str) -> list[Finding]:
    """What the numbers mean."""
    what = "Links"
    ended = f", {found.ended} ended" if found.ended else ""
    again = (
        f"They are asked to link again at their next act; `{slash} team-links` shows who is on call of them."
    )
    findings = [ok(what, f"{found.linked} linked{ended}")]
    if found.unreadable:
        findings.append(
            failure(
                what,
                f"no key opens the tokens of {found.unreadable}",
                "Put the key that sealed them back into ENCRYPTION_KEYS, at its end; if it is lost, those "
                f"people type `{slash} link`.",
            )
        )
    if found.fading:
        findings.append(
            warning(what, f"{found.fading} will run out within a week: they were not renewed", again)
        )
    return findings


def _sealer(settings: Settings, database: Database) -> Sealer | None:
    """The keys there are; makes none."""
    keys = [key.get_secret_value() for key in settings.encryption_keys]
    if not keys and database.path is not None and path_beside(database.path).exists():
        keys = [path_beside(database.path).read_text(encoding="ascii").strip()]
    return Sealer(keys) if keys else None
