"""What follows from the names of a head's headers alone, worked out once for each set of them.

A client sends the same few sets of names for ever. What has to be looked up by prefix, or refused
whatever its value, is therefore no work of each request.

Pure: no clock, no IO.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from swiftlite.errors import InvalidRequest

AMZ = "x-amz-"
META = "x-amz-meta-"
CHECKSUM = "x-amz-checksum-"

# x-amz-checksum-* that say something about checksums, but hold none.
_NO_CHECKSUMS = frozenset(f"{CHECKSUM}{name}" for name in ("algorithm", "mode", "type"))

# Headers that say something only once. A second one is how requests are smuggled past a check.
_SINGLE = frozenset(
    {
        "authorization",
        "cache-control",
        "connection",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "expect",
        "expires",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "range",
        "transfer-encoding",
    }
)
# Longer sets of names are looked at anew each time, so that what is kept stays small.
_KEPT_BYTES_MAX = 1024
_KEPT_MAX = 256


class Names(msgspec.Struct, frozen=True):
    """The names of a head, in lower case.

    Shapes:  all: as they came, one for each header; amz: those that begin with x-amz-, but for
             meta: x-amz-meta-*; checksums: x-amz-checksum-* that hold a checksum.
    """

    all: tuple[str, ...]
    amz: tuple[str, ...]
    meta: tuple[str, ...]
    checksums: tuple[str, ...]
    are_repeated: bool


def names_of(lower: tuple[str, ...]) -> Names:
    """Return what follows from these names.

    Raises:  InvalidRequest where a header that may be there once is there twice.
    """
    distinct = dict.fromkeys(lower)
    are_repeated = len(distinct) < len(lower)
    if are_repeated:
        for name in distinct:
            is_single = name in _SINGLE or (name.startswith(AMZ) and not name.startswith(META))
            if is_single and lower.count(name) > 1:
                raise InvalidRequest(reason=f"The header {name} was sent more than once")
    return Names(
        all=lower,
        amz=tuple(n for n in distinct if n.startswith(AMZ) and not n.startswith(META)),
        meta=tuple(n for n in distinct if n.startswith(META)),
        checksums=tuple(n for n in distinct if n.startswith(CHECKSUM) and n not in _NO_CHECKSUMS),
        are_repeated=are_repeated,
    )


def names_sent(raw: list[bytes]) -> Names:
    """Return what follows from names as they were sent. Raises as `names_of`."""
    lines = b"\n".join(raw)
    return _kept(lines) if len(lines) <= _KEPT_BYTES_MAX else _read(lines)


def _read(lines: bytes) -> Names:
    return names_of(tuple(lines.decode("latin-1").lower().split("\n")) if lines else ())


_kept = lru_cache(_KEPT_MAX)(_read)
