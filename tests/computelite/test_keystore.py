"""The key store: what it seals opens only where it belongs."""

from __future__ import annotations

import pickle
import stat
from pathlib import Path

import pytest

from computelite.errors import KeyStoreDamaged, KeyStoreMissing, SealBroken
from computelite.keystore import KeyStore, create_keystore, open_keystore
from computelite.secret import Secret
from eventlog.clock import SystemIds


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    create_keystore(tmp_path / "keystore", SystemIds())
    return open_keystore(tmp_path / "keystore", SystemIds())


def test_what_was_sealed_opens_in_its_own_place(store: KeyStore) -> None:
    sealed = store.seal(b"a secret", context=b"access-key/A")
    assert b"secret" not in sealed
    assert store.unseal(sealed, context=b"access-key/A") == b"a secret"


def test_a_sealed_value_moved_to_another_place_does_not_open(store: KeyStore) -> None:
    sealed = store.seal(b"a secret", context=b"access-key/A")
    with pytest.raises(SealBroken, match="altered or moved"):
        store.unseal(sealed, context=b"access-key/B")


def test_a_flipped_bit_anywhere_in_a_sealed_value_is_noticed(store: KeyStore) -> None:
    sealed = store.seal(b"a secret", context=b"here")
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(SealBroken):
            store.unseal(bytes(damaged), context=b"here")


def test_a_value_cut_short_is_noticed(store: KeyStore) -> None:
    sealed = store.seal(b"a secret", context=b"here")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            store.unseal(sealed[:length], context=b"here")


def test_the_same_secret_sealed_twice_looks_different(store: KeyStore) -> None:
    assert store.seal(b"same", context=b"x") != store.seal(b"same", context=b"x")


def test_a_store_opened_again_opens_what_was_sealed_before(tmp_path: Path) -> None:
    create_keystore(tmp_path / "keystore", SystemIds())
    sealed = open_keystore(tmp_path / "keystore", SystemIds()).seal(b"old", context=b"x")
    create_keystore(tmp_path / "keystore", SystemIds())
    assert open_keystore(tmp_path / "keystore", SystemIds()).unseal(sealed, context=b"x") == b"old"


def test_only_the_owner_can_read_the_keys(tmp_path: Path) -> None:
    create_keystore(tmp_path / "keystore", SystemIds())
    assert stat.S_IMODE((tmp_path / "keystore").stat().st_mode) == 0o700
    files = list((tmp_path / "keystore").iterdir())
    assert {file.name for file in files} == {"master.json", "signing.pem"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    create_keystore(tmp_path / "keystore", SystemIds())
    (tmp_path / "keystore" / "master.json").chmod(0o644)
    with pytest.raises(KeyStoreDamaged, match="mode is 644"):
        open_keystore(tmp_path / "keystore", SystemIds())


def test_a_missing_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreMissing, match="keystore"):
        open_keystore(tmp_path / "keystore", SystemIds())


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"format":1,"keys":[]}'])
def test_a_damaged_store_is_refused(tmp_path: Path, content: bytes) -> None:
    create_keystore(tmp_path / "keystore", SystemIds())
    (tmp_path / "keystore" / "master.json").write_bytes(content)
    with pytest.raises(KeyStoreDamaged):
        open_keystore(tmp_path / "keystore", SystemIds())


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("hunter2-hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2-hunter2"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
