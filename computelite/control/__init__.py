"""Operators' requests: what they are, and how they reach the running cloud."""
