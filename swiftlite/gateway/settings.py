"""Settings: the few numbers by which reading and writing can be tuned."""

from __future__ import annotations

import msgspec

KIB = 1 << 10
MIB = 1 << 20


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one store; the defaults are right unless something was measured."""

    copies_max: int = 32 * KIB
    """Objects up to this size are kept as m+1 whole copies: one device then serves a read."""

    stripe: int = MIB
    """Data bytes per stripe: fits the processor's cache, and bounds what is held per upload."""

    stripes_per_upload: int = 3
    """Stripes of one upload under way to devices while the next is received."""

    stripes_in_memory: int = 48
    """Stripes of all uploads and read-ahead of one process; an upload waits when all are taken."""

    write_deadline_s: float = 10.0
    """After this a device that does not answer a write is treated as failed, and left alone."""

    read_deadline_s: float = 3.0
    """After this a fragment that does not come is made from the others."""

    repairs_waiting: int = 10_000
    """Damage met by reads and remembered until it is repaired; beyond it, scrub will find it."""
