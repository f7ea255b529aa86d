"""The keys of the identity tables: bytes whose order is the wanted order.

    domain, project, user, group_, role ...   id
    domain_name                               name, as names are compared
    project_name, user_name, group_name       domain id, NUL, name, as names are compared
    role_name                                 domain id or "", NUL, the same
    application_credential_name               user id, NUL, the same
    project_child                             parent id / project id
    member, member_of                         group id / user id, and the other way round
    implied                                   role id / implied role id
    assignment, assignment_on                 actor / target / role / flag, and target / actor / ...
    association, association_of               project id / what is shown, and the other way round
    access_key                                key id
    *_of_user                                 user id / what is theirs

Ids hold neither NUL nor "/". Names may hold anything but NUL.

Pure: no clock, no IO.
"""

from __future__ import annotations

from unicodedata import normalize

from computelite.identity.rows import Assignment, Association


def id_key(id_: str) -> bytes:
    """Return the key of what has an id; nothing has one that is no Unicode text."""
    return id_.encode("utf-8", "surrogatepass")


def compared(name: str) -> str:
    """Return what two spellings of one name have in common.

    Neither the case of letters nor how accents are composed tells names apart, nor spaces at either
    end: "Admin" passes for "admin" everywhere, so nobody else can be called so.
    Source:  the Unicode Standard, D145 (canonical caseless matching); Keystone's MySQL collation.
    """
    # What Unicode says of a character in either regard, once it is assigned, stays so for ever:
    # the tables that another Python builds are the same.
    return normalize("NFD", normalize("NFD", name).casefold()).strip()


def domain_name_key(name: str) -> bytes:
    """Return the key of a domain's name."""
    return id_key(compared(name))


def name_key(owner_id: str, name: str) -> bytes:
    """Return the key of a name that is unique in a domain, or among what a user has."""
    return id_key(owner_id) + b"\0" + domain_name_key(name)


def pair_key(first: str, second: str) -> bytes:
    """Return the key of what lies between two ids."""
    return id_key(first) + b"/" + id_key(second)


def under(id_: str) -> tuple[bytes, bytes]:
    """Return the range (lo, hi) of all pairs whose first id is this."""
    stem = id_key(id_)
    return stem + b"/", stem + b"0"  # "0" follows "/"


def in_domain(domain_id: str) -> tuple[bytes, bytes]:
    """Return the range (lo, hi) of all names in a domain."""
    stem = id_key(domain_id)
    return stem + b"\0", stem + b"\1"


def actor_of(assignment: Assignment) -> str:
    """Return who has the role, as the tables name them."""
    return f"u-{assignment.user_id}" if assignment.user_id else f"g-{assignment.group_id}"


def target_of(assignment: Assignment) -> str:
    """Return where the role is, as the tables name it."""
    if assignment.project_id:
        return f"p-{assignment.project_id}"
    return f"d-{assignment.domain_id}" if assignment.domain_id else "system"


def assignment_key(row: Assignment) -> bytes:
    """assignment: those of one actor are together."""
    return _joined(actor_of(row), target_of(row), row)


def assignment_on_key(row: Assignment) -> bytes:
    """assignment_on: those on one target are together."""
    return _joined(target_of(row), actor_of(row), row)


def _joined(first: str, second: str, row: Assignment) -> bytes:
    kind = "inherited" if row.inherited else "direct"
    return f"{first}/{second}/{row.role_id}/{kind}".encode("utf-8", "surrogatepass")


def shown_of(association: Association) -> str:
    """Return what is shown, as the tables name it."""
    if association.endpoint_id:
        return f"e-{association.endpoint_id}"
    return f"g-{association.endpoint_group_id}"


def association_key(row: Association) -> bytes:
    """association: those of one project are together."""
    return pair_key(row.project_id, shown_of(row))


def association_of_key(row: Association) -> bytes:
    """association_of: those of one endpoint, or of one group, are together."""
    return pair_key(shown_of(row), row.project_id)


def revoked_key(expires_us: int, audit_id: str) -> bytes:
    """revoked_until: in the order in which they can be forgotten."""
    return max(0, expires_us).to_bytes(8, "big") + id_key(audit_id)
