"""Access control lists: there is one, which gives the owner everything; nobody can change it."""

from __future__ import annotations

from swiftlite.errors import NotImplementedHere
from swiftlite.http.replies import Reply
from swiftlite.s3.buckets import owner
from swiftlite.s3.call import Call
from swiftlite.s3.xml import document, xml_reply

_XSI = "http://www.w3.org/2001/XMLSchema-instance"


async def get_bucket_acl(call: Call) -> Reply:
    """Return that the bucket's owner has full control."""
    return _acl_of(call.bucket.owner)


async def get_object_acl(call: Call) -> Reply:
    """Return that the object's owner has full control."""
    version = await call.gateway.head_object(call.bucket, call.key, version_id=call.version_id())
    return _acl_of(version.owner or call.bucket.owner)


async def put_acl(call: Call) -> Reply:
    """Accept what is so already: `x-amz-acl: private`."""
    if call.request.headers.get("x-amz-acl") is None or await call.document():
        raise NotImplementedHere(feature="An access control list other than x-amz-acl: private")
    if call.key:
        await call.gateway.head_object(call.bucket, call.key, version_id=call.version_id())
    return Reply(200)


def _acl_of(user_id: str) -> Reply:
    grantee = owner(user_id, "Grantee").replace(
        "<Grantee>", f'<Grantee xmlns:xsi="{_XSI}" xsi:type="CanonicalUser">', 1
    )
    grant = f"<Grant>{grantee}<Permission>FULL_CONTROL</Permission></Grant>"
    return xml_reply(
        document(
            "AccessControlPolicy",
            owner(user_id),
            f"<AccessControlList>{grant}</AccessControlList>",
        )
    )
