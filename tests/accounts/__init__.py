"""bot/accounts: who somebody is in PagerDuty, and acting as them."""
