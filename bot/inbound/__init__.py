"""The doors: what Slack and PagerDuty send us, answered at once and handed on."""
