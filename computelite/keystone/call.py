"""A call to Keystone: what its handlers work on."""

from __future__ import annotations

from computelite.api import call as api
from computelite.api.call import Asked
from computelite.identity.caller import Caller
from computelite.keystone.service import IdentityService
from computelite.keystore import KeyStore
from computelite.secret import Secret
from eventlog.clock import Clock, Ids
from eventlog.log import Log


class Call(api.Call):
    """A call as every service has it, and beside it:

    log, ids, clock, keystore
                the ports: rows and appends, new ids, the time, seal and unseal
    verifier    `await call.verifier(secret)`: what is kept of a new password
    issued      whom a token was made for by this call, for its record
    service     the whole of identity: also `tokens`, `passwords`, `login`
    """

    PREFIX = "/identity/v3"

    def __init__(self, service: IdentityService, asked: Asked) -> None:
        super().__init__(asked)
        self.service = service
        self.issued: Caller | None = None

    @property
    def log(self) -> Log:
        """The event log and its tables."""
        return self.service.log

    @property
    def ids(self) -> Ids:
        """Where new ids come from."""
        return self.service.ids

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.service.clock

    @property
    def keystore(self) -> KeyStore:
        """What seals secrets."""
        return self.service.keystore

    async def verifier(self, secret: Secret) -> bytes:
        """Return what is kept of a new password or secret, made without holding others up.

        Raises:  TooManyPasswords.
        """
        return await self.service.passwords.verifier(secret)
