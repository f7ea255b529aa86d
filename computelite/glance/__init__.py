"""Glance v2: images over HTTP."""
