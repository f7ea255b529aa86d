"""Access control lists, as far as S3 has words for who may do what here.

The owner has full control. What the bucket's Swift ACL gives to others is shown where S3 can say
it: everyone, every user, a user by id; roles, projects and referrers it cannot say. S3 sets one ACL
only, `private`, which takes all of that away.
"""

from __future__ import annotations

from collections.abc import Iterator

from swiftlite import acl
from swiftlite.access import READ_ACL, WRITE_ACL, Action, decide
from swiftlite.auth import ANONYMOUS
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import NotImplementedHere
from swiftlite.http.replies import Reply
from swiftlite.s3.buckets import owner
from swiftlite.s3.call import Call
from swiftlite.s3.xml import document, leaf, xml_reply

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"
_EVERY_USER = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


async def get_bucket_acl(call: Call) -> Reply:
    """Return who may do what with the bucket."""
    bucket = call.bucket
    writers = _users(bucket.settings.get(WRITE_ACL, ""), "WRITE")
    return _acl_of(bucket.owner, [*_readers(bucket, Action.LIST), *writers])


async def get_object_acl(call: Call) -> Reply:
    """Return who may do what with the object, which is what its bucket says."""
    version = await call.gateway.head_object(call.bucket, call.key, version_id=call.version_id())
    readers = _readers(call.bucket, Action.READ)
    return _acl_of(version.owner or call.bucket.owner, list(readers))


async def put_acl(call: Call) -> Reply:
    """Make the bucket private; accept for an object what is so already."""
    if call.request.headers.get("x-amz-acl") is None or await call.document():
        raise NotImplementedHere(feature="An access control list other than x-amz-acl: private")
    given = [name for name in (READ_ACL, WRITE_ACL) if name in call.bucket.settings]
    if call.key:
        await call.gateway.head_object(call.bucket, call.key, version_id=call.version_id())
        if given:
            raise NotImplementedHere(
                feature="An access control list for one object of a bucket that has one"
            )
    elif given:
        await call.gateway.describe_bucket(call.bucket, {}, given, actor=call.actor)
    return Reply(200)


def _readers(bucket: Bucket, action: Action) -> Iterator[str]:
    if decide(ANONYMOUS, action, bucket=bucket).allowed:
        yield _grant(_grantee("Group", leaf("URI", _EVERYONE)), "READ")
    yield from _users(bucket.settings.get(READ_ACL, ""), "READ")


def _users(text: str, permission: str) -> Iterator[str]:
    for pair in acl.parsed(text).pairs:
        if pair.user is None and pair.project is None:
            yield _grant(_grantee("Group", leaf("URI", _EVERY_USER)), permission)
        elif pair.user is not None and acl.is_id(pair.user):
            yield _grant(_person(pair.user), permission)


def _acl_of(user_id: str, grants: list[str]) -> Reply:
    all_grants = "".join([_grant(_person(user_id), "FULL_CONTROL"), *grants])
    return xml_reply(
        document(
            "AccessControlPolicy",
            owner(user_id),
            f"<AccessControlList>{all_grants}</AccessControlList>",
        )
    )


def _person(user_id: str) -> str:
    return _grantee("CanonicalUser", leaf("ID", user_id), leaf("DisplayName", user_id))


def _grantee(kind: str, *leaves: str) -> str:
    return f'<Grantee xmlns:xsi="{_XSI}" xsi:type="{kind}">{"".join(leaves)}</Grantee>'


def _grant(grantee: str, permission: str) -> str:
    return f"<Grant>{grantee}<Permission>{permission}</Permission></Grant>"
