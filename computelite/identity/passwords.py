"""Passwords: what is kept of one, from which it can be checked and not be read."""

from __future__ import annotations

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from computelite.secret import Secret
from eventlog.clock import Ids

# RFC 9106, section 4, second recommended option: 64 MiB, three passes, four lanes.
_MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 4


def password_verifier(password: Secret, ids: Ids) -> bytes:
    """Return the password's Argon2id verifier in PHC form; it takes 64 MiB and some 0.1 s.

    Source:  RFC 9106; the PHC string format.
    """
    kdf = Argon2id(
        salt=ids.random(16),
        length=32,
        iterations=_PASSES,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return kdf.derive_phc_encoded(password.reveal().encode()).encode()
