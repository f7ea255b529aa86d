"""New passwords on their way into the log."""

from __future__ import annotations

import asyncio

from computelite.identity.passwords import password_verifier
from computelite.keystone.call import Call
from computelite.secret import Secret


async def verifier_of(call: Call, password: str) -> bytes:
    """Return what is kept of a password."""
    return await asyncio.to_thread(password_verifier, Secret(password), call.ids)


def expiry_us(call: Call) -> int | None:
    """Return until when a password that is set now works; None: for ever."""
    return None
