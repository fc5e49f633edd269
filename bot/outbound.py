"""The connections we open to Slack and to PagerDuty: TLS 1.2 or newer, and a certificate that is checked.

Every session over which a token or key travels is opened here. No setting weakens it: what this machine
trusts (its own store of authorities, or the file that SSL_CERT_FILE names) is all that can be chosen, so that
a company's own proxy can be trusted and nothing else be passed over. PagerDuty speaks TLS 1.2 and 1.3 ("REST
API Overview" in its REST pages).
"""

from __future__ import annotations

import ssl

import aiohttp

MOST_CONNECTIONS = 100
CALL_SECONDS = 60.0  # for a call that brings no timeout of its own


def tls() -> ssl.SSLContext:
    """Certificate and host name are checked; the oldest version is ours, whatever OpenSSL is configured to
    allow.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def open_session(
    *,
    timeout: aiohttp.ClientTimeout | None = None,
    connections: int = MOST_CONNECTIONS,
    trust_env: bool = False,
) -> aiohttp.ClientSession:
    """A session that the caller closes. Call inside the running loop.

    `trust_env` lets HTTPS_PROXY and NO_PROXY count. Cookies are not kept: everybody's calls go through it.
    """
    return aiohttp.ClientSession(
        timeout=timeout or aiohttp.ClientTimeout(total=CALL_SECONDS),
        connector=aiohttp.TCPConnector(limit=connections, ssl=tls()),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=trust_env,
    )
