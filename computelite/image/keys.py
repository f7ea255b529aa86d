"""The keys of the image tables: bytes whose order is the wanted order.

    image                        id
    image_of                     owner / id
    image_open                   visibility / id, of public and community images
    image_member, image_for      id / member, and the other way round
    image_transfer               transfer id
    image_waste                  id / transfer id
    image_held                   owner

Ids hold no "/": edges and commands see to that.

Pure: no clock, no IO.
"""

from __future__ import annotations


def id_key(id_: str) -> bytes:
    """Return the key of what has an id; nothing has one that is no Unicode text."""
    return id_.encode("utf-8", "surrogatepass")


def pair_key(first: str, second: str) -> bytes:
    """Return the key of what lies between two ids."""
    return id_key(first) + b"/" + id_key(second)


def under(first: str) -> tuple[bytes, bytes]:
    """Return the range (lo, hi) of all pairs whose first part is this."""
    stem = id_key(first)
    return stem + b"/", stem + b"0"  # "0" follows "/"
