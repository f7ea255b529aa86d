"""Keystone v3 at /identity: who may ask, told as OpenStack's clients expect it."""
