"""Who sends a request: reads the claim, asks identity for the key, verifies."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from swiftlite.auth import ANONYMOUS, Authenticator, Principal, SigningKey
from swiftlite.errors import InvalidArgument
from swiftlite.s3 import sigv2, sigv4
from swiftlite.s3.chunked import ChunkSigner
from swiftlite.s3.errors import CallerRefused, InvalidAccessKeyId
from swiftlite.s3.request import Request, check_header

_NO_PARAMETERS: frozenset[str] = frozenset()


class Caller(msgspec.Struct, frozen=True):
    """Who sends the request, and how its body is signed."""

    principal: Principal
    payload_hash: str = sigv4.UNSIGNED_PAYLOAD
    signer: Callable[[], ChunkSigner] | None = None
    signed_by: frozenset[str] = _NO_PARAMETERS  # the parameters that carry the signature


_ANONYMOUS = Caller(ANONYMOUS)


async def authenticate(
    request: Request,
    authenticator: Authenticator,
    *,
    region: str,
    now_us: int,
    virtual_bucket: str | None,
) -> Caller:
    """Return who signed the request; a request without any signature is anonymous.

    The x-amz-* parameters of a presigned URL, which its signature covers, become headers.
    Raises:  the errors of sigv4 and sigv2, InvalidAccessKeyId, InvalidArgument (two signatures).
    """
    query = request.query
    in_header = "authorization" in request.headers
    if not query:
        if not in_header:
            return _ANONYMOUS
        return await _by_header(request, authenticator, region, now_us)
    is_v4 = "X-Amz-Algorithm" in query or "X-Amz-Signature" in query
    is_v2 = "AWSAccessKeyId" in query or "Signature" in query
    if in_header + is_v4 + is_v2 > 1:
        raise InvalidArgument(
            argument="Authorization",
            value="",
            reason="Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
            "Signature query string parameter or the Authorization header should be specified",
        )
    if in_header:
        return await _by_header(request, authenticator, region, now_us)
    if is_v4:
        return await _by_query(request, authenticator, region, now_us)
    if is_v2:
        key = await _key(authenticator, sigv2.key_id_of(request))
        try:
            sigv2.verify(request, secret=key.secret, now_us=now_us, virtual_bucket=virtual_bucket)
        except CallerRefused as error:
            error.key_id = key.principal.key_id
            raise
        return _hoisted(request, key.principal, sigv2.QUERY_PARAMETERS)
    return _ANONYMOUS


async def _by_header(
    request: Request, authenticator: Authenticator, region: str, now_us: int
) -> Caller:
    claim = sigv4.header_claim(request)
    key = await _key_of(claim, request, authenticator, region, now_us)

    def signer() -> ChunkSigner:
        credential = claim.credential
        return ChunkSigner(
            key=sigv4.signing_key(key.secret, credential.date, credential.region),
            timestamp=claim.timestamp,
            scope=credential.scope,
            seed=claim.signature,
        )

    return Caller(key.principal, claim.payload_hash, signer)


async def _by_query(
    request: Request, authenticator: Authenticator, region: str, now_us: int
) -> Caller:
    claim = sigv4.query_claim(request)
    key = await _key_of(claim, request, authenticator, region, now_us)
    return _hoisted(request, key.principal, sigv4.QUERY_PARAMETERS, claim.payload_hash)


def _hoisted(
    request: Request,
    principal: Principal,
    signed_by: frozenset[str],
    payload_hash: str = sigv4.UNSIGNED_PAYLOAD,
) -> Caller:
    """Return the caller, with the headers that the URL holds put where headers are.

    Raises:  InvalidArgument for what could be no header: it would be stored, and then stand in the
             way of every reply about the object.
    """
    found = [name for name in request.query_headers() if name not in signed_by]
    if found:
        for name in found:
            check_header(name, request.query[name])
        request.add_headers({name.lower(): request.query[name] for name in found})
    return Caller(principal, payload_hash, signed_by=signed_by.union(found))


async def _key_of(
    claim: sigv4.Claim, request: Request, authenticator: Authenticator, region: str, now_us: int
) -> SigningKey:
    """Return the key that signed the request."""
    key = await _key(authenticator, claim.key_id)
    try:
        sigv4.verify(claim, request, secret=key.secret, region=region, now_us=now_us)
    except CallerRefused as error:
        error.key_id = key.principal.key_id
        raise
    return key


async def _key(authenticator: Authenticator, key_id: str) -> SigningKey:
    key = await authenticator.signing_key(key_id)
    if key is None:
        raise InvalidAccessKeyId()
    return key
