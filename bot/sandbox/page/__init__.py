"""The page for a person: both fakes in a browser, live. No framework, no assets from elsewhere.

    site ─┬─ view      what it draws            ┬─ stream   when to look again
          ├─ acts      what is pressed ─► story ─► telling: the session as a test
          ├─ trouble   what is broken on purpose ─► strip, truth: what the bot does about it, in words
          └─ wire      raw HTTP both ways, secrets masked

`static/` is what the browser runs.
"""
