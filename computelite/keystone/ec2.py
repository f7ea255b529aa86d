"""Access keys checked for other services: /v3/ec2tokens and /v3/s3tokens.

Only a service or an admin may ask. What comes of /v3/ec2tokens is a token that Keystone itself
refuses, but to tell whose it is; what comes of /v3/s3tokens is no token, only whose key it was.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from computelite.api.errors import BadRequest
from computelite.api.request import checked
from computelite.api.routing import Route
from computelite.identity.commands.access_keys import secret_of
from computelite.identity.keys import id_key
from computelite.identity.login.errors import LoginRefused
from computelite.identity.login.login import Issued
from computelite.identity.rows import AccessKey, User
from computelite.keystone.auth import token_reply
from computelite.keystone.call import Call
from computelite.keystone.ec2_signature import Ec2Request, S3Request, check_ec2, check_s3
from computelite.keystone.permit import permit
from computelite.secret import Secret
from swiftlite.http.replies import Reply

R = TypeVar("R", bound=msgspec.Struct)


async def ec2_tokens(call: Call) -> Reply:
    """POST /v3/ec2tokens"""
    permit(call)
    asked = _asked(call, Ec2Request)
    key, secret = await _key(call, asked.access)
    check_ec2(asked, secret, now_us=call.clock.now_us())
    issued = await _issued(call, key)
    return await token_reply(call, issued.known, issued.text.reveal(), 200)


async def s3_tokens(call: Call) -> Reply:
    """POST /v3/s3tokens"""
    permit(call)
    asked = _asked(call, S3Request)
    key, secret = await _key(call, asked.access)
    check_s3(asked, secret, now_us=call.clock.now_us())
    issued = await _issued(call, key)
    return await token_reply(call, issued.known, "", 200)


def _asked(call: Call, shape: type[R]) -> R:
    for name in ("credentials", "credential", "ec2Credentials"):
        found: Any = call.body.get(name)
        if found:
            return checked(found, shape, at=name)
    raise BadRequest(reason="Expecting to find credentials in the body.")


async def _key(call: Call, key_id: str) -> tuple[AccessKey, Secret]:
    """Return a key that may stand for its owner, and its secret. Raises LoginRefused."""
    key = await call.log.get("access_key", id_key(key_id))
    if not isinstance(key, AccessKey) or not key.enabled:
        raise LoginRefused()
    if key.bucket is not None or key.read_only:
        raise LoginRefused()  # a token would not keep within those limits
    return key, secret_of(key, call.keystore)


async def _issued(call: Call, key: AccessKey) -> Issued:
    user = await call.log.get("user", id_key(key.user_id))
    if not isinstance(user, User):
        raise LoginRefused()
    issued = await call.service.login.for_key(user, key.project_id, key.application_credential_id)
    call.issued = issued.known.caller
    return issued


ROUTES = (
    Route("POST", "/v3/ec2tokens", ec2_tokens, "ec2_authenticate"),
    Route("POST", "/v3/s3tokens", s3_tokens, "s3_authenticate"),
)
