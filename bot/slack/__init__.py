"""Slack's side: one client session, Slack's error codes turned into our few kinds."""
