"""Passwords: what is kept of one, from which it can be checked and not be read.

A check costs some 0.06 s of a core and 46 MiB, on purpose. `Passwords` lets one at a time run in
each process, in a thread, and bounds how many wait.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from computelite.errors import TooManyPasswords
from computelite.secret import Secret
from eventlog.clock import Clock, Ids

PASSWORD_SIZE_MAX = 4096
"""Bytes of a password, in UTF-8; every one of them counts."""

# OWASP's first choice for Argon2id. One lane: OpenSSL would run more on threads of its own, and two
# checks at once, each with several lanes, wait for each other for ever.
_MEMORY_KIB, _PASSES, _LANES = 46 * 1024, 1, 1

# What a password is compared with where there is no user: the same work, and it never matches.
NOBODY = b"$argon2id$v=19$m=47104,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + b"A" * 43

_WAITING_MAX = 256
_KNOWN_S = 300.0
_KNOWN_MAX = 4096

T = TypeVar("T")


def password_verifier(password: Secret, ids: Ids) -> bytes:
    """Return the password's Argon2id verifier in PHC form; it takes 46 MiB and some 0.06 s.

    Source:  RFC 9106; the PHC string format.
    """
    kdf = Argon2id(
        salt=ids.random(16),
        length=32,
        iterations=_PASSES,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return kdf.derive_phc_encoded(_bytes_of(password)).encode()


def is_password(password: Secret, verifier: bytes) -> bool:
    """Whether it is the password that the verifier was made from; takes as long either way."""
    try:
        Argon2id.verify_phc_encoded(_bytes_of(password), verifier.decode())
    except InvalidKey:
        return False
    return True


class Passwords:
    """Makes and checks verifiers without holding up the process's other requests.

    A password that was right in the last minutes is recognised by a keyed hash, in memory, so that
    fifty clients of one user need not wait for fifty checks. The key is the process's own. A wrong
    one is always checked, and whoever asks the same at the same time shares one check.
    """

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._key = ids.random(32)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="argon2")
        self._waiting = 0
        self._known: dict[bytes, float] = {}  # until when, in the order of that
        self._asked: dict[bytes, asyncio.Task[bool]] = {}

    async def verifier(self, password: Secret) -> bytes:
        """Return a new password's verifier.

        Raises:  TooManyPasswords where too many wait.
        """
        return await self._run(lambda: password_verifier(password, self._ids))

    async def matches(self, password: Secret, verifier: bytes, *, whose: str = "") -> bool:
        """Whether it is the password of this verifier.

        For a user that there is not, or one that no password lets in, give NOBODY: it takes as
        long. `whose` is what the client called the user: who asks for two names at the same time
        waits for two checks, whether or not there are such users.
        Raises:  TooManyPasswords where too many wait.
        """
        if not verifier:
            verifier = NOBODY
        parts = (verifier, whose.encode("utf-8", "surrogatepass"), _bytes_of(password))
        asked = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        digest = hmac.digest(self._key, asked, "sha256")
        if self._known.get(digest, 0.0) > self._clock.monotonic_s():
            return True
        task = self._asked.get(digest)
        if task is None:
            task = asyncio.create_task(self._check(password, verifier, digest))
            self._asked[digest] = task
            task.add_done_callback(lambda _: self._asked.pop(digest))
        # A client that goes away does not take the answer from those who asked the same.
        return await asyncio.shield(task)

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _check(self, password: Secret, verifier: bytes, digest: bytes) -> bool:
        if not await self._run(lambda: is_password(password, verifier)):
            return False
        now = self._clock.monotonic_s()
        while self._known:
            oldest, until = next(iter(self._known.items()))
            if until > now and len(self._known) < _KNOWN_MAX:
                break
            del self._known[oldest]
        self._known.pop(digest, None)
        self._known[digest] = now + _KNOWN_S
        return True

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING_MAX:
            raise TooManyPasswords()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


def _bytes_of(password: Secret) -> bytes:
    # What is no Unicode is nobody's password; it must still be a refusal, and no fault.
    return password.reveal().encode("utf-8", "surrogatepass")
