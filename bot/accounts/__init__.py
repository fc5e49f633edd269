"""Who somebody is in PagerDuty, and a client that acts as them.

members.py: who is answered at all · by_email.py, by_link.py: the two modes · acting.py: what they share.
Only this package and bot/pagerduty/http.py ever hold a token.
"""
