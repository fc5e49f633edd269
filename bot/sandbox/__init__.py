"""A small world to try the bot in: a fake Slack, a fake PagerDuty, and a page for the person in between.

Everything runs over real HTTP with real signatures. One store, four doors each: the API the bot calls, the
signed deliveries to the bot, the page for a person, and `/control` for tests::

    page ──► fake Slack ──signed──► the bot ──REST──► fake PagerDuty ◄── /control
                ▲                    │  ▲                    │
                └──── Web API ───────┘  └─── signed webhooks ┘

`world.py` says who and what exists; `slack/` and `pagerduty/` are programs with state that start from it.
Nothing here imports the rest of the bot, so that a fake cannot share its mistakes.
"""
