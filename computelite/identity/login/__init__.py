"""Logging in: what is shown, how it is checked, and the token that comes of it."""
