"""Who somebody is in PagerDuty, and a client that acts as them.

members.py: who is answered at all · by_email.py, by_link.py: the two modes · acting.py: what they share ·
linking.py: how a link is made · tokens.py: what it acts by, and how it ends · keeping_fresh.py: while away.
Only this package and bot/pagerduty/http.py ever hold a token.
"""
