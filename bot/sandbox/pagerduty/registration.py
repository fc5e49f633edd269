"""What is registered as an OAuth app, which scopes exist, and how long its tokens last.

Scoped apps ask per resource and always have a secret; classic ones know `read` and `write`, and may do
without. What is asked beyond that is no error: it is silently left out, as PagerDuty does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Kind = Literal["scoped", "classic"]

# Resource names in plain words, for the consent page: both ways, to read only, to write only.
RESOURCES = {
    "analytics": "analytics",
    "change_events": "change events",
    "custom_fields": "custom fields",
    "escalation_policies": "escalation policies",
    "extensions": "extensions",
    "incident_types": "incident types",
    "incident_workflows": "incident workflows",
    "incidents": "incidents",
    "oauth_delegations": "sign-ins of apps",
    "schedules": "schedules",
    "services": "services",
    "standards": "standards",
    "status_pages": "status pages",
    "subscribers": "who follows status updates",
    "tags": "tags",
    "teams": "teams",
    "templates": "templates",
    "users": "people and their e-mail addresses",
    "users:contact_methods": "how people are reached",
    "users:sessions": "people's sessions",
    "webhook_subscriptions": "webhook subscriptions",
}
READ_ONLY = {
    "abilities": "what your plan includes",
    "audit_records": "audit records",
    "licenses": "licences",
    "oncalls": "who is on call",
    "priorities": "priorities",
    "status_dashboards": "status dashboards",
    "users:notifications": "how people were notified",
    "vendors": "vendors",
}
WRITE_ONLY = {"incident_workflows:instances": "runs of incident workflows"}
WORDS: dict[str, str] = {**RESOURCES, **READ_ONLY, **WRITE_ONLY}
IDENTITY_SCOPE = "openid"
SCOPES: dict[Kind, frozenset[str]] = {
    "scoped": frozenset(
        [
            *(f"{name}.read" for name in (*RESOURCES, *READ_ONLY)),
            *(f"{name}.write" for name in (*RESOURCES, *WRITE_ONLY)),
        ]
    ),
    "classic": frozenset({"read", "write"}),
}
ACCESS_LIFETIME: dict[Kind, timedelta] = {"scoped": timedelta(days=1), "classic": timedelta(days=30)}
REFRESH_LIFETIME: dict[Kind, timedelta] = {"scoped": timedelta(days=30), "classic": timedelta(days=210)}


@dataclass(frozen=True)
class OAuthApp:
    """A registered app. `scopes` are those ticked at its registration; None: every one its kind knows.

    Without a secret it is a public client, which only PKCE proves.
    """

    client_id: str
    client_secret: str | None
    redirect_uris: frozenset[str]
    kind: Kind = "scoped"
    scopes: frozenset[str] | None = None
    name: str = "Pagerline"
    access_lifetime: timedelta | None = None
    refresh_lifetime: timedelta | None = None

    def __post_init__(self) -> None:
        if self.kind == "scoped" and self.client_secret is None:
            raise ValueError("A scoped OAuth app always has a client secret.")

    def granted(self, asked: Iterable[str]) -> frozenset[str]:
        """What comes of the scopes asked for; `openid` always does."""
        known = SCOPES[self.kind] if self.scopes is None else SCOPES[self.kind] & self.scopes
        return frozenset({IDENTITY_SCOPE} | (known & set(asked)))

    def app_token_scopes(self, asked: Iterable[str]) -> frozenset[str]:
        """The same for a token of the app itself, which names the account it is for."""
        wanted = set(asked)
        accounts = {scope for scope in wanted if scope.startswith("as_account-")}
        return (self.granted(wanted) - {IDENTITY_SCOPE}) | accounts

    @property
    def access_lasts(self) -> timedelta:
        return self.access_lifetime or ACCESS_LIFETIME[self.kind]

    @property
    def refresh_lasts(self) -> timedelta:
        return self.refresh_lifetime or REFRESH_LIFETIME[self.kind]
