"""Application credentials and access rules: made and deleted."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from computelite.errors import NameTaken
from computelite.identity.commands.common import new_id, there
from computelite.identity.errors import NoSuch, NotAllowed
from computelite.identity.events.actors import user_stream
from computelite.identity.events.credentials import (
    AccessRule,
    AccessRuleDeleted,
    ApplicationCredentialCreated,
    ApplicationCredentialDeleted,
)
from computelite.identity.guards import Absent, Present
from computelite.identity.keys import id_key, name_key, pair_key, under
from computelite.identity.queries import every, get_application_credential
from computelite.identity.rows import ApplicationCredential, Ref, Rule
from computelite.keystore import KeyStore
from computelite.secret import Secret
from eventlog.clock import Ids
from eventlog.log import Actor, Guard, Log
from eventlog.view import Rows


def application_secret_context(credential_id: str) -> bytes:
    """Return what the sealed verifier of an application credential's secret is bound to."""
    return b"application-credential/" + id_key(credential_id)


def draw_application_secret(ids: Ids) -> Secret:
    """Draw a secret of 86 characters (512 random bits)."""
    return Secret(base64.urlsafe_b64encode(ids.random(64)).rstrip(b"=").decode("ascii"))


async def create_application_credential(
    log: Log,
    ids: Ids,
    keystore: KeyStore,
    *,
    user_id: str,
    project_id: str,
    name: str,
    role_ids: Sequence[str],
    verifier: bytes,
    actor: Actor,
    description: str = "",
    unrestricted: bool = False,
    expires_us: int | None = None,
    access_rules: Sequence[AccessRule] = (),
    maker_id: str = "",
) -> ApplicationCredential:
    """Make an application credential. `verifier` is that of its secret.

    Raises:  NameTaken; NoSuch for the user, the project or the one that it is made with.
    """
    credential_id = new_id(ids)
    context = application_secret_context(credential_id)
    created = ApplicationCredentialCreated(
        credential_id=credential_id,
        user_id=user_id,
        project_id=project_id,
        name=name,
        role_ids=tuple(role_ids),
        sealed=keystore.seal(verifier, context=context),
        description=description,
        unrestricted=unrestricted,
        expires_us=expires_us,
        access_rules=tuple(access_rules),
        maker_id=maker_id,
    )

    def refusal() -> NameTaken:
        return NameTaken(kind="application credential", name=name)

    guards: list[Guard] = [
        Absent("application_credential_name", name_key(user_id, name), refusal),
        there("user", "user", user_id),
        there("project", "project", project_id),
    ]
    if maker_id:
        guards.append(there("application_credential", "application credential", maker_id))
    await log.append(user_stream(user_id), [created], actor=actor, guards=guards)
    return await get_application_credential(log, credential_id)


async def delete_application_credential(
    log: Log, credential: ApplicationCredential, *, actor: Actor
) -> None:
    """Delete an application credential, and the keys and the others that were made with it.

    Raises:  NoSuch.
    """
    guards = [there("application_credential", "application credential", credential.id)]
    deleted = ApplicationCredentialDeleted(credential_id=credential.id, user_id=credential.user_id)
    await log.append(user_stream(credential.user_id), [deleted], actor=actor, guards=guards)


async def application_credentials_of(log: Log, user_id: str) -> list[ApplicationCredential]:
    """Return a user's application credentials, the oldest first."""
    refs = every(log, "application_credential_of_user", Ref, under(user_id))
    rows = await log.get_many("application_credential", [id_key(ref.id) async for ref in refs])
    return [row for row in rows if isinstance(row, ApplicationCredential)]


async def delete_access_rule(log: Log, rule: Rule, *, actor: Actor) -> None:
    """Forget an access rule.

    Raises:  NoSuch; NotAllowed while an application credential has it.
    """

    def refusal() -> NoSuch:
        return NoSuch(kind="access rule", id=rule.id)

    guards: list[Guard] = [
        Present("access_rule", pair_key(rule.user_id, rule.id), refusal),
        _Unused(rule),
    ]
    deleted = AccessRuleDeleted(rule_id=rule.id, user_id=rule.user_id)
    await log.append(user_stream(rule.user_id), [deleted], actor=actor, guards=guards)


class _Unused:
    """Guard: no application credential has the rule."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def keys(self) -> list[tuple[str, bytes]]:
        return []

    def check(self, rows: Rows) -> None:
        lo, hi = under(self._rule.user_id)
        while found := rows.first("application_credential_of_user", lo, hi):
            credential = rows.get("application_credential", id_key(found[1].id))
            if credential is not None and any(
                each.id == self._rule.id for each in credential.access_rules
            ):
                raise NotAllowed(
                    reason=f"The access rule {self._rule.id} is in use by application credentials."
                )
            lo = found[0] + b"\0"
