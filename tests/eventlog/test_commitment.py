"""Commitments bind a salt and a payload, bit by bit."""

from hashlib import sha256

import pytest

from eventlog.codec import commitment, leaf_hash


def test_a_commitment_is_the_hash_of_salt_and_payload():
    assert commitment(b"s" * 32, b"payload") == sha256(b"s" * 32 + b"payload").digest()


def test_a_leaf_is_the_hash_of_a_zero_byte_and_the_entry():
    assert leaf_hash(b"entry") == sha256(b"\x00entry").digest()


@pytest.mark.parametrize("bit", range(8 * 7))
def test_a_flipped_bit_changes_commitment_and_leaf(bit):
    flipped = bytearray(b"payload")
    flipped[bit // 8] ^= 1 << bit % 8
    assert commitment(b"s" * 32, bytes(flipped)) != commitment(b"s" * 32, b"payload")
    assert leaf_hash(bytes(flipped)) != leaf_hash(b"payload")
