"""Stories: the real bot against the sandbox's fakes over real HTTP, reading like a user's day."""
