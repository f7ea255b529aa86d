"""What S3 refuses by itself; codes.py says how every refusal is spelled on the wire.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.errors import Refused
from swiftlite.catalog.rows import Version


class ProtocolRefused(Refused):
    """The request breaks a rule of the S3 protocol."""


# -- who asks ------------------------------------------------------------------------------------


class CallerRefused(ProtocolRefused):
    """The caller may not do this, or is not who they say.

    What the record of the refusal tells beside the message: the rule of `access.decide`, the key
    whose signature it was to be, and what was refused where that is not what the request names.
    """

    rule: str = ""
    key_id: str = ""
    on_bucket: str = ""
    on_key: str = ""


class AccessDenied(CallerRefused):
    """{reason}"""


class SignatureDoesNotMatch(CallerRefused):
    """The request signature we calculated does not match the signature you provided. Check your \
key and signing method."""


class InvalidAccessKeyId(CallerRefused):
    """The access key id you provided does not exist in our records."""


class RequestTimeTooSkewed(CallerRefused):
    """The difference between the request time and the server's time is too large."""


class AuthorizationHeaderMalformed(CallerRefused):
    """The authorization header is malformed; {reason}."""


class AuthorizationQueryParametersError(CallerRefused):
    """{reason}"""


class ExpiredRequest(CallerRefused):
    """Request has expired"""


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
