"""The doors of identity, as one process opens them: tokens, passwords, lockout, login."""

from __future__ import annotations

import msgspec

from computelite.identity.callers import Callers
from computelite.identity.login.lockout import Lockout, Rules
from computelite.identity.login.login import Login
from computelite.identity.passwords import Passwords
from computelite.keystore import KeyStore
from eventlog.clock import Clock, Ids
from eventlog.log import Log


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """What tells who asks. Close it before the log."""

    callers: Callers
    passwords: Passwords
    lockout: Lockout
    login: Login

    async def close(self) -> None:
        """Finish what is under way."""
        await self.lockout.close()
        self.passwords.close()


def open_doors(
    log: Log, keystore: KeyStore, clock: Clock, ids: Ids, *, token_s: int, rules: Rules
) -> Doors:
    """Return the doors. Units: a token lives `token_s` seconds."""
    callers = Callers(log, keystore, clock)
    passwords = Passwords(clock, ids)
    lockout = Lockout(log, clock, rules)
    login = Login(
        log,
        keystore,
        clock,
        ids,
        callers=callers,
        passwords=passwords,
        lockout=lockout,
        token_s=token_s,
    )
    return Doors(callers=callers, passwords=passwords, lockout=lockout, login=login)
