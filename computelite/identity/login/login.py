"""Login: from what somebody shows to a token.

    check every proof -> one user, what limits the token -> the scope's id -> the token's record ->
    is its caller in force? -> seal

The last question is the one that every later use of the token asks (`callers.py`): there is no
second opinion on what a token may be issued for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from computelite.identity.callers import Callers, Known
from computelite.identity.commands.application_credentials import application_secret_context
from computelite.identity.commands.users import password_context
from computelite.identity.keys import id_key
from computelite.identity.login.errors import (
    LoginRefused,
    NoSuchToken,
    NotFromHere,
    PasswordExpired,
)
from computelite.identity.login.lockout import Lockout
from computelite.identity.login.shown import (
    ByCredential,
    ByPassword,
    ByToken,
    DomainRef,
    DomainScope,
    ProjectScope,
    Proof,
    Scope,
    SystemScope,
    Unscoped,
    UserRef,
)
from computelite.identity.passwords import NOBODY, Passwords
from computelite.identity.queries import (
    application_credential_named,
    domain_named,
    project_named,
    user_named,
)
from computelite.identity.rows import ApplicationCredential, Domain, Project, User
from computelite.identity.tokens import METHODS, ScopeKind, Token, audit_id_from, seal_token
from computelite.keystore import KeyStore
from computelite.secret import Secret
from eventlog.clock import Clock, Ids
from eventlog.log import Actor, Log

Place = tuple[ScopeKind, str]

REFUSAL_S = 0.05  # longer than an event takes, but where the disk is slow


class Issued(NamedTuple):
    """A new token, and whom it stands for."""

    text: Secret
    known: Known


class _Checked(NamedTuple):
    """What one proof shows: whose it is, and how far a token may go."""

    user: User
    methods: tuple[str, ...]
    through: ApplicationCredential | None = None
    earlier: Known | None = None


class Login:
    """Checks what is shown and issues tokens."""

    def __init__(
        self,
        log: Log,
        keystore: KeyStore,
        clock: Clock,
        ids: Ids,
        *,
        callers: Callers,
        passwords: Passwords,
        lockout: Lockout,
        token_s: int,
    ) -> None:
        self._log = log
        self._keystore = keystore
        self._clock = clock
        self._ids = ids
        self._callers = callers
        self._passwords = passwords
        self._lockout = lockout
        self._token_s = token_s

    async def token(self, proofs: Sequence[Proof], scope: Scope | None, actor: Actor) -> Issued:
        """Return a token for the scope; None asks for the user's default project, if it will do.

        Raises:  LoginRefused, NoSuchToken, PasswordExpired, NotFromHere.
        """
        assert proofs
        checked = [await self._check(proof, actor) for proof in proofs]
        user = checked[0].user
        if any(each.user.id != user.id for each in checked):
            raise LoginRefused()
        methods = tuple({method: None for each in checked for method in each.methods})
        if not _is_enough(user.options, methods):
            raise LoginRefused(user_id=user.id)
        through = next((each.through for each in checked if each.through is not None), None)
        earlier = next((each.earlier for each in checked if each.earlier is not None), None)
        token = self._drawn(user, methods, through, earlier)
        if through is not None:
            await self._check_scope(scope, through)
            return await self.issue(_placed(token, (ScopeKind.PROJECT, through.project_id)))
        if earlier is not None:
            _check_rescope(earlier, scope)
        if scope is not None:
            return await self.issue(_placed(token, await self._place(scope)))
        is_for_system = earlier is not None and earlier.token.scope is ScopeKind.SYSTEM
        if user.default_project_id and not is_for_system:
            try:
                return await self.issue(
                    _placed(token, (ScopeKind.PROJECT, user.default_project_id))
                )
            except LoginRefused:
                pass  # gone, disabled, or none of the user's: then it is unscoped
        return await self.issue(token)

    async def owner(self, shown: ByPassword, actor: Actor, *, even_expired: bool = False) -> User:
        """Return the user whose password this is.

        Raises:  LoginRefused; PasswordExpired, unless it is shown to be replaced.
        """
        user = await self._user(shown.user)
        verifier = NOBODY
        # Of a user that no password lets in, none is looked at: one that was right a moment ago
        # would be recognised, and so told faster.
        if user is not None and user.password and await self._may_come(user):
            context = password_context(user.id)
            verifier = self._keystore.unseal(user.password, context=context)
        # Whatever is wrong with the user, the same work is done before anything is said.
        whose = repr(shown.user)
        is_right = await self._passwords.matches(shown.password, verifier, whose=whose)
        if user is None or not is_right:
            if user is not None and verifier is not NOBODY:
                self._lockout.failed(user, actor)
            # Counted before it is told: the next guess may go to another worker. It waits as long
            # for everybody, so that the time to count does not tell who there is.
            user_id = "" if user is None else user.id
            await asyncio.gather(asyncio.sleep(REFUSAL_S), self._lockout.settled(user_id))
            raise LoginRefused(user_id=user_id)
        # Guesses that came at once with the right one, and were wrong, count before it.
        await self._lockout.settled(user.id)
        now = await self._log.get("user", id_key(user.id))
        if not isinstance(now, User) or now.password != user.password or not now.enabled:
            raise LoginRefused(user_id=user.id)
        if self._lockout.is_locked(now):
            raise LoginRefused(user_id=user.id)
        await self._lockout.forgive(now, actor)
        if not even_expired and self._is_expired(now):
            raise PasswordExpired(user_id=now.id)
        return now

    async def for_key(self, user: User, project_id: str, credential_id: str) -> Issued:
        """Return a token for the owner of an access key whose signature was verified.

        Raises:  LoginRefused.
        """
        through = None
        if credential_id:
            through = await self._log.get("application_credential", id_key(credential_id))
            if through is None:
                raise LoginRefused()
        token = self._drawn(user, ("ec2credential",), through, None)
        return await self.issue(_placed(token, (ScopeKind.PROJECT, project_id)))

    async def issue(self, token: Token) -> Issued:
        """Return the token sealed, if its caller is in force.

        Raises:  LoginRefused.
        """
        caller = await self._callers.caller_of(token)
        if caller is None or token.expires_s * 1_000_000 <= self._clock.now_us():
            raise LoginRefused(user_id=token.user_id)
        return Issued(Secret(seal_token(token, self._keystore)), Known(token, caller))

    # -- proofs ----------------------------------------------------------------------------------

    async def _check(self, proof: Proof, actor: Actor) -> _Checked:
        match proof:
            case ByPassword():
                return _Checked(await self.owner(proof, actor), ("password",))
            case ByToken():
                return await self._by_token(proof)
            case ByCredential():
                return await self._by_credential(proof)

    async def _by_token(self, proof: ByToken) -> _Checked:
        earlier = await self._callers.known(proof.token.reveal())
        if earlier is None:
            raise NoSuchToken()
        if "ec2credential" in earlier.token.methods:
            raise NotFromHere(reason="this one was made from an access key")
        user = await self._log.get("user", id_key(earlier.caller.user_id))
        if not isinstance(user, User):
            raise LoginRefused()
        through = None
        if earlier.token.credential_id:
            key = id_key(earlier.token.credential_id)
            through = await self._log.get("application_credential", key)
            if through is None:
                raise LoginRefused()
        return _Checked(user, ("token", *earlier.token.methods), through, earlier)

    async def _by_credential(self, proof: ByCredential) -> _Checked:
        found = await self._credential(proof)
        user = None if found is None else await self._log.get("user", id_key(found.user_id))
        verifier = NOBODY
        if found is not None and isinstance(user, User) and await self._is_enabled(user):
            context = application_secret_context(found.id)
            verifier = self._keystore.unseal(found.sealed, context=context)
        whose = repr((proof.id, proof.name, proof.user))
        is_right = await self._passwords.matches(proof.secret, verifier, whose=whose)
        if found is None or user is None or not is_right:
            raise LoginRefused(user_id="" if found is None else found.user_id)
        return _Checked(user, ("application_credential",), found)

    async def _credential(self, proof: ByCredential) -> ApplicationCredential | None:
        if proof.id is not None:
            row = await self._log.get("application_credential", id_key(proof.id))
            return row if isinstance(row, ApplicationCredential) else None
        owner = await self._user(proof.user)
        if owner is None:
            return None
        return await application_credential_named(self._log, owner.id, proof.name)

    async def _user(self, ref: UserRef) -> User | None:
        if ref.id is not None:
            row = await self._log.get("user", id_key(ref.id))
            return row if isinstance(row, User) else None
        domain = await self._domain(ref.domain)
        return None if domain is None else await user_named(self._log, domain.id, ref.name)

    async def _domain(self, ref: DomainRef) -> Domain | None:
        if ref.id is not None:
            row = await self._log.get("domain", id_key(ref.id))
            return row if isinstance(row, Domain) else None
        return None if ref.name is None else await domain_named(self._log, ref.name)

    async def _may_come(self, user: User) -> bool:
        """Whether a right password would let the user in."""
        return not self._lockout.is_locked(user) and await self._is_enabled(user)

    async def _is_enabled(self, user: User) -> bool:
        """Whether the user and their domain are."""
        domain = await self._log.get("domain", id_key(user.domain_id))
        return user.enabled and isinstance(domain, Domain) and domain.enabled

    def _is_expired(self, user: User) -> bool:
        if user.options.get("ignore_password_expiry") is True:
            return False
        expires_us = user.password_expires_us
        return expires_us is not None and expires_us <= self._clock.now_us()

    # -- scopes ----------------------------------------------------------------------------------

    async def _place(self, scope: Scope) -> Place:
        match scope:
            case ProjectScope():
                project = await self._project(scope)
                if project is None:
                    raise LoginRefused()
                return (ScopeKind.PROJECT, project.id)
            case DomainScope():
                domain = await self._domain(scope.domain)
                if domain is None:
                    raise LoginRefused()
                return (ScopeKind.DOMAIN, domain.id)
            case SystemScope():
                return (ScopeKind.SYSTEM, "")
            case Unscoped():
                return (ScopeKind.UNSCOPED, "")

    async def _project(self, scope: ProjectScope) -> Project | None:
        if scope.id is not None:
            row = await self._log.get("project", id_key(scope.id))
            return row if isinstance(row, Project) else None
        domain = await self._domain(scope.domain)
        return None if domain is None else await project_named(self._log, domain.id, scope.name)

    async def _check_scope(self, scope: Scope | None, through: ApplicationCredential) -> None:
        """An application credential has its scope; to name the same one does no harm."""
        if scope is None:
            return
        project = await self._project(scope) if isinstance(scope, ProjectScope) else None
        if project is None or project.id != through.project_id:
            raise NotFromHere(reason="an application credential is for its own project")

    # -- the record ------------------------------------------------------------------------------

    def _drawn(
        self,
        user: User,
        methods: tuple[str, ...],
        through: ApplicationCredential | None,
        earlier: Known | None,
    ) -> Token:
        """Return an unscoped token's record. What it was made from bounds its life."""
        now_us = self._clock.now_us()
        expires_s = now_us // 1_000_000 + self._token_s
        if earlier is not None:
            expires_s = min(expires_s, earlier.token.expires_s)
        if through is not None and through.expires_us is not None:
            expires_s = min(expires_s, through.expires_us // 1_000_000)
        audit_id = audit_id_from(self._ids.random(16))
        return Token(
            user_id=user.id,
            user_stamp=user.tokens_from,
            methods=tuple(method for method in METHODS if method in methods),
            issued_us=now_us,
            expires_s=expires_s,
            audit_id=audit_id,
            chain_id=audit_id if earlier is None else earlier.token.chain_id,
            credential_id="" if through is None else through.id,
        )


def _placed(token: Token, place: Place) -> Token:
    return msgspec.structs.replace(token, scope=place[0], scope_id=place[1])


def _check_rescope(earlier: Known, scope: Scope | None) -> None:
    if earlier.token.scope is ScopeKind.SYSTEM and isinstance(scope, ProjectScope | DomainScope):
        raise NotFromHere(reason="this one is for the system")


def _is_enough(options: dict[str, Any], methods: tuple[str, ...]) -> bool:
    """Whether the methods meet one of the rules that the user may have for them.

    A rule is a list of methods that go together; those that nobody can use do not count.
    """
    rules = options.get("multi_factor_auth_rules")
    if not isinstance(rules, list) or options.get("multi_factor_auth_enabled") is False:
        return True
    usable = [set(rule) & set(METHODS) for rule in rules if isinstance(rule, list)]
    usable = [rule for rule in usable if rule]
    return not usable or any(rule <= set(methods) for rule in usable)
