"""Tokens: revoked."""

from __future__ import annotations

from computelite.identity.events.actors import user_stream
from computelite.identity.events.credentials import TokenRevoked
from computelite.identity.tokens import Token
from eventlog.log import Actor, Log

LATE_S_MAX = 2 * 86_400
"""Seconds after its end that a token can be asked about, for what began before it."""


async def revoke_token(log: Log, token: Token, *, actor: Actor) -> None:
    """Let a token work no more, in any worker; nor those that were made from it.

    Of a token that was itself made from another only it goes: its own were made from that one.
    """
    revoked = TokenRevoked(
        user_id=token.user_id,
        audit_id=token.audit_id,
        expires_us=(token.expires_s + LATE_S_MAX) * 1_000_000,
        is_chain=token.audit_id == token.chain_id,
    )
    await log.append(user_stream(token.user_id), [revoked], actor=actor)
