"""The edge: one path for every request. Authenticate, understand, decide, handle, render."""

from __future__ import annotations

import base64
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

from aiohttp.http import RawRequestMessage

from eventlog.clock import Clock, Ids
from eventlog.errors import CloudError, Unavailable
from eventlog.records.record import Kind, Records, Unrecorded
from swiftlite.auth import Authenticator
from swiftlite.errors import NotImplementedHere
from swiftlite.gateway.gateway import Gateway
from swiftlite.http.errors import BadHead
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply, head_bytes
from swiftlite.http.times import http_from_us
from swiftlite.s3 import acls, buckets, copying, listing, multipart, objects
from swiftlite.s3.authenticate import authenticate
from swiftlite.s3.call import Call, allowed_bucket, check_access
from swiftlite.s3.codes import INTERNAL, code_of, error_document, error_headers
from swiftlite.s3.errors import NotModified
from swiftlite.s3.headers import check_owner, check_understood, etag_of
from swiftlite.s3.operations import Operation, target_of, virtual_bucket_of
from swiftlite.s3.recorded import Attempt
from swiftlite.s3.request import Request, parse_headers

log = logging.getLogger(__name__)

Handler = Callable[[Call], Awaitable[Reply]]

HANDLERS: Mapping[Operation, Handler] = {
    Operation.LIST_BUCKETS: buckets.list_buckets,
    Operation.CREATE_BUCKET: buckets.create_bucket,
    Operation.HEAD_BUCKET: buckets.head_bucket,
    Operation.DELETE_BUCKET: buckets.delete_bucket,
    Operation.GET_BUCKET_LOCATION: buckets.get_location,
    Operation.GET_BUCKET_VERSIONING: buckets.get_versioning,
    Operation.PUT_BUCKET_VERSIONING: buckets.put_versioning,
    Operation.GET_BUCKET_ACL: acls.get_bucket_acl,
    Operation.PUT_BUCKET_ACL: acls.put_acl,
    Operation.GET_BUCKET_CONFIGURATION: buckets.get_configuration,
    Operation.LIST_OBJECTS: listing.list_objects,
    Operation.LIST_OBJECTS_V2: listing.list_objects_v2,
    Operation.LIST_OBJECT_VERSIONS: listing.list_versions,
    Operation.LIST_MULTIPART_UPLOADS: listing.list_uploads,
    Operation.DELETE_OBJECTS: objects.delete_objects,
    Operation.GET_OBJECT: objects.get_object,
    Operation.HEAD_OBJECT: objects.head_object,
    Operation.GET_OBJECT_ATTRIBUTES: objects.get_attributes,
    Operation.GET_OBJECT_ACL: acls.get_object_acl,
    Operation.PUT_OBJECT_ACL: acls.put_acl,
    Operation.PUT_OBJECT: objects.put_object,
    Operation.COPY_OBJECT: copying.copy_object,
    Operation.DELETE_OBJECT: objects.delete_object,
    Operation.CREATE_MULTIPART_UPLOAD: multipart.create_upload,
    Operation.UPLOAD_PART: multipart.put_part,
    Operation.UPLOAD_PART_COPY: copying.copy_part,
    Operation.COMPLETE_MULTIPART_UPLOAD: multipart.complete_upload,
    Operation.ABORT_MULTIPART_UPLOAD: multipart.abort_upload,
    Operation.LIST_PARTS: multipart.list_parts,
}

_WITHOUT_BUCKET = frozenset({Operation.LIST_BUCKETS, Operation.CREATE_BUCKET})
_REPLY_HEADERS_OF_ERRORS = {"Content-Type": "application/xml"}


