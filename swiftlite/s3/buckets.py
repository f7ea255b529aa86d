"""Operations on buckets."""

from __future__ import annotations

import base64
import binascii

from swiftlite.access import is_listed
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import BucketAlreadyOwnedByYou, InvalidArgument, NoSuchBucket
from swiftlite.http.replies import Reply
from swiftlite.http.times import iso_from_us
from swiftlite.s3 import documents
from swiftlite.s3.call import Call
from swiftlite.s3.errors import InvalidLocationConstraint, MissingRequestBody, NoSuchConfiguration
from swiftlite.s3.operations import CONFIGURATIONS
from swiftlite.s3.request import number
from swiftlite.s3.xml import document, leaf, xml_reply

# Where creating one's own bucket again succeeds, as it always did.
_FIRST_REGION = "us-east-1"
_BUCKETS_MAX = 10_000

# What a bucket without a configuration answers: an error of its own, or a document.
_ABSENT = {
    "cors": "NoSuchCORSConfiguration",
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "object-lock": "ObjectLockConfigurationNotFoundError",
    "ownershipControls": "OwnershipControlsNotFoundError",
    "policy": "NoSuchBucketPolicy",
    "policyStatus": "NoSuchBucketPolicy",
    "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "replication": "ReplicationConfigurationNotFoundError",
    "tagging": "NoSuchTagSet",
    "website": "NoSuchWebsiteConfiguration",
}
_TRUE_OF_ALL = {
    "accelerate": document("AccelerateConfiguration"),
    "logging": document("BucketLoggingStatus"),
    "notification": document("NotificationConfiguration"),
    "requestPayment": document("RequestPaymentConfiguration", leaf("Payer", "BucketOwner")),
}


async def list_buckets(call: Call) -> Reply:
    """Return the caller's buckets, and nobody else's."""
    query = call.request.query
    limit = _BUCKETS_MAX
    if "max-buckets" in query:
        asked = number(query["max-buckets"], low=1, high=_BUCKETS_MAX)
        if asked is None:
            raise InvalidArgument(
                argument="max-buckets",
                value=query["max-buckets"][:64],
                reason=f"max-buckets must be an integer between 1 and {_BUCKETS_MAX}",
            )
        limit = asked
    prefix = query.get("prefix", "")
    principal = call.principal
    found: list[Bucket] = []
    token = ""
    if query.get("bucket-region", call.region) != call.region:
        pass
    elif principal.bucket is not None:
        found = await _only(call, principal.bucket, prefix)
    else:
        page = await call.gateway.list_buckets(
            principal.project_id,
            prefix=prefix,
            after=_from_token(query.get("continuation-token", "")),
            limit=limit,
        )
        found = [bucket for bucket in page.entries if is_listed(principal, bucket)]
        token = page.next if page.truncated else ""
    rows = "".join(
        f"<Bucket>{leaf('Name', bucket.name)}"
        f"{leaf('CreationDate', iso_from_us(bucket.created_us))}"
        f"{leaf('BucketRegion', bucket.region)}</Bucket>"
        for bucket in found
    )
    return xml_reply(
        document(
            "ListAllMyBucketsResult",
            owner(principal.user_id),
            f"<Buckets>{rows}</Buckets>",
            leaf("ContinuationToken", _token(token) or None),
            leaf("Prefix", prefix or None),
        )
    )


async def create_bucket(call: Call) -> Reply:
    """Create a bucket."""
    content = await call.document()
    constraint = documents.location(content) if content else ""
    if constraint not in ("", call.region):
        raise InvalidLocationConstraint()
    name = call.target.bucket
    try:
        await call.gateway.create_bucket(
            name,
            project_id=call.principal.project_id,
            owner=call.principal.user_id,
            region=call.region,
            actor=call.actor,
        )
    except BucketAlreadyOwnedByYou:
        if call.region != _FIRST_REGION:
            raise
    return Reply(200, {"Location": f"/{name}"})


async def head_bucket(call: Call) -> Reply:
    """Say that the bucket exists, and where."""
    return Reply(200, {"x-amz-bucket-region": call.bucket.region})


async def delete_bucket(call: Call) -> Reply:
    """Delete an empty bucket."""
    await call.gateway.delete_bucket(call.bucket, actor=call.actor)
    return Reply(204)


async def get_location(call: Call) -> Reply:
    """Return the bucket's region, which for the first one is spelled as nothing."""
    region = call.bucket.region
    return xml_reply(document("LocationConstraint", "" if region == _FIRST_REGION else region))


async def get_versioning(call: Call) -> Reply:
    """Return whether the bucket keeps versions; nothing if that was never set."""
    status = call.bucket.versioning.capitalize()
    return xml_reply(document("VersioningConfiguration", leaf("Status", status or None)))


async def put_versioning(call: Call) -> Reply:
    """Enable or suspend versions."""
    content = await call.document(must_promise=False)
    if not content:
        raise MissingRequestBody()
    mode = documents.versioning(content)
    await call.gateway.set_versioning(call.bucket, mode, actor=call.actor)
    return Reply(200)


async def get_configuration(call: Call) -> Reply:
    """Return what is true of every bucket here: it has no such configuration."""
    name = next(name for name in call.request.query if name in CONFIGURATIONS)
    if name in _ABSENT:
        raise NoSuchConfiguration(name=name, code=_ABSENT[name])
    return xml_reply(_TRUE_OF_ALL[name])


def owner(user_id: str, tag: str = "Owner") -> str:
    """Return an owner as an element."""
    return f"<{tag}>{leaf('ID', user_id)}{leaf('DisplayName', user_id)}</{tag}>"


async def _only(call: Call, name: str, prefix: str) -> list[Bucket]:
    """Return the one bucket that the key is for, if it exists."""
    try:
        bucket = await call.gateway.bucket(name, project_id=call.principal.project_id)
    except NoSuchBucket:
        return []
    return [bucket] if is_listed(call.principal, bucket) and name.startswith(prefix) else []


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (ValueError, binascii.Error):
        raise InvalidArgument(
            argument="continuation-token",
            value=token[:64],
            reason="The continuation token provided is incorrect",
        ) from None
