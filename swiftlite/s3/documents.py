"""Documents that clients send: what they mean, or MalformedXML.

Pure: no clock, no IO.
"""

from __future__ import annotations

import msgspec

from swiftlite.catalog.limits import PART_NUMBER_MAX
from swiftlite.catalog.uploads import PartClaim
from swiftlite.errors import InvalidArgument
from swiftlite.s3.checksums import ALGORITHMS
from swiftlite.s3.errors import MalformedXML
from swiftlite.s3.headers import etag
from swiftlite.s3.request import number
from swiftlite.s3.xml import Element, parse

DELETE_KEYS_MAX = 1000


class Doomed(msgspec.Struct, frozen=True):
    """One entry of a DeleteObjects request. `version_id` None: the key itself."""

    key: str
    version_id: str | None = None
    etag: str | None = None


def deletion(document: bytes) -> tuple[list[Doomed], bool]:
    """Return what a Delete document names, and whether it wants to be told of failures only.

    Raises:  MalformedXML, also for no keys or more than DELETE_KEYS_MAX.
    """
    root = parse(document, "Delete")
    doomed = [_doomed(child) for child in root.children if child.name == "Object"]
    if not 1 <= len(doomed) <= DELETE_KEYS_MAX:
        raise MalformedXML()
    return doomed, _boolean(root.child("Quiet"))


def completion(document: bytes) -> list[PartClaim]:
    """Return the parts that a CompleteMultipartUpload document names, in its order.

    Raises:  MalformedXML, InvalidArgument for a part number that there cannot be.
    """
    root = parse(document, "CompleteMultipartUpload")
    parts = [_part(child) for child in root.children if child.name == "Part"]
    if not parts or len(parts) != len(root.children) or len(parts) > PART_NUMBER_MAX:
        raise MalformedXML()
    return parts


def location(document: bytes) -> str:
    """Return the location constraint of a CreateBucketConfiguration document, "" for none.

    Raises:  MalformedXML, also for elements that ask for anything else.
    """
    root = parse(document, "CreateBucketConfiguration")
    if any(child.name != "LocationConstraint" for child in root.children):
        raise MalformedXML()
    return (root.child("LocationConstraint") or "").strip()


def versioning(document: bytes) -> str:
    """Return "enabled" or "suspended" from a VersioningConfiguration document.

    Raises:  MalformedXML.
    """
    root = parse(document, "VersioningConfiguration")
    status = root.required("Status").strip()
    if status not in ("Enabled", "Suspended"):
        raise MalformedXML()
    if (root.child("MfaDelete") or "Disabled").strip() != "Disabled":
        raise MalformedXML()
    return status.lower()


def _doomed(element: Element) -> Doomed:
    names = {child.name for child in element.children}
    if names - {"Key", "VersionId", "ETag"}:
        # LastModifiedTime and Size are conditions of directory buckets: to skip them is to delete
        # what the client wanted to keep.
        raise MalformedXML()
    return Doomed(
        key=element.required("Key"),
        version_id=element.child("VersionId") or None,
        etag=element.child("ETag"),
    )


def _part(element: Element) -> PartClaim:
    text = element.required("PartNumber").strip()
    part_number = number(text, low=1, high=PART_NUMBER_MAX)
    if part_number is None:
        raise InvalidArgument(
            argument="PartNumber",
            value=text[:64],
            reason=f"Part number must be an integer between 1 and {PART_NUMBER_MAX}, inclusive",
        )
    checksums = {}
    for name in ALGORITHMS:
        value = element.child(f"Checksum{name}")
        if value:
            checksums[name] = value.strip()
    return PartClaim(part_number, etag(element.required("ETag")), checksums)


def _boolean(text: str | None) -> bool:
    value = (text or "false").strip().lower()
    if value not in ("true", "false"):
        raise MalformedXML()
    return value == "true"
