"""The database: what we know of PagerDuty, what Slack shows of it, and what people asked for. The only place
that speaks SQL.
"""
