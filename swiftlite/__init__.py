"""Bytes: objects on disks that fail."""
