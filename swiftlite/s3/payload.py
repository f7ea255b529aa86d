"""Payload: a request's body, taken off the wire, unframed, bounded and held to its promises."""

from __future__ import annotations

from collections.abc import Mapping

from swiftlite.errors import EntityTooLarge, InvalidArgument, InvalidRequest, NotImplementedHere
from swiftlite.gateway.digests import Digests
from swiftlite.http.errors import IncompleteBody
from swiftlite.http.incoming import Incoming
from swiftlite.s3.authenticate import Caller
from swiftlite.s3.checksums import Promise, declared_trailers, promise_of
from swiftlite.s3.chunked import ChunkDecoder
from swiftlite.s3.errors import MissingContentLength, RequestBodyTooLarge
from swiftlite.s3.request import Request, number
from swiftlite.s3.sigv4 import (
    STREAMING,
    STREAMING_SIGNED,
    STREAMING_SIGNED_TRAILER,
    STREAMING_UNSIGNED_TRAILER,
)

PUT_SIZE_MAX = 5 << 30
_SIZE_MAX = 10**19


class Payload:
    """A body on its way to the gateway, as its port `Body` describes it."""

    def __init__(
        self,
        incoming: Incoming,
        promise: Promise,
        *,
        size: int | None,
        decoder: ChunkDecoder | None = None,
        limit: int = PUT_SIZE_MAX,
    ) -> None:
        self.size = size
        self.algorithms = promise.algorithms
        self._incoming = incoming
        self._promise = promise
        self._decoder = decoder
        self._limit = limit
        self._seen = 0

    async def read(self) -> bytes:
        """Return the next plain bytes, b"" at the end.

        Raises:  Refused if the client broke its word, EntityTooLarge.
        """
        while True:
            data = await self._incoming.read()
            if self._decoder is not None:
                if not data:
                    self._decoder.finish()
                    return b""
                pieces = self._decoder.feed(data)
                data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                if not data:
                    continue
            self._seen += len(data)
            if self._seen > self._limit:
                raise EntityTooLarge(size=self._seen, limit=self._limit)
            if not data and self.size is not None and self._seen != self.size:
                raise IncompleteBody()
            return data

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        """Return the checksums to store, if the body is what was promised.

        Raises:  BadDigest, PayloadHashMismatch, MalformedTrailer.
        """
        trailers = self._decoder.trailers if self._decoder is not None else {}
        return self._promise.check(digests, trailers)


def payload_of(
    request: Request, incoming: Incoming, caller: Caller, *, default_checksum: str
) -> Payload:
    """Return the body of a PutObject or UploadPart.

    Raises:  MissingContentLength, EntityTooLarge, InvalidArgument, InvalidRequest, InvalidDigest,
             NotImplementedHere.
    """
    promise = promise_of(request, caller.payload_hash, default=default_checksum)
    coding = caller.payload_hash
    if coding in STREAMING:
        size = _decoded_length(request)
        trailers = declared_trailers(request.headers)
        if coding == STREAMING_SIGNED and trailers:
            raise InvalidRequest(reason=f"{STREAMING_SIGNED} has no trailers")
        signer = None
        if coding != STREAMING_UNSIGNED_TRAILER:
            if caller.signer is None:
                raise InvalidRequest(reason="Chunks are signed with the key of the Authorization")
            signer = caller.signer()
        decoder = ChunkDecoder(
            size=size,
            signer=signer,
            declared=trailers,
            signed_end=coding == STREAMING_SIGNED_TRAILER,
        )
        return Payload(incoming, promise, size=size, decoder=decoder)
    if _is_aws_chunked(request):
        raise NotImplementedHere(
            feature="Content-Encoding: aws-chunked without a STREAMING payload"
        )
    if promise.trailer:
        raise InvalidRequest(reason="x-amz-trailer needs a STREAMING payload")
    if incoming.length is None and not incoming.is_chunked:
        raise MissingContentLength()
    if incoming.length is not None and incoming.length > PUT_SIZE_MAX:
        raise EntityTooLarge(size=incoming.length, limit=PUT_SIZE_MAX)
    return Payload(incoming, promise, size=incoming.length)


async def document_of(
    request: Request,
    incoming: Incoming,
    caller: Caller,
    *,
    limit: int,
    must_promise: bool = False,
    has_checksum: bool = True,
) -> bytes:
    """Return a request's whole document, b"" where there is none.

    must_promise: S3 demands Content-MD5 or a checksum for this operation. has_checksum: False where
    x-amz-checksum-* speak of an object and not of the document.
    Raises:  RequestBodyTooLarge, BadDigest, InvalidRequest, IncompleteBody.
    """
    if caller.payload_hash in STREAMING:
        raise InvalidRequest(reason=f"{caller.payload_hash} is for PutObject and UploadPart only")
    promise = promise_of(request, caller.payload_hash, is_of_body=has_checksum)
    if must_promise and promise.md5 is None and promise.value is None:
        raise InvalidRequest(
            reason="Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        )
    if incoming.length is not None and incoming.length > limit:
        raise RequestBodyTooLarge(limit=limit)
    digests = Digests(promise.algorithms)
    document = bytearray()
    body = Payload(incoming, promise, size=incoming.length, limit=limit)
    while True:
        try:
            data = await body.read()
        except EntityTooLarge:
            raise RequestBodyTooLarge(limit=limit) from None
        if not data:
            break
        digests.update(data)
        document += data
    body.check(digests.result())
    return bytes(document)


def _decoded_length(request: Request) -> int:
    text = request.headers.get("x-amz-decoded-content-length")
    if text is None:
        raise MissingContentLength()
    size = number(text, low=0, high=_SIZE_MAX)
    if size is None:
        raise InvalidArgument(
            argument="x-amz-decoded-content-length",
            value=text[:64],
            reason="x-amz-decoded-content-length must be a number",
        )
    if size > PUT_SIZE_MAX:
        raise EntityTooLarge(size=size, limit=PUT_SIZE_MAX)
    return size


def _is_aws_chunked(request: Request) -> bool:
    codings = request.headers.get("content-encoding")
    if codings is None:
        return False
    return any(coding.strip() == "aws-chunked" for coding in codings.lower().split(","))
