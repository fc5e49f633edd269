"""The tests: the same tree as the code, plus samples, golden messages, stories, contracts and the bench."""
