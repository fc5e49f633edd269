"""Values in, Block Kit out. Pure: no I/O, no clock; escaping and Slack's block limits live here and nowhere
else.

    text · blocks · limits      outside text made safe · the parts · everything within Slack's limits
    incident · controls · summary · thread   the living message: lines, buttons, plain words, thread lines
    forms · dialogs             the form a declaration yields and the way back · modals that are no form
    lists · card · pickers      pages of incidents · one in full, its notes · questions instead of guesses
    oncall · subscribing · help · outcomes · problems   answers, and what is said when something fails

Living messages are a `limits.Rendered` (with its hash); answers to a person are a `declaration.Reply`.
"""
