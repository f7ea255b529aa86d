"""FormPost: files that a browser's form uploads, under a form that somebody with a key signed.

The signature is over the path, `redirect`, `max_file_size`, `max_file_count` and `expires`. Nothing
is stored before it was verified, and no file of which more comes than was signed for.

Source: Swift's "FormPost" (2026-08).
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from html import escape
from urllib.parse import quote

from eventlog.errors import CloudError
from swiftlite.auth import Link, Principal
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply
from swiftlite.swift.bulk_answer import status_line
from swiftlite.swift.call import Call, World
from swiftlite.swift.errors import HTML, PLAIN, Declined, Denied, reason_of, status_of
from swiftlite.swift.link_access import keys_of
from swiftlite.swift.multipart_form import Data, End, Event, MultipartParser, Part, boundary_of
from swiftlite.swift.objects import put_object
from swiftlite.swift.request import Request
from swiftlite.swift.signatures import FORM_DIGESTS, LinkKey, parse_signature, signer

VALUE_MAX = 4096  # bytes of a field's value; more is cut off
FIELDS_MAX = 1000

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)


def is_form(request: Request) -> bool:
    """Return whether the request is a browser's form."""
    if request.method != "POST":
        return False
    return boundary_of(request.headers.get("content-type", "")) is not None


async def post_form(world: World, request: Request, incoming: Incoming, trans_id: str) -> Reply:
    """Store the files of a form, and send the browser where the form says.

    Raises:  Denied for a form that nobody signed, or that is over; Declined: 400 for one that
             cannot be read.
    """
    boundary = boundary_of(request.headers["content-type"])
    assert boundary is not None
    keys = await keys_of(world, request) if request.container and request.project_id else []
    form = _Form(world, request, trans_id, keys)
    async with aclosing(_events(incoming, MultipartParser(boundary))) as events:
        async for event in events:
            if isinstance(event, Part):
                if event.filename:
                    await form.file(event, events)
                else:
                    await form.field(event, events)
            if form.is_over:
                break
    return form.answer()


