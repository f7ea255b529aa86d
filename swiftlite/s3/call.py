"""A call: one authenticated request on its way to the handler that answers it."""

from __future__ import annotations

import re
from collections.abc import Callable

from eventlog.errors import CloudError
from eventlog.log import Actor
from swiftlite.access import RESELLER, Action, Decision, decide
from swiftlite.auth import Principal
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.errors import InvalidArgument, NoSuchBucket
from swiftlite.gateway.gateway import Gateway
from swiftlite.http.incoming import Incoming
from swiftlite.s3.authenticate import Caller
from swiftlite.s3.checksums import response_headers
from swiftlite.s3.errors import AccessDenied
from swiftlite.s3.operations import Target
from swiftlite.s3.payload import document_of
from swiftlite.s3.request import Request, number

DOCUMENT_SIZE_MAX = 1 << 20
PAGE_MAX = 1000
_AGENT_SIZE_MAX = 256
_VERSION_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Call:
    """What a handler works with. Its principal was allowed this operation on this bucket."""

    __slots__ = (
        "_bucket",
        "_note",
        "caller",
        "gateway",
        "incoming",
        "region",
        "request",
        "request_id",
        "target",
    )

    def __init__(
        self,
        gateway: Gateway,
        request: Request,
        target: Target,
        caller: Caller,
        incoming: Incoming,
        *,
        region: str,
        request_id: str,
        bucket: Bucket | None,
        note: Callable[[CloudError, str], None],
    ) -> None:
        self._note = note
        self.gateway = gateway
        self.request = request
        self.target = target
        self.caller = caller
        self.incoming = incoming
        self.region = region
        self.request_id = request_id
        self._bucket = bucket

    @property
    def bucket(self) -> Bucket:
        """The bucket that the request is about."""
        assert self._bucket is not None, self.target.operation
        return self._bucket

    @property
    def key(self) -> str:
        """The key that the request is about."""
        return self.target.key

    @property
    def principal(self) -> Principal:
        """Who sends the request."""
        return self.caller.principal

    @property
    def actor(self) -> Actor:
        """On whose behalf events are appended."""
        agent = self.request.headers.get("user-agent", "")[:_AGENT_SIZE_MAX]
        if not agent.isascii():
            agent = agent.encode("utf-8", "replace").decode()
        return Actor(
            id=self.principal.user_id,
            request_id=self.request_id,
            source=self.request.source,
            agent=agent,
        )

    async def readable_bucket(self, name: str, key: str, version_id: str | None) -> Bucket:
        """Return another bucket, to copy this from.

        Raises:  AccessDenied, NoSuchBucket.
        """
        action = Action.READ if version_id is None else Action.READ_VERSION
        bucket, _ = await allowed_bucket(
            self.gateway, self.request, self.principal, action, name, key
        )
        return bucket

    def check_access(self, action: Action) -> None:
        """Return if the principal may do this too, beyond what the operation by itself does.

        Raises:  AccessDenied.
        """
        check_access(self.request, self.principal, action, self.target.bucket, self.bucket)

    async def check_room(self, size: int | None) -> None:
        """Return if the bucket and its account have room for an object of this size.

        Raises:  QuotaExceeded.
        """
        is_reseller = RESELLER in self.principal.roles
        await self.gateway.room_for(self.bucket, size, is_reseller=is_reseller)

    def note_refusal(self, error: CloudError, key: str) -> None:
        """Record that one entry of many was refused, if that is what the error says."""
        self._note(error, key)

    async def document(
        self,
        *,
        limit: int = DOCUMENT_SIZE_MAX,
        must_promise: bool = False,
        has_checksum: bool = True,
    ) -> bytes:
        """Return the request's document.

        Raises:  as `payload.document_of`.
        """
        return await document_of(
            self.request,
            self.incoming,
            self.caller,
            limit=limit,
            must_promise=must_promise,
            has_checksum=has_checksum,
        )

    def check_elsewhere(self, action: Action, bucket: Bucket) -> None:
        """Return if the principal may do this with a bucket that an object points at.

        Raises:  AccessDenied.
        """
        check_access(self.request, self.principal, action, bucket.name, bucket)

    def version_id(self) -> str | None:
        """Return the version that the query names, "" for the null version, None for none.

        Raises:  InvalidArgument.
        """
        text = self.request.query.get("versionId")
        return None if text is None else version_id_from(text)

    def upload_id(self) -> bytes:
        """Return the upload that the query names; no upload has the id b""."""
        text = self.request.query.get("uploadId", "")
        return bytes.fromhex(text) if _UPLOAD_ID.fullmatch(text) else b""

    def page_size(self, name: str) -> int:
        """Return how many entries the client wants at most.

        Raises:  InvalidArgument.
        """
        text = self.request.query.get(name, "")
        if text == "":
            return PAGE_MAX
        size = number(text, low=0, high=2**31 - 1)
        if size is None:
            raise InvalidArgument(
                argument=name,
                value=text[:64],
                reason=f"Argument {name} must be an integer between 0 and 2147483647",
            )
        return min(size, PAGE_MAX)

    def number_of(self, name: str, *, high: int) -> int:
        """Return a number from 1 to `high` that the query must have.

        Raises:  InvalidArgument.
        """
        text = self.request.query.get(name, "")
        value = number(text, low=1, high=high)
        if value is None:
            raise InvalidArgument(
                argument=name,
                value=text[:64],
                reason=f"Part number must be an integer between 1 and {high}, inclusive",
            )
        return value

    def version_headers(self, version: Version) -> dict[str, str]:
        """Return what a write answers about the version that it made."""
        headers = {
            "ETag": f'"{version.etag}"',
            "x-cumulog-position": str(version.begin),
            **response_headers(version.checksums, version.checksum_type),
        }
        if self.bucket.versioning:
            headers["x-amz-version-id"] = version.version_id or "null"
        return headers


def check_access(
    request: Request,
    principal: Principal,
    action: Action,
    name: str,
    bucket: Bucket | None,
    key: str = "",
) -> Decision:
    """Return why the principal may do this to the bucket of this name.

    Raises:  AccessDenied.
    """
    decision = decide(
        principal,
        action,
        bucket_name=name,
        bucket=bucket,
        referrer=request.headers.get("referer", ""),
    )
    if not decision.allowed:
        raise AccessDenied(
            reason=f"Access Denied: {decision.reason}",
            rule=decision.rule,
            on_bucket=name,
            on_key=key,
        )
    return decision


async def allowed_bucket(
    gateway: Gateway,
    request: Request,
    principal: Principal,
    action: Action,
    name: str,
    key: str = "",
) -> tuple[Bucket, Decision]:
    """Return the bucket of this name, and why the principal may do this to it.

    Raises:  AccessDenied; NoSuchBucket for those only who could have it.
    """
    bucket, missing = None, None
    try:
        bucket = await gateway.bucket(name, project_id=principal.project_id)
    except NoSuchBucket as error:
        missing = error
    decision = check_access(request, principal, action, name, bucket, key)
    if bucket is None:
        assert missing is not None
        raise missing
    return bucket, decision


def version_id_from(text: str) -> str:
    """Return a version id as the catalog has it: "" for `null`.

    Raises:  InvalidArgument for what is no version id at all.
    """
    if text == "null":
        return ""
    if not _VERSION_ID.fullmatch(text):
        raise InvalidArgument(
            argument="versionId", value=text[:64], reason="Invalid version id specified"
        )
    return text
