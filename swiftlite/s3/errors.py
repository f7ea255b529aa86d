"""What S3 refuses by itself; codes.py says how every refusal is spelled on the wire.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.errors import Refused
from swiftlite.catalog.rows import Version


class ProtocolRefused(Refused):
    """The request breaks a rule of the S3 protocol."""


# -- who asks ------------------------------------------------------------------------------------


class AccessDenied(ProtocolRefused):
    """{reason}"""

    rule: str = "request"  # what refused it: see `access.decide`


class SignatureDoesNotMatch(ProtocolRefused):
    """The request signature we calculated does not match the signature you provided. Check your \
key and signing method."""


class InvalidAccessKeyId(ProtocolRefused):
    """The access key id you provided does not exist in our records."""


class RequestTimeTooSkewed(ProtocolRefused):
    """The difference between the request time and the server's time is too large."""


class AuthorizationHeaderMalformed(ProtocolRefused):
    """The authorization header is malformed; {reason}."""


class AuthorizationQueryParametersError(ProtocolRefused):
    """{reason}"""


# -- what is asked -------------------------------------------------------------------------------


class InvalidURI(ProtocolRefused):
    """The specified URI couldn't be parsed."""


class MethodNotAllowedHere(ProtocolRefused):
    """The specified method is not allowed against this resource."""

    allow: str


class MalformedXML(ProtocolRefused):
    """The XML you provided was not well-formed or did not validate against our published schema."""


class InvalidRange(ProtocolRefused):
    """The requested range is not satisfiable."""

    size: int


class InvalidPartNumberHere(ProtocolRefused):
    """The requested partnumber is not satisfiable."""


class InvalidLocationConstraint(ProtocolRefused):
    """The specified location-constraint is not valid."""


class NoSuchConfiguration(ProtocolRefused):
    """The configuration {name} does not exist."""

    code: str


class NotModified(ProtocolRefused):
    """Not Modified."""

    version: Version


class ExpiredRequest(ProtocolRefused):
    """Request has expired"""


# -- its body ------------------------------------------------------------------------------------


class MissingContentLength(ProtocolRefused):
    """You must provide the Content-Length HTTP header."""


class RequestBodyTooLarge(ProtocolRefused):
    """The request's document is larger than {limit} bytes."""


class MissingRequestBody(ProtocolRefused):
    """Request body is empty."""


class InvalidDigest(ProtocolRefused):
    """The Content-MD5 you specified was invalid."""


class PayloadHashMismatch(ProtocolRefused):
    """The provided 'x-amz-content-sha256' header does not match what was computed."""


class MalformedTrailer(ProtocolRefused):
    """The request contained trailing data that was not well-formed or did not conform to our \
published schema."""


class MalformedChunk(ProtocolRefused):
    """The aws-chunked body is malformed: {reason}."""
