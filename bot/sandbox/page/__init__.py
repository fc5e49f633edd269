"""The page for a person: both fakes in a browser, live. No framework, no assets from elsewhere.

`site.py` serves it, `view.py` says what it draws, `stream.py` when to look again, `acts.py` does what is
pressed; `static/` is what the browser runs.
"""
