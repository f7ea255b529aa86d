"""The Authenticator that storage asks: access keys from the identity tables, on each request.

What was looked up is remembered only as long as nothing at all changed in those tables, which one
row tells: a key that was disabled a moment ago, by any process, is disabled here.
"""

from __future__ import annotations

from typing import NamedTuple

from computelite.identity.callers import Callers
from computelite.identity.commands.access_keys import secret_of
from computelite.identity.keys import id_key
from computelite.identity.queries import is_in_force, project_target, roles_of
from computelite.identity.rows import (
    AccessKey,
    ApplicationCredential,
    Changed,
    Domain,
    Project,
    User,
)
from computelite.keystore import KeyStore
from eventlog.clock import Clock
from eventlog.sqlite import SqliteLog
from swiftlite.auth import Principal, SigningKey

# Key ids that nobody has are not remembered: a client could send any number of them.
_REMEMBERED = 4096


class _Looked(NamedTuple):
    """A key, and when the application credential that it was made with expires."""

    key: SigningKey
    expires_us: int | None


class LogAuthenticator:
    """Implements swiftlite's port from the log's tables."""

    def __init__(self, log: SqliteLog, keystore: KeyStore, clock: Clock, callers: Callers) -> None:
        self._log = log
        self._clock = clock
        self._keystore = keystore
        self._callers = callers
        self._as_of: Changed | None = None
        self._keys: dict[str, _Looked] = {}

    async def signing_key(self, key_id: str) -> SigningKey | None:
        """Return the key as of now, or None if there is none, it is disabled, or its user is.

        Raises:  SealBroken if its secret does not open: the key store is another one's.
        """
        changed = await self._log.get("identity", b"")
        if changed != self._as_of:
            self._as_of = changed
            self._keys.clear()
        found = self._keys.get(key_id)
        if found is None:
            found = await self._look_up(key_id)
            # Another request may have seen a change while this one looked.
            still = changed == self._as_of
            if found is not None and still and len(self._keys) < _REMEMBERED:
                self._keys[key_id] = found
        if found is None or self._is_over(found.expires_us):
            return None
        return found.key

    async def bearer(self, token: str) -> Principal | None:
        """Return whom a token stands for as of now; None for one that is not in force.

        Nor for one of an application credential with access rules: storage does not check those.
        """
        caller = await self._callers.caller(token)
        if caller is None or (caller.credential is not None and caller.credential.access_rules):
            return None
        project = caller.project
        return Principal(
            kind="user",
            user_id=caller.user_id,
            user_name=caller.user.name,
            user_domain_id=caller.user_domain.id,
            project_id="" if project is None else project.id,
            project_name="" if project is None else project.name,
            project_domain_id="" if project is None else project.domain.id,
            roles=tuple(sorted(caller.role_names)),
            key_id=caller.audit_ids[0],
        )

    async def _look_up(self, key_id: str) -> _Looked | None:
        log = self._log
        key = await log.get("access_key", id_key(key_id))
        if not isinstance(key, AccessKey) or not key.enabled:
            return None
        user = await log.get("user", id_key(key.user_id))
        if not isinstance(user, User) or not user.enabled:
            return None
        domain = await log.get("domain", id_key(user.domain_id))
        project = await log.get("project", id_key(key.project_id))
        if not (isinstance(domain, Domain) and domain.enabled and isinstance(project, Project)):
            return None
        if not await is_in_force(log, project):
            return None
        through = None
        if key.application_credential_id:
            through = await log.get("application_credential", id_key(key.application_credential_id))
            # Nobody checks access rules here: with such rules, a key is for nothing.
            if not isinstance(through, ApplicationCredential) or through.access_rules:
                return None
        target = await project_target(log, project)
        roles = await roles_of(log, user.id, target, through=through)
        principal = Principal(
            kind="user",
            user_id=user.id,
            user_name=user.name,
            user_domain_id=user.domain_id,
            project_id=project.id,
            project_name=project.name,
            project_domain_id=project.domain_id,
            roles=tuple(sorted({role.name.lower() for role in roles})),
            key_id=key.key_id,
            bucket=key.bucket,
            read_only=key.read_only,
        )
        secret = secret_of(key, self._keystore).reveal()
        expires_us = None if through is None else through.expires_us
        return _Looked(SigningKey(secret, principal), expires_us)

    def _is_over(self, expires_us: int | None) -> bool:
        return expires_us is not None and expires_us <= self._clock.now_us()
