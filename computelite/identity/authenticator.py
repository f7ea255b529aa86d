"""The Authenticator that storage asks: access keys from the identity tables, on each request.

Nothing about a key is remembered but its unsealed secret, under the sealed bytes that the table
holds now: a key that was disabled a moment ago, by any process, is disabled here.
"""

from __future__ import annotations

from computelite.identity.commands import secret_context
from computelite.identity.view import AccessKey, User
from computelite.keystore import KeyStore
from eventlog.sqlite import SqliteLog
from swiftlite.auth import Principal, SigningKey

# A client can make us hold no more than this: unknown key ids are not remembered at all.
_REMEMBERED = 4096


class LogAuthenticator:
    """Implements swiftlite's port from the log's tables."""

    def __init__(self, log: SqliteLog, keystore: KeyStore) -> None:
        self._log = log
        self._keystore = keystore
        self._secrets: dict[tuple[bytes, str], str] = {}

    async def signing_key(self, key_id: str) -> SigningKey | None:
        """Return the key as of now, or None if there is none, it is disabled, or its user is.

        Raises:  SealBroken if its secret does not open: the key store is another one's.
        """
        key = await self._log.get("access_key", key_id.encode("utf-8", "surrogatepass"))
        if not isinstance(key, AccessKey) or not key.enabled:
            return None
        user = await self._log.get("user", key.user_id)
        if not isinstance(user, User) or not user.enabled:
            return None
        principal = Principal(
            kind="user",
            user_id=user.id.hex(),
            project_id=key.project_id.hex(),
            roles=user.roles_in(key.project_id),
            key_id=key.key_id,
            bucket=key.bucket,
            read_only=key.read_only,
        )
        return SigningKey(self._secret(key), principal)

    def _secret(self, key: AccessKey) -> str:
        place = (key.sealed, key.key_id)
        secret = self._secrets.get(place)
        if secret is None:
            plain = self._keystore.unseal(key.sealed, context=secret_context(key.key_id))
            if len(self._secrets) >= _REMEMBERED:
                del self._secrets[next(iter(self._secrets))]
            secret = self._secrets[place] = plain.decode()
        return secret
