"""The key store: the keys that seal secrets, in a folder apart from the log and its backups.

DATA/keystore/ (mode 0700) holds
    master.json    the master keys, the last one seals (0600)
    signing.pem    the Ed25519 key that signs the log's checkpoints (0600)
Keys of single subjects, whose destruction erases what they sealed, will be files beside them.

A sealed value is  format 1 | key id 4 | nonce 12 | AES-256-GCM ciphertext and tag, with the place
that it belongs to as associated data: moved elsewhere it does not open.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from computelite.errors import KeyStoreDamaged, KeyStoreMissing, SealBroken
from computelite.files import write_new
from eventlog.clock import Ids

FORMAT = 1
_HEAD = 1 + 4 + 12


class MasterKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One master key as the file holds it."""

    id: bytes  # 4 bytes
    key: bytes  # 32 bytes

    def __repr__(self) -> str:
        return f"MasterKey({self.id.hex()}, hidden)"


class MasterFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What master.json holds."""

    format: int
    keys: tuple[MasterKey, ...]


class KeyStore:
    """Seals and unseals; holds the master keys in memory and nothing else."""

    def __init__(self, keys: tuple[MasterKey, ...], ids: Ids) -> None:
        self._ciphers = {key.id: AESGCM(key.key) for key in keys}
        self._newest = keys[-1].id
        self._ids = ids

    def __repr__(self) -> str:
        return f"KeyStore({len(self._ciphers)} keys, hidden)"

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        """Return `plain` sealed with the newest key; only the same `context` opens it again."""
        nonce = self._ids.random(12)
        head = bytes([FORMAT]) + self._newest
        return head + nonce + self._ciphers[self._newest].encrypt(nonce, plain, head + context)

    def unseal(self, sealed: bytes, *, context: bytes) -> bytes:
        """Return what was sealed.

        Raises:  SealBroken if a byte of it or its context is another, or its key is not here.
        """
        head, nonce = sealed[:5], sealed[5:_HEAD]
        cipher = self._ciphers.get(head[1:])
        place = context.decode("utf-8", "replace")
        if len(sealed) <= _HEAD or head[0] != FORMAT:
            raise SealBroken(context=place, reason="it is not a sealed value of a known format")
        if cipher is None:
            raise SealBroken(context=place, reason=f"the key {head[1:].hex()} is not in the store")
        try:
            return cipher.decrypt(nonce, sealed[_HEAD:], head + context)
        except InvalidTag:
            raise SealBroken(context=place, reason="it was altered or moved") from None


def create_keystore(folder: Path, ids: Ids) -> None:
    """Make the key store with its first keys; what is there already stays as it is."""
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)
    if not (folder / "master.json").exists():
        keys = (MasterKey(id=ids.random(4), key=ids.random(32)),)
        content = msgspec.json.encode(MasterFile(format=FORMAT, keys=keys))
        write_new(folder / "master.json", content, mode=0o600)
    if not (folder / "signing.pem").exists():
        write_new(folder / "signing.pem", _signing_pem(), mode=0o600)


def open_keystore(folder: Path, ids: Ids) -> KeyStore:
    """Read the master keys.

    Raises:  KeyStoreMissing if there is no store, KeyStoreDamaged if it is not one of ours or if
    others on this machine can read it.
    """
    path = folder / "master.json"
    try:
        mode = path.stat().st_mode & 0o777
        content = path.read_bytes()
    except FileNotFoundError:
        raise KeyStoreMissing(path=folder) from None
    if mode & 0o077:
        raise KeyStoreDamaged(path=path, reason=f"its mode is {mode:o}; only its owner may read it")
    try:
        file = msgspec.json.decode(content, type=MasterFile)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise KeyStoreDamaged(path=path, reason="it is not a key file") from None
    if file.format != FORMAT or not file.keys or any(len(k.key) != 32 for k in file.keys):
        raise KeyStoreDamaged(path=path, reason="it holds no key of a known format")
    return KeyStore(file.keys, ids)


def _signing_pem() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
