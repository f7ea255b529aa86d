"""Digests of a body, in any cut."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from swiftlite.gateway.digests import ALGORITHMS, Digests


def test_the_published_check_values_come_out() -> None:
    digests = Digests(ALGORITHMS)
    digests.update(b"123456789")
    assert {name: value.hex() for name, value in digests.result().items()} == {
        "md5": "25f9e794323b453885f5181f1b624d0b",
        "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
        "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
        "crc32": "cbf43926",
        "crc32c": "e3069283",
        "crc64nvme": "ae8b14860a799888",
    }


@given(st.lists(st.binary(max_size=50)))
def test_the_cut_of_the_body_does_not_matter(chunks: list[bytes]) -> None:
    cut, whole = Digests(ALGORITHMS), Digests(ALGORITHMS)
    for chunk in chunks:
        cut.update(memoryview(bytearray(chunk)))
    whole.update(b"".join(chunks))
    assert cut.result() == whole.result()


def test_only_md5_is_computed_unasked() -> None:
    assert Digests().result() == {"md5": hashlib.md5().digest()}
