"""Bucket names: which ones S3 and Swift allow, and which ones are kept for other uses.

Source: S3 User Guide, "General purpose bucket naming rules" (2025-11); Swift API guide, "Create
container".
Pure: no clock, no IO.
"""

from __future__ import annotations

import re

from swiftlite.catalog.limits import CONTAINER_NAME_BYTES_MAX
from swiftlite.errors import InvalidBucketName

_SHAPE = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_PREFIXES = ("xn--", "sthree-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_DIRECTORY = "--x-s3"
_PAST = "--at--"  # BUCKET--at--WHEN is a bucket as it was


def check_container_name(name: str) -> None:
    """Pass if a container may have this name: 1 to 256 bytes of UTF-8 without a slash or NUL.

    Raises:  InvalidBucketName.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidBucketName(bucket=ascii(name), reason="it is not Unicode text") from None
    if not name:
        raise InvalidBucketName(bucket=name, reason="it is empty")
    if size > CONTAINER_NAME_BYTES_MAX:
        # These words, since clients of Swift look for them.
        reason = f"Container name length of {size} longer than {CONTAINER_NAME_BYTES_MAX}"
        raise InvalidBucketName(bucket=name, reason=reason)
    if "/" in name or "\0" in name:
        raise InvalidBucketName(bucket=name, reason="it has a slash or a NUL character")
    if _PAST in name or name.endswith(_DIRECTORY):
        reason = f"names with {_PAST}, or with {_DIRECTORY} at the end, are kept for other uses"
        raise InvalidBucketName(bucket=name, reason=reason)


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
