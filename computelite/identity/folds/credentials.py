"""How the tables of keys, application credentials, other credentials and dead tokens change.

Pure: no clock, no IO.
"""

from __future__ import annotations

from computelite.identity.events import credentials as events
from computelite.identity.folds.fold import Folds, changes_of, every, replace
from computelite.identity.keys import id_key, name_key, pair_key, revoked_key, under
from computelite.identity.rows import (
    AccessKey,
    ApplicationCredential,
    Credential,
    Ref,
    RevokedToken,
    Rule,
    credential_id_of,
)
from eventlog.log import Recorded
from eventlog.view import Rows

# A revocation looks for so many that nobody need remember any more: more go than come.
_FORGOTTEN_AT_ONCE = 4


def forget_user_secrets(rows: Rows, user_id: str) -> None:
    """Forget a deleted user's keys and credentials."""
    for _, ref in every(rows, "key_of_user", under(user_id)):
        _drop_key(rows, ref.id)
    for _, ref in every(rows, "application_credential_of_user", under(user_id)):
        _drop_application_credential(rows, ref.id)
    for key, _ in every(rows, "access_rule", under(user_id)):
        rows.delete("access_rule", key)
    for key, ref in every(rows, "credential_of_user", under(user_id)):
        rows.delete("credential", id_key(ref.id))
        rows.delete("credential_of_user", key)


def forget_project_secrets(rows: Rows, project_id: str) -> None:
    """Forget the keys and application credentials on a deleted project."""
    for _, ref in every(rows, "key_on_project", under(project_id)):
        _drop_key(rows, ref.id)
    for _, ref in every(rows, "application_credential_on_project", under(project_id)):
        _drop_application_credential(rows, ref.id)


def key_created(rows: Rows, rec: Recorded, event: events.AccessKeyCreated) -> None:
    credential_id = event.credential_id or credential_id_of(event.key_id)
    key = AccessKey(
        key_id=event.key_id,
        user_id=event.user_id,
        project_id=event.project_id,
        sealed=event.sealed,
        bucket=event.bucket,
        read_only=event.read_only,
        description=event.description,
        enabled=True,
        created_us=rec.committed_us,
        credential_id=credential_id,
        application_credential_id=event.application_credential_id,
    )
    ref = Ref(id=key.key_id)
    rows.put("access_key", id_key(key.key_id), key)
    rows.put("access_key_by_credential", id_key(credential_id), ref)
    rows.put("key_of_user", pair_key(key.user_id, key.key_id), ref)
    rows.put("key_on_project", pair_key(key.project_id, key.key_id), ref)


def key_disabled(rows: Rows, rec: Recorded, event: events.AccessKeyDisabled) -> None:
    replace(rows, "access_key", id_key(event.key_id), enabled=False)


def key_enabled(rows: Rows, rec: Recorded, event: events.AccessKeyEnabled) -> None:
    replace(rows, "access_key", id_key(event.key_id), enabled=True)


def key_deleted(rows: Rows, rec: Recorded, event: events.AccessKeyDeleted) -> None:
    _drop_key(rows, event.key_id)


def _drop_key(rows: Rows, key_id: str) -> None:
    if (key := rows.get("access_key", id_key(key_id))) is None:
        return
    rows.delete("access_key", id_key(key_id))
    rows.delete("access_key_by_credential", id_key(key.credential_id))
    rows.delete("key_of_user", pair_key(key.user_id, key_id))
    rows.delete("key_on_project", pair_key(key.project_id, key_id))


def application_credential_created(
    rows: Rows, rec: Recorded, event: events.ApplicationCredentialCreated
) -> None:
    row = ApplicationCredential(
        id=event.credential_id,
        user_id=event.user_id,
        project_id=event.project_id,
        name=event.name,
        role_ids=event.role_ids,
        sealed=event.sealed,
        description=event.description,
        unrestricted=event.unrestricted,
        expires_us=event.expires_us,
        access_rules=event.access_rules,
        created_us=rec.committed_us,
        maker_id=event.maker_id,
    )
    ref = Ref(id=row.id)
    rows.put("application_credential", id_key(row.id), row)
    rows.put("application_credential_name", name_key(row.user_id, row.name), ref)
    rows.put("application_credential_of_user", pair_key(row.user_id, row.id), ref)
    rows.put("application_credential_on_project", pair_key(row.project_id, row.id), ref)
    for one in event.access_rules:
        rule = Rule(
            id=one.id, user_id=row.user_id, service=one.service, method=one.method, path=one.path
        )
        rows.put("access_rule", pair_key(row.user_id, rule.id), rule)


