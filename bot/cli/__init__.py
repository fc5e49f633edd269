"""The verbs of `python -m bot`: one module each, naming the settings it needs (main.py lists them)."""
