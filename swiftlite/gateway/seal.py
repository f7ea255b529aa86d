"""Seal: the checksum of an upload that is being completed, from those of its parts.

Source: S3 User Guide, "Checking object integrity", multipart uploads (2025-11): COMPOSITE is the
checksum of the parts' checksums with "-N" behind it, FULL_OBJECT that of all bytes.
Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from swiftlite.catalog.rows import Part, Upload
from swiftlite.errors import BadDigest, InvalidRequest
from swiftlite.gateway.crc_combine import COMBINABLE, combined
from swiftlite.gateway.digests import ALGORITHMS, Digests

COMPOSITE = "COMPOSITE"
FULL_OBJECT = "FULL_OBJECT"


def checksum_type(algorithm: str, asked: str) -> str:
    """Return the type of an upload's checksum, given what the client asked for ("" for nothing).

    Raises:  InvalidRequest for a combination that S3 does not have.
    """
    if not algorithm:
        if asked:
            raise InvalidRequest(reason="a checksum type needs a checksum algorithm")
        return ""
    if algorithm.lower() not in ALGORITHMS:
        raise InvalidRequest(reason=f"{algorithm} is not a checksum algorithm")
    kind = asked or (FULL_OBJECT if algorithm == "CRC64NVME" else COMPOSITE)
    if kind not in (COMPOSITE, FULL_OBJECT):
        raise InvalidRequest(reason=f"{kind} is not a checksum type")
    if kind == FULL_OBJECT and algorithm.lower() not in COMBINABLE:
        raise InvalidRequest(reason=f"{algorithm} cannot be of the type {FULL_OBJECT}")
    if kind == COMPOSITE and algorithm == "CRC64NVME":
        raise InvalidRequest(reason=f"{algorithm} cannot be of the type {COMPOSITE}")
    return kind


def sealed(
    upload: Upload, parts: Sequence[Part], *, claimed: Mapping[str, str], size: int | None
) -> tuple[dict[str, str], str]:
    """Return the checksums of the completed object, and their type.

    Shapes:  claimed: what the client says that they are, S3's name -> base64 (with "-N" for
             COMPOSITE, or without); size: what the client says that the object has, if it does.
    Raises:  BadDigest, InvalidRequest if a claim is wrong.
    """
    total = sum(part.size for part in parts)
    if size is not None and size != total:
        raise InvalidRequest(reason=f"the parts have {total} bytes together, not {size}")
    algorithm = upload.checksum_algorithm
    if not algorithm:
        if claimed:
            raise InvalidRequest(reason="the upload was started without a checksum algorithm")
        return {}, ""
    if any(name != algorithm for name in claimed):
        raise InvalidRequest(reason=f"the upload's checksum algorithm is {algorithm}")
    raw = [base64.b64decode(part.checksums[algorithm]) for part in parts]
    if upload.checksum_type == FULL_OBJECT:
        sizes = [part.size for part in parts]
        value = _text(combined(algorithm.lower(), zip(raw, sizes, strict=True)))
        allowed = {value}
    else:
        digests = Digests((algorithm.lower(),))
        digests.update(b"".join(raw))
        bare = _text(digests.result()[algorithm.lower()])
        value = f"{bare}-{len(parts)}"
        allowed = {value, bare}
    if algorithm in claimed and claimed[algorithm] not in allowed:
        raise BadDigest(algorithm=algorithm)
    return {algorithm: value}, upload.checksum_type


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