class _Form:
    """One form on its way in."""

    def __init__(self, world: World, request: Request, trans_id: str, keys: list[LinkKey]) -> None:
        self.is_over = False
        self._world = world
        self._request = request
        self._trans_id = trans_id
        self._keys = keys
        self._fields: dict[str, str] = {}
        self._files = 0
        self._status, self._message, self._body = 0, "", ""

    def answer(self) -> Reply:
        """Return what became of the form."""
        status, message = self._status, self._message
        if not status:
            status, message = 400, "no files to process"
        redirect = self._fields.get("redirect", "")
        if not redirect or not self._is_signed():
            body = status_line(status)
            if message:
                body += "\r\nFormPost: " + message.title()
            return Reply(status, {"Content-Type": PLAIN}, (self._body or body).encode())
        redirect += "&" if "?" in redirect else "?"
        redirect += f"status={status}&message={quote(message)}"
        link = f'<a href="{escape(redirect)}">Click to continue...</a>'
        page = f"<html><body><p>{link}</p></body></html>"
        headers = {"Location": _location(redirect), "Content-Type": HTML}
        return Reply(303, headers, page.encode())

    async def field(self, part: Part, events: AsyncIterator[Event]) -> None:
        """Take a field's value."""
        value = bytearray()
        async for data in _content(events):
            value += data[: VALUE_MAX - len(value)]
        if len(self._fields) >= FIELDS_MAX:
            raise Declined(400, "FormPost: too many fields")
        if part.name:
            try:
                text = value.decode()
            except UnicodeDecodeError:
                raise Declined(400, "FormPost: a field is not UTF-8") from None
            self._fields[part.name.lower()] = text

    async def file(self, part: Part, events: AsyncIterator[Event]) -> None:
        """Store a file, if the fields before it allow it."""
        self._files += 1
        if self._files > self._number("max_file_count"):
            self._status, self._message = 400, "max file count exceeded"
            self.is_over = True
            return
        self._verify()
        content = _Limited(_content(events), self._number("max_file_size"))
        reply = await self._stored(part, content)
        self._status = reply.status
        if reply.status >= 300:
            self.is_over = True
            self._body = bytes(reply.body).decode("utf-8", "replace")
            return
        async for _ in content.rest():
            pass

    def _verify(self) -> None:
        """Return if somebody with a key signed this form, and it is not over.

        Raises:  Denied.
        """
        if self._number("expires") < self._world.clock.now_us() // 1_000_000:
            raise _unsigned("the form is over", "FormPost: Form Expired")
        if not self._is_signed():
            raise _unsigned("nobody with a key signed the form", "FormPost: Invalid Signature")

    def _is_signed(self) -> bool:
        """Whether somebody with a key signed what the fields say now: where to go on, too."""
        fields = self._fields
        message = "\n".join(
            (
                self._request.path,
                fields.get("redirect") or "",
                fields.get("max_file_size") or "0",
                fields.get("max_file_count") or "0",
                fields.get("expires") or "0",
            )
        )
        signature = parse_signature(fields.get("signature", ""), FORM_DIGESTS)
        return signature is not None and signer(self._keys, signature, [message]) is not None

    async def _stored(self, part: Part, content: _Limited) -> Reply:
        """Return what a PUT of this file answers."""
        request = self._upload(part)
        container = await self._world.gateway.container(request.project_id, request.container)
        link = Link(
            methods=("PUT",),
            account=request.project_id,
            container=request.container,
            key=request.name,
            within=request.container,
        )
        call = Call(
            self._world,
            request,
            Principal(kind="link", link=link),
            content,
            bucket=container,
            is_owner=False,
            trans_id=self._trans_id,
        )
        try:
            return await put_object(call)
        except Declined as error:
            if content.is_exceeded:
                raise
            return Reply(error.status, body=error.reason.encode())
        except CloudError as error:
            if status_of(error) >= 500:
                raise
            return Reply(status_of(error), body=reason_of(error).encode())

    def _upload(self, part: Part) -> Request:
        """Return the request that stores a file: the form's path, and the file's name behind it."""
        path = self._request.path
        if not path.endswith("/") and path.count("/") < 4:
            path += "/"
        headers: dict[str, str] = {}
        if "user-agent" in self._request.headers:
            headers["user-agent"] = self._request.headers["user-agent"]
        for field in ("x_delete_at", "x_delete_after"):
            if field in self._fields:
                headers[field.replace("_", "-")] = str(self._number(field))
        for name in ("content-type", "content-encoding"):
            value = self._fields.get(name) or part.headers.get(name)
            if value:
                headers[name] = _checked(value)
        headers.setdefault("content-type", "application/octet-stream")
        return Request(
            method="PUT",
            target=quote(path + (part.filename or "")),
            headers=headers,
            secure=self._request.secure,
            source=self._request.source,
        )

    def _number(self, name: str) -> int:
        text = self._fields.get(name) or "0"
        if not _NUMBER.fullmatch(text):
            raise Declined(400, f"FormPost: {name} not an integer")
        return int(text)


class _Limited:
    """A file's bytes as a request's body, up to the size that was signed for."""

    def __init__(self, content: AsyncIterator[bytes], limit: int) -> None:
        self.length: int | None = None
        self.is_chunked = True
        self.is_exceeded = False
        self._content = content
        self._left = limit

    async def read(self) -> bytes:
        async for data in self._content:
            self._left -= len(data)
            if self._left < 0:
                self.is_exceeded = True
                raise Declined(400, "FormPost: max_file_size exceeded")
            return data
        return b""

    async def rest(self) -> AsyncIterator[bytes]:
        """Yield what was not read."""
        async for data in self._content:
            yield data


async def _events(incoming: Incoming, parser: MultipartParser) -> AsyncGenerator[Event, None]:
    while data := await incoming.read():
        for event in parser.receive(data):
            yield event
    parser.finish()


async def _content(events: AsyncIterator[Event]) -> AsyncGenerator[bytes, None]:
    """Yield a part's bytes, up to its end."""
    async for event in events:
        if isinstance(event, End):
            return
        if isinstance(event, Data):
            yield event.data


def _unsigned(reason: str, words: str) -> Denied:
    return Denied(reason=reason, rule="form", is_known=False, words=words)


def _checked(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise Declined(400, "FormPost: invalid header")
    return value


def _location(url: str) -> str:
    """Return a URL as a header can hold it."""
    return quote(url, safe=":/?#[]@!$&'()*+,;=%-._~")
