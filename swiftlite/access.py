"""Who may do what: the one decision, for every protocol, from the principal and the bucket.

Default deny. A bucket belongs to a project, whose people may use it as their roles say; its owners
may let others read or write objects by Swift's ACLs; a key may be narrowed to one bucket and to
reading; a signed link reaches what it names; without any of these there is only what an ACL gives
to everyone. Each decision names the rule that made it.

Pure: no clock, no IO.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

import msgspec

from swiftlite import acl
from swiftlite.auth import Link, Principal
from swiftlite.catalog.rows import Bucket


class Action(Enum):
    """What an operation does to whom; the smallest set that rights are given by."""

    LIST_BUCKETS = "list buckets"  # and read the account
    CHANGE_ACCOUNT = "change account"
    CREATE_BUCKET = "create bucket"
    DELETE_BUCKET = "delete bucket"
    READ_BUCKET = "read bucket"  # its settings
    CHANGE_BUCKET = "change bucket"  # its settings
    LIST = "list"  # the keys as they are, and that the bucket exists
    LIST_VERSIONS = "list versions"  # versions, uploads, parts
    READ = "read"  # objects as they are, and what is known of them
    READ_VERSION = "read version"  # versions by their ids
    WRITE = "write"  # objects and parts: new, replaced, deleted
    DELETE_VERSION = "delete version"  # versions by their ids

    # Members are compared by identity; Enum's own hash, written in Python, costs more than the rest
    # of a decision.
    __hash__ = object.__hash__


class Decision(msgspec.Struct, frozen=True):
    """Whether it is allowed, by which rule, and why (for people).

    `is_owner`: the caller also sees and changes what only owners may: ACLs, keys of signed links.
    """

    allowed: bool
    rule: str
    reason: str
    is_owner: bool = False


RESERVED = "."
"""What accounts begin with that are no project's, as that of images' bytes: nobody reaches them."""

READ_ACL = "read-acl"
WRITE_ACL = "write-acl"
# The domain of the project that set the ACLs, where that is not the domain `default`.
ACL_DOMAIN = "acl-domain"

READING = frozenset(
    {
        Action.LIST_BUCKETS,
        Action.READ_BUCKET,
        Action.LIST,
        Action.LIST_VERSIONS,
        Action.READ,
        Action.READ_VERSION,
    }
)
_ALL = frozenset(Action)
_ROLES = {"admin": _ALL, "manager": _ALL, "member": _ALL, "reader": READING}
RESELLER = "reselleradmin"
_READS = frozenset({"GET", "HEAD"})

# What an ACL can give, and which of a bucket's two gives it.
_GIVEN_BY = {Action.LIST: READ_ACL, Action.READ: READ_ACL, Action.WRITE: WRITE_ACL}

_NOBODY = Decision(False, "default", "nobody is known to ask")
_ANONYMOUS = Decision(False, "default", "anonymous requests are not allowed")
_OWN = Decision(False, "reserved", "the account is the cloud's own")
_NO_PROJECT = Decision(False, "no-project", "these credentials are for no project")
_OTHER_KEY = Decision(False, "key-bucket", "this key is for another bucket")
_OTHER_BUCKET = Decision(False, "other-project", "the bucket belongs to another project")
_OTHER_ACCOUNT = Decision(False, "other-project", "the account belongs to another project")
_OTHER_LINK = Decision(False, "link", "this link is for something else")
_LINK = Decision(True, "link", "a signed link reaches it")
_ANY_ACCOUNT = Decision(True, f"role {RESELLER}", "the role reaches every account", True)


def decide(
    principal: Principal,
    action: Action,
    *,
    bucket_name: str = "",
    bucket: Bucket | None = None,
    account: str | None = None,
    key: str = "",
    method: str = "",
    referrer: str = "",
    is_behind: bool = False,
) -> Decision:
    """Return whether the principal may do this, and why.

    `bucket` is the row that `bucket_name` names, None where there is none: then only who could have
    it may learn so. `account` is the project that the path names; None: the principal's own.
    `key` and `method` are what a link is held to; `referrer` is the request's `Referer`.
    `is_behind`: this is read for an object that points here, which the principal may read.
    """
    if principal.kind == "link":
        link = principal.link
        if link is None:
            return _NOBODY
        if is_behind:
            return _behind_link(link, action, bucket)
        return _by_link(link, action, bucket_name, account, key, method)
    given = None
    if bucket is not None and action in _GIVEN_BY:
        given = bucket.settings.get(_GIVEN_BY[action])
    public = _by_referrer(given, action, referrer) if given else None
    if principal.kind == "anonymous":
        return public or _ANONYMOUS
    if principal.kind != "user":
        return _NOBODY
    if not principal.project_id:
        return public or _NO_PROJECT
    if bucket is not None:
        account = bucket.project_id
    if account is not None and account.startswith(RESERVED):
        return _OWN
    is_own = account is None or account == principal.project_id
    if principal.read_only and action not in READING:
        return Decision(False, "key-read-only", f"this key may only read, not {action.value}")
    if principal.bucket is not None and not _is_of_key(principal, action, bucket_name, bucket):
        return _OTHER_KEY
    if RESELLER in principal.roles:
        return _ANY_ACCOUNT
    by_role = _by_role(principal.roles, action)
    if is_own and by_role.allowed:
        return by_role
    by_acl = None
    if given and bucket is not None:
        domain = bucket.settings.get(ACL_DOMAIN, acl.DEFAULT_DOMAIN)
        by_acl = _by_acl(given, principal, is_own, domain)
    if decision := by_acl or public:
        return decision
    # Who has no such role at home learns nothing of what there is elsewhere.
    if is_own or not by_role.allowed:
        return by_role
    return _OTHER_ACCOUNT if bucket is None else _OTHER_BUCKET


def is_listed(principal: Principal, bucket: Bucket) -> bool:
    """Whether the bucket appears when the principal lists buckets."""
    return bucket.project_id == principal.project_id and principal.bucket in (None, bucket.name)


def _is_of_key(
    principal: Principal, action: Action, bucket_name: str, bucket: Bucket | None
) -> bool:
    """Whether a key that is narrowed to one bucket reaches this one."""
    if action is Action.LIST_BUCKETS:
        return True
    if bucket is None:
        return bucket_name == principal.bucket
    # Another project's bucket of that name is another bucket, whoever may read it.
    return bucket.name == principal.bucket and bucket.project_id == principal.project_id


def _by_link(
    link: Link, action: Action, bucket_name: str, account: str | None, key: str, method: str
) -> Decision:
    if action not in (Action.READ, Action.WRITE) or method not in link.methods:
        return _OTHER_LINK
    if action is Action.READ and not _READS & {*link.methods}:
        return _OTHER_LINK  # as the source of a copy, whose metadata and ETag are told
    if account != link.account or bucket_name != link.container or not key:
        return _OTHER_LINK
    reaches = key == link.key if link.prefix is None else key.startswith(link.prefix)
    return _LINK if reaches else _OTHER_LINK


def _behind_link(link: Link, action: Action, bucket: Bucket | None) -> Decision:
    """Decide about what an object that the link reaches is made of."""
    if action not in (Action.READ, Action.LIST) or not _READS & {*link.methods}:
        return _OTHER_LINK
    if bucket is None or bucket.project_id != link.account:
        return _OTHER_LINK
    return _LINK if link.within in ("", bucket.name) else _OTHER_LINK


def _by_referrer(given: str, action: Action, referrer: str) -> Decision | None:
    """Return what the bucket's ACL gives to everyone who comes from there."""
    known = acl.parsed(given)
    if action is Action.WRITE or (action is Action.LIST and not known.has_listings):
        return None
    element = known.referrer_for(referrer)
    return None if element is None else _admitted(element)


def _by_acl(given: str, principal: Principal, is_own: bool, domain: str) -> Decision | None:
    """Return what the bucket's ACL gives to this user."""
    known = acl.parsed(given)
    element = known.pair_for(principal, domain=domain)
    if element is None and is_own:
        element = known.role_for(principal)
    return None if element is None else _admitted(element)


def _admitted(element: str) -> Decision:
    return Decision(True, f"acl {element}", "the bucket's ACL says so")


@lru_cache(1024)
def _by_role(roles: tuple[str, ...], action: Action) -> Decision:
    """Return what the roles allow in their own project."""
    found = [role for role in roles if action in _ROLES.get(role, ())]
    if not found:
        reason = f"no role of this user allows to {action.value}"
        return Decision(False, "no-role", reason)
    role = next((role for role in found if _ROLES[role] is _ALL), found[0])
    return Decision(True, f"role {role}", "it is of the user's own project", _ROLES[role] is _ALL)
