"""From a token to its caller: what the token says, checked against what holds now.

Nothing is believed that can change: the user, the scope, the roles in it are looked up. What was
found is remembered only as long as one row says that nothing changed in identity's tables, so that
a role that any process took away, or a token that it revoked, is gone here with the next request.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from computelite.identity.caller import AccessRule, Caller, HeldRole, Named, ScopeProject
from computelite.identity.caller import UsedCredential as Used
from computelite.identity.keys import id_key
from computelite.identity.queries import is_in_force, project_target, roles_of
from computelite.identity.roles import Target
from computelite.identity.rows import (
    ApplicationCredential,
    Changed,
    Domain,
    Project,
    RevokedToken,
    User,
)
from computelite.identity.tokens import ScopeKind, Sealing, Token, open_token
from eventlog.clock import Clock
from eventlog.log import Log

_REMEMBERED = 4096


class Known(NamedTuple):
    """A token that is in force, and whom it stands for."""

    token: Token
    caller: Caller


class Callers:
    """Answers who a token stands for, as of now."""

    def __init__(self, log: Log, sealing: Sealing, clock: Clock) -> None:
        self._log = log
        self._sealing = sealing
        self._clock = clock
        self._as_of: Changed | None = None
        self._known: dict[str, Known] = {}

    async def caller(self, token: str) -> Caller | None:
        """Return who asks; None for a token that is forged, expired, revoked or void by now."""
        known = await self.known(token)
        return None if known is None else known.caller

    async def known(self, text: str, *, late_s: int = 0) -> Known | None:
        """Return the same with the token itself; for one that expired up to `late_s` ago, too."""
        changed = await self._log.get("identity", b"")
        if changed != self._as_of:
            self._as_of = changed
            self._known.clear()
        found = self._known.get(text)
        if found is None:
            token = open_token(text, self._sealing)
            if token is None or self._is_over(token, late_s):
                return None
            caller = await self.caller_of(token)
            if caller is None:
                return None
            found = Known(token, caller)
            # Another request may have seen a change while this one looked.
            if changed == self._as_of:
                if len(self._known) >= _REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[text] = found
        return None if self._is_over(found.token, late_s) else found

    async def caller_of(self, token: Token) -> Caller | None:
        """Return whom a token stands for, whenever it expires; None if it is void.

        It is void if the user is gone, disabled, in a disabled domain, or had their tokens voided;
        if it was revoked; if its scope is gone or disabled, or the user has no role there any more;
        or if the application credential that it was issued to is gone.
        """
        log = self._log
        user = await log.get("user", id_key(token.user_id))
        if not isinstance(user, User) or not user.enabled:
            return None
        if user.tokens_from != token.user_stamp:
            return None
        domain = await log.get("domain", id_key(user.domain_id))
        if not isinstance(domain, Domain) or not domain.enabled:
            return None
        if await self._is_revoked(token):
            return None
        facts = Caller(
            user=Named(id=user.id, name=user.name),
            user_domain=Named(id=domain.id, name=domain.name),
            password_expires_us=user.password_expires_us,
            methods=token.methods,
            audit_ids=token.audit_ids,
            issued_us=token.issued_us,
            expires_us=token.expires_s * 1_000_000,
        )
        return await self._in_scope(facts, token)

    async def _in_scope(self, facts: Caller, token: Token) -> Caller | None:
        through: ApplicationCredential | None = None
        if token.credential_id:
            through = await self._log.get("application_credential", id_key(token.credential_id))
            if through is None or through.user_id != token.user_id:
                return None
            if token.scope is not ScopeKind.PROJECT or through.project_id != token.scope_id:
                return None
        match token.scope:
            case ScopeKind.UNSCOPED:
                return facts
            case ScopeKind.PROJECT:
                return await self._in_project(facts, token.scope_id, through)
            case ScopeKind.DOMAIN:
                domain = await self._log.get("domain", id_key(token.scope_id))
                if not isinstance(domain, Domain) or not domain.enabled:
                    return None
                named = Named(id=domain.id, name=domain.name)
                roles = await self._roles(facts, Target(domain_id=domain.id))
                return _replaced(facts, roles, domain=named) if roles else None
            case ScopeKind.SYSTEM:
                roles = await self._roles(facts, Target(system=True))
                return _replaced(facts, roles, is_system=True) if roles else None

    async def _in_project(
        self, facts: Caller, project_id: str, through: ApplicationCredential | None
    ) -> Caller | None:
        project = await self._log.get("project", id_key(project_id))
        if not isinstance(project, Project) or not await is_in_force(self._log, project):
            return None
        roles = await self._roles(facts, await project_target(self._log, project), through)
        if not roles:
            return None
        domain = await self._log.get("domain", id_key(project.domain_id))
        if not isinstance(domain, Domain):
            return None
        scope = ScopeProject(
            id=project.id, name=project.name, domain=Named(id=domain.id, name=domain.name)
        )
        return _replaced(facts, roles, project=scope, credential=_used(through))

    async def _roles(
        self, facts: Caller, target: Target, through: ApplicationCredential | None = None
    ) -> tuple[HeldRole, ...]:
        roles = await roles_of(self._log, facts.user_id, target, through=through)
        return tuple(HeldRole(id=role.id, name=role.name) for role in roles)

    async def _is_revoked(self, token: Token) -> bool:
        own = await self._log.get("revoked", id_key(token.audit_id))
        if own is not None:
            return True
        chain = await self._log.get("revoked", id_key(token.chain_id))
        return isinstance(chain, RevokedToken) and chain.is_chain

    def _is_over(self, token: Token, late_s: int) -> bool:
        return self._clock.now_us() >= (token.expires_s + late_s) * 1_000_000


def _used(credential: ApplicationCredential | None) -> Used | None:
    if credential is None:
        return None
    rules = tuple(
        AccessRule(id=rule.id, service=rule.service, path=rule.path, method=rule.method)
        for rule in credential.access_rules
    )
    return Used(
        id=credential.id,
        name=credential.name,
        unrestricted=credential.unrestricted,
        access_rules=rules or None,
    )


def _replaced(facts: Caller, roles: tuple[HeldRole, ...], **changes: object) -> Caller:
    return msgspec.structs.replace(facts, roles=roles, **changes)