class S3App:
    """Answers S3 requests about one store."""

    def __init__(
        self,
        gateway: Gateway,
        authenticator: Authenticator,
        *,
        clock: Clock,
        ids: Ids,
        region: str,
        domains: Collection[str] = ("localhost",),
        records: Records | None = None,
        count: Callable[[int], None] = lambda status: None,
    ) -> None:
        """`domains`: names under which a bucket may be the first label of the host.

        `records` gets who was refused, and who read, if it wants that; `count` each status.
        """
        self._gateway = gateway
        self._authenticator = authenticator
        self._clock = clock
        self._last_request_id = int.from_bytes(ids.random(8), "big")
        self._region = region
        self._domains = tuple(domain.lower() for domain in domains)
        self._records = records or Unrecorded()
        self._has_reads = self._records.wants(Kind.READ)
        self._count = count
        self._host_id = base64.b64encode(ids.random(24)).decode()

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> tuple[Reply, str]:
        """Return the reply and the request's id. Raises nothing but CancelledError."""
        request_id = self._new_request_id()
        attempt = Attempt(request_id, message.method, source)
        try:
            reply = await self._handle(message, incoming, secure, attempt)
            if self._has_reads and attempt.target is not None and attempt.target.is_reading:
                now_us = self._clock.now_us()
                self._records.add(attempt.reading(reply.status, now_us=now_us))
        except CloudError as error:
            self._note(attempt, error)
            reply = self._told(error, message.path, request_id)
        except Exception:
            # The last line of defence: a bug, of which the client learns nothing but its number.
            log.exception("request %s failed: %s", request_id, message.method)
            reply = self._error(INTERNAL.status, None, message.path, request_id)
        if message.method == "HEAD":
            reply.length = reply.length if reply.status < 400 else 0
            reply.body = b""
        self._count(reply.status)
        return reply, request_id

    def refusal(self, error: CloudError) -> tuple[Reply, str]:
        """Return the answer to what never became a request."""
        # Not logged one by one: whoever connects could fill a disk with the lines.
        request_id = self._new_request_id()
        status = code_of(error).status
        self._count(status)
        return self._error(status, error, "", request_id), request_id

    def head_of(self, reply: Reply, request_id: str) -> bytes:
        """Return the reply's status line and headers."""
        return head_bytes(
            reply,
            own=f"x-amz-request-id: {request_id}\r\nx-amz-id-2: {self._host_id}\r\n",
            now_s=self._clock.now_us() // 1_000_000,
        )

    async def _handle(
        self,
        message: RawRequestMessage,
        incoming: Incoming,
        secure: bool,
        attempt: Attempt,
    ) -> Reply:
        names, headers = parse_headers(message.raw_headers)
        request = Request(
            method=message.method,
            target=message.path,
            headers=headers,
            names=names,
            secure=secure,
            source=attempt.source,
        )
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            # What is not undone here would be stored as if it were the object.
            raise NotImplementedHere(feature="A Transfer-Encoding other than chunked")
        host = headers.get("host")
        if host is None:
            raise BadHead()
        virtual_bucket = virtual_bucket_of(host, self._domains)
        attempt.request = request
        caller = await authenticate(
            request,
            self._authenticator,
            region=self._region,
            now_us=self._clock.now_us(),
            virtual_bucket=virtual_bucket,
        )
        attempt.principal = caller.principal
        target = target_of(request, virtual_bucket=virtual_bucket, signed_by=caller.signed_by)
        attempt.target = target
        bucket = None
        if target.operation in _WITHOUT_BUCKET:
            attempt.decision = check_access(
                request, caller.principal, target.action, target.bucket, None
            )
        else:
            bucket, attempt.decision = await allowed_bucket(
                self._gateway, request, caller.principal, target.action, target.bucket
            )
            check_owner(request.headers, "x-amz-expected-bucket-owner", bucket)
        check_understood(request)
        call = Call(
            self._gateway,
            request,
            target,
            caller,
            incoming,
            region=self._region,
            request_id=attempt.request_id,
            bucket=bucket,
            note=partial(self._note, attempt),
        )
        return await HANDLERS[target.operation](call)

    def _note(self, attempt: Attempt, error: CloudError, key: str = "") -> None:
        """Record a refusal of the caller; other errors are about what was asked."""
        if attempt.is_refused(error):
            self._records.add(attempt.refusal(error, now_us=self._clock.now_us(), key=key))

    def _told(self, error: CloudError, resource: str, request_id: str) -> Reply:
        if isinstance(error, NotModified):
            version = error.version
            headers = {
                "ETag": f'"{etag_of(version)}"',
                "Last-Modified": http_from_us(version.modified_us),
            }
            return Reply(304, headers)
        if code_of(error) is INTERNAL:
            log.error("request %s: %s", request_id, error)
        elif isinstance(error, Unavailable):
            log.warning("request %s: %s", request_id, error)
        return self._error(code_of(error).status, error, resource, request_id)

    def _error(
        self, status: int, error: CloudError | None, resource: str, request_id: str
    ) -> Reply:
        body = error_document(
            INTERNAL if error is None else code_of(error),
            error,
            # The path alone: a query may hold a signature.
            resource=resource.partition("?")[0],
            request_id=request_id,
            host_id=self._host_id,
        )
        headers = _REPLY_HEADERS_OF_ERRORS
        if error is not None:
            headers = headers | error_headers(error)
        return Reply(status, headers, body)

    def _new_request_id(self) -> str:
        """Return a number that no other request of any process has, in all likelihood."""
        self._last_request_id = (self._last_request_id + 1) & (2**64 - 1)
        return f"{self._last_request_id:016X}"
