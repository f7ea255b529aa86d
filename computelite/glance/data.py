"""The bytes of images: /v2/images/{image_id}/file and /stage."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from computelite.api.call import no_content
from computelite.api.errors import BadRequest, Forbidden
from computelite.api.routing import Reads, Route
from computelite.glance.access import owned_image, permits, seen_image
from computelite.glance.call import Call
from computelite.glance.errors import UnsupportedMedia
from computelite.glance.policy import POLICY
from computelite.glance.ranges import byte_range
from computelite.image.errors import OverLimit
from computelite.image.rows import STAGE, UPLOAD
from swiftlite.http.errors import IncompleteBody
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Buffer, Reply

_OCTETS = "application/octet-stream"
_SIZE = "x-openstack-image-size"


async def upload(call: Call) -> Reply:
    """Take an image's bytes; it is active when all of them are durable."""
    return await _receive(call, UPLOAD)


async def stage(call: Call) -> Reply:
    """Take an image's bytes, which an import makes the image's later."""
    return await _receive(call, STAGE)


async def download(call: Call) -> Reply:
    """Send an image's bytes, or a range of them."""
    image = await seen_image(call)
    POLICY.permit(call, call.project_id)
    if image.deactivated and not POLICY.allows(call.caller, "download_deactivated"):
        raise Forbidden(
            reason="The requested image has been deactivated. Image data download is forbidden."
        )
    content = image.content
    if content is None:
        return no_content()
    headers = {
        "Content-Type": _OCTETS,
        "Content-MD5": content.checksum,  # in hex, as Glance has it and its clients compare it
        "Accept-Ranges": "bytes",
    }
    start, end, status = 0, content.size, 200
    if (asked := call.headers.get("range")) is not None:
        found = byte_range(asked, content.size)
        if found is not None:
            start, end = found
            status = 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
            del headers["Content-MD5"]  # it is of the whole
    if call.request.method == "HEAD" or start == end:
        return Reply(status, headers, length=end - start)
    stream = await call.service.vault.open(image.id, content, start, end)
    return Reply(status, headers, stream=await _begun(stream), length=end - start)


async def _receive(call: Call, kind: str) -> Reply:
    await owned_image(call)
    media = call.headers.get("content-type", _OCTETS).partition(";")[0].strip().lower()
    if media != _OCTETS:
        raise UnsupportedMedia(reason=f"The Content-Type of an image's data is {_OCTETS}.")
    body = Body(call.incoming, announced=call.headers.get(_SIZE))
    most = call.service.limits.image_bytes
    if body.size is not None and body.size > most:
        raise OverLimit(reason=f"Image exceeds the limit of {most} bytes.")
    start = await call.service.start(call.params["image_id"], kind, permits(call), actor=call.actor)
    await call.service.receive(start, body, actor=call.actor)
    return no_content()


class Body:
    """A request's body, held to the size that was announced."""

    def __init__(self, incoming: Incoming, *, announced: str | None) -> None:
        """Raises:  BadRequest for a size that is none, or not the body's."""
        self.size = incoming.length
        if announced is not None:
            if not (announced.isascii() and announced.isdigit() and len(announced) <= 18):
                raise BadRequest(reason="Invalid or missing image size in request headers.")
            if self.size is not None and self.size != int(announced):
                raise BadRequest(reason="The body is not of the size that the headers announce.")
            self.size = int(announced)
        self._incoming = incoming
        self._seen = 0

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end.

        Raises:  IncompleteBody, BadRequest for another size than was announced.
        """
        data = await self._incoming.read()
        self._seen += len(data)
        if self.size is not None and (
            self._seen > self.size or (not data and self._seen < self.size)
        ):
            if self._incoming.length is not None:
                raise IncompleteBody()
            raise BadRequest(reason="The body is not of the size that the headers announce.")
        return data


async def _begun(stream: AsyncGenerator[Buffer, None]) -> AsyncGenerator[Buffer, None]:
    """Return the stream with its first piece read, while an error can still be told as one."""
    first = await anext(stream)

    async def whole() -> AsyncGenerator[Buffer, None]:
        async with aclosing(stream):
            yield first
            async for piece in stream:
                yield piece

    return whole()


ROUTES = (
    Route("PUT", "/v2/images/{image_id}/file", upload, "upload_image", Reads.STREAM),
    Route("GET", "/v2/images/{image_id}/file", download, "download_image"),
    Route("PUT", "/v2/images/{image_id}/stage", stage, "upload_image", Reads.STREAM),
)
