"""Who sends a request: the bearer of a token, or nobody that is known.

No other header says who asks: X-User-Id, X-Roles and their like are a client's own words.
"""

from __future__ import annotations

from swiftlite.auth import ANONYMOUS, Principal, TokenAuthenticator
from swiftlite.swift.errors import Denied
from swiftlite.swift.request import Request, is_text

_TOKEN_MAX = 4096


async def authenticate(request: Request, tokens: TokenAuthenticator) -> Principal:
    """Return whom the request's token stands for; without one, it is anonymous.

    Raises:  Denied for a token that is not in force.
    """
    token = request.headers.get("x-auth-token") or request.headers.get("x-storage-token")
    if not token:
        return ANONYMOUS
    found = None
    if len(token) <= _TOKEN_MAX and is_text(token):
        found = await tokens.bearer(token)
    if found is None:
        raise Denied(reason="the token is not in force", rule="token", is_known=False)
    return found
