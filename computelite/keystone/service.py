"""What Keystone's handlers work on: the log, the key store, and who checks tokens and passwords."""

from __future__ import annotations

from typing import Protocol

import msgspec

from computelite.identity.caller import Caller
from computelite.identity.callers import Known
from computelite.identity.login.login import Login
from computelite.identity.passwords import Passwords
from computelite.keystore import KeyStore
from eventlog.clock import Clock, Ids
from eventlog.log import Log


class CallerSource(Protocol):
    """Turns a token into the facts that hold now."""

    async def caller(self, token: str) -> Caller | None:
        """Return who asks; None for a token that is forged, expired, revoked or void by now."""

    async def known(self, text: str, *, late_s: int = 0) -> Known | None:
        """Return the same with the token itself; for one that expired up to `late_s` ago, too."""


class IdentityService(msgspec.Struct, frozen=True, kw_only=True):
    """Identity as one process holds it.

    passwords   `await passwords.verifier(secret)` for what is kept of a new password or secret
    password_days
                after how many days a new password stops working; 0: never
    login       `await login.owner(ByPassword(...), actor)`: whose password is it
    """

    log: Log
    keystore: KeyStore
    clock: Clock
    ids: Ids
    tokens: CallerSource
    passwords: Passwords
    login: Login
    password_days: int = 0
