"""What Keystone's handlers work on: the log, the key store, and who checks tokens."""

from __future__ import annotations

from typing import Protocol

import msgspec

from computelite.identity.caller import Caller
from computelite.keystore import KeyStore
from eventlog.clock import Clock, Ids
from eventlog.log import Log


class CallerSource(Protocol):
    """Turns a token into the facts that hold now."""

    async def caller(self, token: str) -> Caller | None:
        """Return who asks; None for a token that is forged, expired, revoked or void by now."""


class IdentityService(msgspec.Struct, frozen=True, kw_only=True):
    """Identity as one process holds it."""

    log: Log
    keystore: KeyStore
    clock: Clock
    ids: Ids
    tokens: CallerSource
