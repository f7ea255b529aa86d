"""Who may do what: the one decision, for every protocol, from the principal and the bucket.

Default deny. Today a bucket belongs to a project, whose people may use it as their roles say; a key
may be narrowed to one bucket and to reading. Anonymous callers may do nothing.

Pure: no clock, no IO.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from swiftlite.auth import Principal
from swiftlite.catalog.rows import Bucket


class Action(Enum):
    """What an operation does to whom; the smallest set that rights are given by."""

    LIST_BUCKETS = "list buckets"
    CREATE_BUCKET = "create bucket"
    DELETE_BUCKET = "delete bucket"
    READ_BUCKET = "read bucket"  # its settings, and that it exists
    CHANGE_BUCKET = "change bucket"  # its settings
    LIST = "list"  # keys, versions, uploads, parts
    READ = "read"  # objects and what is known of them
    WRITE = "write"  # objects, versions, parts: new, replaced, deleted

    # Members are compared by identity; Enum's own hash, written in Python, costs more than the rest
    # of a decision.
    __hash__ = object.__hash__


_READING = frozenset({Action.LIST_BUCKETS, Action.READ_BUCKET, Action.LIST, Action.READ})
_ROLES = {
    "admin": frozenset(Action),
    "member": frozenset(Action),
    "reader": _READING,
}


def refusal(
    principal: Principal, action: Action, *, bucket_name: str = "", bucket: Bucket | None = None
) -> str | None:
    """Return why the principal may not do this, or None if it may.

    Ask with the name alone before anything is looked up, so that a refused caller learns nothing of
    what exists, and again with the bucket's row once it is known.
    """
    if principal.kind != "user":
        return "anonymous requests are not allowed"
    if action not in _allowed(principal.roles):
        return f"no role of this user allows to {action.value}"
    if principal.read_only and action not in _READING:
        return f"this key may only read, not {action.value}"
    if principal.bucket is not None and action is not Action.LIST_BUCKETS:
        named = bucket.name if bucket is not None else bucket_name
        if named != principal.bucket:
            return "this key is for another bucket"
    if bucket is not None and bucket.project_id != principal.project_id:
        return "the bucket belongs to another project"
    return None


def is_listed(principal: Principal, bucket: Bucket) -> bool:
    """Whether the bucket appears when the principal lists buckets."""
    return bucket.project_id == principal.project_id and principal.bucket in (None, bucket.name)


@lru_cache(256)
def _allowed(roles: tuple[str, ...]) -> frozenset[Action]:
    return frozenset().union(*(_ROLES.get(role, frozenset()) for role in roles))
