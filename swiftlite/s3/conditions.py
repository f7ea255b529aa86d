"""Conditions on reading: which of If-Match and its like decides, and what it says.

Source: RFC 9110, 13.2.2; S3's GetObject and CopyObject ("Conditional requests").
Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping

from swiftlite.catalog.rows import Version
from swiftlite.errors import PreconditionFailed
from swiftlite.http.times import s_from_http
from swiftlite.s3.errors import NotModified
from swiftlite.s3.headers import etag_of, etags


def check_read(headers: Mapping[str, str], version: Version) -> None:
    """Return if the version may be sent.

    If-Match, where it is there, overrules If-Unmodified-Since, and If-None-Match overrules
    If-Modified-Since. A date that cannot be read counts as not there.
    Raises:  PreconditionFailed, NotModified.
    """
    _check_match(headers, version, "if-match", "if-unmodified-since")
    if _is_unchanged(headers, version, "if-none-match", "if-modified-since"):
        raise NotModified(version=version)


def takes_range(headers: Mapping[str, str], version: Version) -> bool:
    """Return whether Range counts: not where If-Range says that the client's part is of another.

    The whole is sent then; a part of it would be joined to bytes that it does not belong to.
    Source:  RFC 9110, 13.1.5.
    """
    validator = headers.get("if-range")
    if validator is None:
        return True
    if validator.startswith(('"', "W/")):
        return validator == f'"{etag_of(version)}"'
    return s_from_http(validator) == version.modified_us // 1_000_000


def check_source(headers: Mapping[str, str], version: Version) -> None:
    """Return if the version may be copied.

    Raises:  PreconditionFailed.
    """
    prefix = "x-amz-copy-source-"
    _check_match(headers, version, prefix + "if-match", prefix + "if-unmodified-since")
    if _is_unchanged(headers, version, prefix + "if-none-match", prefix + "if-modified-since"):
        raise PreconditionFailed(condition=prefix + "If-None-Match")


def _check_match(headers: Mapping[str, str], version: Version, match: str, unmodified: str) -> None:
    if match in headers:
        if not _matches(headers[match], version):
            raise PreconditionFailed(condition=match.title())
    elif unmodified in headers:
        since_s = s_from_http(headers[unmodified])
        if since_s is not None and version.modified_us // 1_000_000 > since_s:
            raise PreconditionFailed(condition=unmodified.title())


def _is_unchanged(
    headers: Mapping[str, str], version: Version, none_match: str, modified: str
) -> bool:
    if none_match in headers:
        return _matches(headers[none_match], version)
    if modified in headers:
        since_s = s_from_http(headers[modified])
        return since_s is not None and version.modified_us // 1_000_000 <= since_s
    return False


def _matches(value: str, version: Version) -> bool:
    wanted = etags(value)
    return "*" in wanted or version.etag in wanted
