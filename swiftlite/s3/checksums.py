"""What a request promises of its body's checksums, and how the promise is kept.

As S3 does, a whole object uploaded without any checksum gets a CRC64NVME of the server's making.

Source: docs.aws.amazon.com AmazonS3 "Checking object integrity for data uploads", 2025.
Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

import msgspec

from swiftlite.errors import BadDigest, InvalidRequest, NotImplementedHere
from swiftlite.s3.errors import InvalidDigest, MalformedTrailer, PayloadHashMismatch
from swiftlite.s3.names import CHECKSUM
from swiftlite.s3.request import Request

# S3's name -> our digest's name and its size in bytes.
ALGORITHMS = {
    "CRC32": ("crc32", 4),
    "CRC32C": ("crc32c", 4),
    "CRC64NVME": ("crc64nvme", 8),
    "SHA1": ("sha1", 20),
    "SHA256": ("sha256", 32),
}
DEFAULT = "CRC64NVME"
_UNKNOWN_HERE = frozenset({"SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"})
FULL_OBJECT = "FULL_OBJECT"
COMPOSITE = "COMPOSITE"


class Promise(msgspec.Struct, frozen=True):
    """What the bytes of one body must turn out to be.

    `algorithm` is S3's name of the checksum to store; `value` what it must be, None where a
    trailer says so or nothing does (`trailer` tells which).
    """

    algorithm: str
    value: str | None = None
    trailer: bool = False
    md5: bytes | None = None
    sha256: bytes | None = None

    @property
    def algorithms(self) -> frozenset[str]:
        """The digests to compute beside MD5."""
        mine = ALGORITHMS[self.algorithm][0]
        return frozenset({mine} if self.sha256 is None else {mine, "sha256"})

    def check(self, digests: Mapping[str, bytes], trailers: Mapping[str, str]) -> dict[str, str]:
        """Return the checksum to store, if the body is what was promised.

        Raises:  BadDigest, PayloadHashMismatch, MalformedTrailer.
        """
        if self.sha256 is not None and not hmac.compare_digest(digests["sha256"], self.sha256):
            raise PayloadHashMismatch()
        if self.md5 is not None and digests["md5"] != self.md5:
            raise BadDigest(algorithm="Content-MD5")
        name, _ = ALGORITHMS[self.algorithm]
        computed = base64.b64encode(digests[name]).decode()
        promised = self.value
        if self.trailer:
            promised = trailers.get(CHECKSUM + self.algorithm.lower())
            if promised is None:
                raise MalformedTrailer()
            _check_shape(self.algorithm, promised)
        if promised is not None and promised != computed:
            raise BadDigest(algorithm=self.algorithm)
        return {self.algorithm: computed}


def promise_of(
    request: Request, payload_hash: str, *, default: str = DEFAULT, is_of_body: bool = True
) -> Promise:
    """Return what the headers promise of the body; without a checksum, `default` is computed.

    is_of_body: False where x-amz-checksum-* speak of something else than this body.

    Raises:  InvalidDigest, InvalidRequest, NotImplementedHere.
    """
    headers = request.headers
    if not is_of_body:
        sha256 = bytes.fromhex(payload_hash) if len(payload_hash) == 64 else None
        return Promise(algorithm=default, md5=_md5(headers.get("content-md5")), sha256=sha256)
    algorithm, value = checksum_header(request)
    trailer = trailer_algorithm(headers) if "x-amz-trailer" in headers else None
    if trailer is not None:
        if algorithm is not None:
            raise InvalidRequest(reason="Expecting a single x-amz-checksum- header")
        algorithm = trailer
    stated = headers.get("x-amz-sdk-checksum-algorithm")
    if stated is not None:
        known = known_algorithm(stated, "x-amz-sdk-checksum-algorithm")
        if algorithm is None:
            raise InvalidRequest(
                reason="x-amz-sdk-checksum-algorithm specified, but no corresponding "
                "x-amz-checksum-* or x-amz-trailer headers were found"
            )
        if known != algorithm:
            raise InvalidRequest(reason="Value for x-amz-sdk-checksum-algorithm header is invalid")
    return Promise(
        algorithm=algorithm or default,
        value=value,
        trailer=trailer is not None,
        md5=_md5(headers.get("content-md5")),
        sha256=bytes.fromhex(payload_hash) if len(payload_hash) == 64 else None,
    )


def checksum_header(request: Request) -> tuple[str | None, str | None]:
    """Return the algorithm and value of the one x-amz-checksum-* header, or two Nones.

    Raises:  InvalidRequest, NotImplementedHere.
    """
    names = request.names.checksums
    if not names:
        return None, None
    if len(names) > 1:
        raise InvalidRequest(
            reason="Expecting a single x-amz-checksum- header. Multiple checksum Types are "
            "not allowed"
        )
    (name,) = names
    value = request.headers[name]
    algorithm = known_algorithm(name[len(CHECKSUM) :], name)
    _check_shape(algorithm, value)
    return algorithm, value


def trailer_algorithm(headers: Mapping[str, str]) -> str | None:
    """Return the algorithm that x-amz-trailer announces, or None.

    Raises:  InvalidRequest where it announces anything else.
    """
    names = declared_trailers(headers)
    if not names:
        return None
    if len(names) > 1 or not names[0].startswith(CHECKSUM):
        raise InvalidRequest(
            reason="The value specified in the x-amz-trailer header is not supported"
        )
    return known_algorithm(names[0][len(CHECKSUM) :], "x-amz-trailer")


def declared_trailers(headers: Mapping[str, str]) -> list[str]:
    """Return the names in x-amz-trailer, in lower case."""
    names = headers.get("x-amz-trailer", "").split(",")
    return [name.strip().lower() for name in names if name.strip()]


def known_algorithm(text: str, header: str) -> str:
    """Return S3's name of the algorithm.

    Raises:  InvalidRequest for none of S3's, NotImplementedHere for one that is not here.
    """
    name = text.strip().upper()
    if name in ALGORITHMS:
        return name
    if name in _UNKNOWN_HERE:
        raise NotImplementedHere(feature=f"The checksum algorithm {name}")
    raise InvalidRequest(reason=f"Value for {header} header is invalid")


def checksum_type(text: str) -> str:
    """Return COMPOSITE or FULL_OBJECT.

    Raises:  InvalidRequest.
    """
    name = text.strip().upper()
    if name not in (COMPOSITE, FULL_OBJECT):
        raise InvalidRequest(reason="Value for x-amz-checksum-type header is invalid")
    return name


def response_headers(checksums: Mapping[str, str] | None, kind: str) -> dict[str, str]:
    """Return the headers that tell a client an object's checksums."""
    if not checksums:
        return {}
    headers = {CHECKSUM + name.lower(): value for name, value in checksums.items()}
    if kind:
        headers["x-amz-checksum-type"] = kind
    return headers


def _check_shape(algorithm: str, value: str) -> None:
    try:
        raw = base64.b64decode(value.encode(), validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != ALGORITHMS[algorithm][1]:
        raise InvalidRequest(
            reason=f"Value for x-amz-checksum-{algorithm.lower()} header is invalid"
        )


def _md5(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        raw = base64.b64decode(text.encode(), validate=True)
    except (ValueError, binascii.Error):
        raise InvalidDigest() from None
    if len(raw) != 16:
        raise InvalidDigest()
    return raw