def application_credential_deleted(
    rows: Rows, rec: Recorded, event: events.ApplicationCredentialDeleted
) -> None:
    _drop_application_credential(rows, event.credential_id)


def _drop_application_credential(rows: Rows, credential_id: str) -> None:
    if (row := rows.get("application_credential", id_key(credential_id))) is None:
        return
    # What was made with it goes with it.
    for _, ref in every(rows, "key_of_user", under(row.user_id)):
        key = rows.get("access_key", id_key(ref.id))
        if key is not None and key.application_credential_id == row.id:
            _drop_key(rows, ref.id)
    rows.delete("application_credential", id_key(row.id))
    rows.delete("application_credential_name", name_key(row.user_id, row.name))
    rows.delete("application_credential_of_user", pair_key(row.user_id, row.id))
    rows.delete("application_credential_on_project", pair_key(row.project_id, row.id))
    for _, ref in every(rows, "application_credential_of_user", under(row.user_id)):
        made = rows.get("application_credential", id_key(ref.id))
        if made is not None and made.maker_id == row.id:
            _drop_application_credential(rows, made.id)


def access_rule_deleted(rows: Rows, rec: Recorded, event: events.AccessRuleDeleted) -> None:
    rows.delete("access_rule", pair_key(event.user_id, event.rule_id))


def credential_created(rows: Rows, rec: Recorded, event: events.CredentialCreated) -> None:
    row = Credential(
        id=event.credential_id,
        user_id=event.user_id,
        project_id=event.project_id,
        type=event.type,
        sealed=event.sealed,
        created_us=rec.committed_us,
    )
    rows.put("credential", id_key(row.id), row)
    rows.put("credential_of_user", pair_key(row.user_id, row.id), Ref(id=row.id))


def credential_changed(rows: Rows, rec: Recorded, event: events.CredentialChanged) -> None:
    changes = changes_of(event, but="credential_id")
    replace(rows, "credential", id_key(event.credential_id), **changes)


def credential_deleted(rows: Rows, rec: Recorded, event: events.CredentialDeleted) -> None:
    rows.delete("credential", id_key(event.credential_id))
    rows.delete("credential_of_user", pair_key(event.user_id, event.credential_id))


def token_revoked(rows: Rows, rec: Recorded, event: events.TokenRevoked) -> None:
    before = revoked_key(rec.committed_us, "")
    for key, old in rows.scan("revoked_until", b"", before, _FORGOTTEN_AT_ONCE):
        rows.delete("revoked_until", key)
        rows.delete("revoked", id_key(old.id))
    known = rows.get("revoked", id_key(event.audit_id))
    if known is not None:
        rows.delete("revoked_until", revoked_key(known.expires_us, known.audit_id))
    row = RevokedToken(
        audit_id=event.audit_id,
        expires_us=max(event.expires_us, known.expires_us if known else 0),
        is_chain=event.is_chain or (known is not None and known.is_chain),
    )
    rows.put("revoked", id_key(row.audit_id), row)
    rows.put("revoked_until", revoked_key(row.expires_us, row.audit_id), Ref(id=row.audit_id))


FOLDS: Folds = {
    events.AccessKeyCreated: key_created,
    events.AccessKeyDisabled: key_disabled,
    events.AccessKeyEnabled: key_enabled,
    events.AccessKeyDeleted: key_deleted,
    events.ApplicationCredentialCreated: application_credential_created,
    events.ApplicationCredentialDeleted: application_credential_deleted,
    events.AccessRuleDeleted: access_rule_deleted,
    events.CredentialCreated: credential_created,
    events.CredentialChanged: credential_changed,
    events.CredentialDeleted: credential_deleted,
    events.TokenRevoked: token_revoked,
}
