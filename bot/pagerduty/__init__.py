"""PagerDuty's side: the one HTTP client, what its answers mean, names turned into things. The only place that
speaks PagerDuty's JSON.
"""
