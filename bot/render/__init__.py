"""Values in, Block Kit out. Pure: no I/O, no clock; escaping and Slack's block limits live here and nowhere
else.
"""
