"""Sealed tokens: what goes in comes out, and nothing else opens."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computelite.identity.tokens import (
    METHODS,
    TOKEN_SIZE_MAX,
    ScopeKind,
    Token,
    audit_id_from,
    open_token,
    seal_token,
)
from computelite.keystore import KeyStore, MasterKey, create_keystore, open_keystore
from eventlog.clock import SystemIds

IDS = SystemIds()
OLD = MasterKey(id=b"old.", key=bytes(32))
NEW = MasterKey(id=b"new.", key=bytes(range(32)))
KEYS = KeyStore((OLD,), IDS)

hex_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
audits = st.binary(min_size=16, max_size=16).map(audit_id_from)
tokens = st.builds(
    Token,
    user_id=hex_ids,
    user_stamp=st.integers(0, 2**53),
    methods=st.sets(st.sampled_from(METHODS)).map(
        lambda some: tuple(method for method in METHODS if method in some)
    ),
    issued_us=st.integers(0, 2**53),
    expires_s=st.integers(0, 2**33),
    audit_id=audits,
    chain_id=audits,
    scope=st.sampled_from(ScopeKind),
    scope_id=st.one_of(st.just(""), st.just("default"), hex_ids),
    credential_id=st.one_of(st.just(""), hex_ids),
)


def a_token() -> Token:
    audit = audit_id_from(bytes(range(16)))
    return Token(
        user_id="00112233445566778899aabbccddeeff",
        user_stamp=1_700_000_000_000_000,
        methods=METHODS,
        issued_us=1_700_000_000_000_000,
        expires_s=1_700_003_600,
        audit_id=audit,
        chain_id=audit_id_from(bytes(16)),
        scope=ScopeKind.PROJECT,
        scope_id="ff112233445566778899aabbccddeeff",
        credential_id="ee112233445566778899aabbccddeeff",
    )


@given(tokens)
def test_what_was_sealed_is_opened(token: Token) -> None:
    text = seal_token(token, KEYS)
    assert open_token(text, KEYS) == token
    assert len(text) <= TOKEN_SIZE_MAX


def test_the_longest_token_fits_where_clients_keep_them() -> None:
    assert len(seal_token(a_token(), KEYS)) <= TOKEN_SIZE_MAX


def test_no_character_of_a_token_can_be_another() -> None:
    text = seal_token(a_token(), KEYS)
    for at in range(len(text)):
        for other in ("A" if text[at] != "A" else "B", "_" if text[at] != "_" else "-"):
            assert open_token(text[:at] + other + text[at + 1 :], KEYS) is None, at


@pytest.mark.parametrize(
    "spelling",
    [
        lambda text: text + "=",
        lambda text: text + "==",
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text.replace("-", "+").replace("_", "/") + "+",
        lambda text: text.lower(),
        lambda _: "",
        lambda _: "A" * 255,
        lambda _: "A" * 100_000,
        lambda _: "é" * 20,
        lambda _: "\udcff" * 20,
    ],
)
def test_another_spelling_is_no_token(spelling) -> None:  # type: ignore[no-untyped-def]
    assert open_token(spelling(seal_token(a_token(), KEYS)), KEYS) is None


def test_spare_bits_of_the_last_character_are_not_free() -> None:
    # One more byte in it than the length of a token that ends on a whole group of four.
    for count in range(3):
        token = msgspec.structs.replace(a_token(), issued_us=2 ** (8 * (count + 1)))
        text = seal_token(token, KEYS)
        same = [
            text[:-1] + last
            for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            if base64.urlsafe_b64decode(text[:-1] + last + "=" * (-len(text) % 4))
            == base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        ]
        assert [other for other in same if open_token(other, KEYS) is not None] == [text]


def test_what_was_sealed_for_another_purpose_is_no_token(tmp_path: Path) -> None:
    sealed = KEYS.seal(msgspec.msgpack.encode([1] * 11), context=b"access-key/x")
    assert open_token(base64.urlsafe_b64encode(sealed).decode().rstrip("="), KEYS) is None


def test_a_token_of_another_cloud_is_none_of_ours(tmp_path: Path) -> None:
    create_keystore(tmp_path, IDS)
    assert open_token(seal_token(a_token(), open_keystore(tmp_path, IDS)), KEYS) is None


def test_rotated_keys_open_what_the_old_one_sealed_until_that_is_gone() -> None:
    text = seal_token(a_token(), KEYS)
    assert open_token(text, KeyStore((OLD, NEW), IDS)) == a_token()
    assert open_token(text, KeyStore((NEW,), IDS)) is None
    newer = seal_token(a_token(), KeyStore((OLD, NEW), IDS))
    assert open_token(newer, KeyStore((NEW,), IDS)) == a_token()


def test_a_token_shows_neither_user_nor_project() -> None:
    raw = base64.urlsafe_b64decode(seal_token(a_token(), KEYS) + "==")
    assert bytes.fromhex(a_token().user_id) not in raw
    assert bytes.fromhex(a_token().scope_id) not in raw
