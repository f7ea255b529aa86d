"""CRC arithmetic: the checksum of a whole from the checksums of its parts.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

# Width and reflected polynomial. All three start from all ones and end inverted, for which
# crc(a + b) = crc(a) * x^(8 * len(b)) + crc(b) holds, modulo the polynomial over GF(2).
_POLYNOMIALS = {
    "crc32": (32, 0xEDB88320),
    "crc32c": (32, 0x82F63B78),
    "crc64nvme": (64, 0x9A6C9329AC4BC9B5),
}
COMBINABLE = frozenset(_POLYNOMIALS)


def combined(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """Return the CRC of the concatenation of parts given by (CRC, length in bytes).

    Shapes:  CRCs are big-endian, 4 bytes for crc32 and crc32c, 8 for crc64nvme.
    Law:     combined(a, [(crc(x), len(x)), (crc(y), len(y))]) == crc(x + y).
    Source:  zlib 1.2.12, crc32_combine_op; NVM Command Set 1.0, 5.2.1.3.4 (CRC64NVME).
    Raises:  KeyError for an algorithm that is not in COMBINABLE.
    """
    width, polynomial = _POLYNOMIALS[algorithm]
    total = 0
    for crc, length in parts:
        shift = _shift(width, polynomial, length)
        total = _multiply(width, polynomial, shift, total) ^ int.from_bytes(crc, "big")
    return total.to_bytes(width // 8, "big")


def _multiply(width: int, polynomial: int, a: int, b: int) -> int:
    """Return a * b modulo the polynomial; bit width-1 is x^0, as reflected CRCs have it."""
    product = 0
    mask = 1 << (width - 1)
    while a:
        if a & mask:
            product ^= b
            a ^= mask
        mask >>= 1
        b = (b >> 1) ^ polynomial if b & 1 else b >> 1
    return product


@lru_cache(maxsize=64)  # an upload's parts are nearly all of one length
def _shift(width: int, polynomial: int, length: int) -> int:
    """Return x^(8 * length) modulo the polynomial."""
    result = 1 << (width - 1)
    square = 1 << (width - 9)  # x^8
    while length:
        if length & 1:
            result = _multiply(width, polynomial, square, result)
        square = _multiply(width, polynomial, square, square)
        length >>= 1
    return result
