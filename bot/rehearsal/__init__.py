"""Game day: a rehearsal against the running bot, the real Slack and the real PagerDuty.

`bot/cli/gameday.py` asks, everything here acts:

    ground      what must hold before anything happens, or it is refused
    stage       the test service in PagerDuty: incidents opened, acted on, and cleaned up in every ending
    view        the channel as people see it, read from Slack
    watching    waiting for something to be seen, and how long that took (budgets, report)
    outage · storm · limited · away    the scenarios
    day         one run of one of them, from the claim to the cleaning up

It learns nothing from the bot itself: what counts is what stands in the channel. The bot's part, PagerDuty
taken for away, is bot/delivery/rehearsed.py.
"""
