"""Bucket names: which ones S3 allows, and which ones are kept for other uses.

Source: S3 User Guide, "General purpose bucket naming rules" (2025-11).
Pure: no clock, no IO.
"""

from __future__ import annotations

import re

from swiftlite.errors import InvalidBucketName

_SHAPE = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_PREFIXES = ("xn--", "sthree-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_PAST = "--at--"  # BUCKET--at--WHEN is a bucket as it was


def check_bucket_name(name: str) -> None:
    """Pass if a bucket may have this name.

    Raises:  InvalidBucketName.
    """
    if not 3 <= len(name) <= 63:
        raise InvalidBucketName(bucket=name, reason="it must have 3 to 63 characters")
    if not _SHAPE.fullmatch(name):
        reason = "lower-case letters, digits, dots and hyphens, with a letter or digit at both ends"
        raise InvalidBucketName(bucket=name, reason=f"it must consist of {reason}")
    if ".." in name:
        raise InvalidBucketName(bucket=name, reason="it has two dots in a row")
    if _ADDRESS.fullmatch(name):
        raise InvalidBucketName(bucket=name, reason="it looks like an IP address")
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            raise InvalidBucketName(bucket=name, reason=f"it begins with {prefix}")
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            raise InvalidBucketName(bucket=name, reason=f"it ends with {suffix}")
    if _PAST in name:
        raise InvalidBucketName(bucket=name, reason=f"it contains {_PAST}")
