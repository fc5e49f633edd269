"""What stands for a path in logs, metrics and the audit: PagerDuty's own words, and nothing else.

An id, a name or whatever else a person puts into a path must not become a label: labels are few, and go to
whoever reads /metrics. Where an id stands cannot be told by its place (`/incidents/{id}/notes`, but
`/audit/records`), so the words are listed; a test holds the list against PagerDuty's published contract.
"""

from __future__ import annotations

MOST_PARTS = 8
_LISTED = """
    abilities accept accepted_rules account_subscription actions active addons alert_grouping_settings
    alerts all analytics associate associations audit automation_actions business_services
    cache_variables cancel change_events change_tags channel connections contact_methods convert count
    counts credentials custom_fields custom_shifts data default disassociate dismiss enable enablements
    enrichment escalation_policies event_enrichments event_orchestrations events extension_schemas
    extensions features field_options fields global impactors impacts incident_workflows incidents
    instances integrations invocations ip_allow_lists license license_allocations licenses log_entries
    maintenance_windows me members memories merge metrics migration notes notification_rules
    notification_subscriptions notifications oauth_clients oauth_delegations
    oncall_handoff_notification_rules oncalls outlier_incident overrides past_incidents
    paused_incident_reports pd_advance_usage ping post_updates postmortem posts preview priorities
    priority_thresholds query raw recommendations records regenerate_private_url_key
    related_change_events related_incidents render responder_requests responders responses
    revocation_requests rotations router rules rulesets runners schedules schemas scores
    service_dependencies service_impacts servicenow services session_configurations sessions severities
    snooze sre_agent standards status status_dashboards status_pages status_update_notification_rules
    status_updates statuses subscribers subscriptions supporting_services tables tags teams
    technical_services templates test triggers types unrouted unsubscribe url_slugs users v3 values
    vendors webhook_subscriptions workflows
"""
WORDS = frozenset(_LISTED.split())


def path_template(path: str) -> str:
    """`/incidents/Q1/notes?limit=1` → `/incidents/{id}/notes`."""
    parts = path.partition("?")[0].strip("/").split("/")
    shown = [part if part in WORDS else "{id}" for part in parts[:MOST_PARTS]]
    return "/" + "/".join(shown + ["…"] * (len(parts) > MOST_PARTS))
