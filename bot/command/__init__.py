"""From words, presses and forms to a handler and its reply: one path for all of them (run.py)."""
