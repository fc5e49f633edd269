"""Pagerline: PagerDuty from Slack. One way round:

             Slack ──► inbound/slack ──► command/run ──► commands/*  ──► pagerduty/
                                              │                              │ (what PagerDuty answered)
 PagerDuty ──► inbound/pagerduty ─────────────┴──► store/  ◄─────────────────┘
                                                     │   what does a message not show yet?
                    Slack ◄── delivery/  ◄── render/ ◄┘

A webhook, a slash command, a button and the sweep all end in the same act: save a newer incident. Only
`delivery/` writes living messages, by asking the
database one question: which message does not yet show what is true? Answers to the person who acted go
through `slack/`.
"""
