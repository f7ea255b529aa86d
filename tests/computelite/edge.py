"""A service's edge without a socket: requests in, replies out."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from computelite.api.app import Service
from swiftlite.http.replies import Reply

API_URL = "http://127.0.0.1:9001"


class Answer:
    """A reply, decoded."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        self.headers = dict(reply.headers)
        self.content = bytes(reply.body)

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def message(self) -> str:
        """What an error says."""
        ((_, error),) = self.json.items()
        assert error.get("code", self.status) == self.status
        return str(error["message"])


class Body:
    """A request's body in pieces, as a connection would bring it."""

    is_chunked = False

    def __init__(self, content: bytes, *, piece: int = 1 << 16, tells: bool = True) -> None:
        self._pieces = [content[at : at + piece] for at in range(0, len(content), piece)]
        self.length: int | None = len(content) if tells else None

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


class Edge:
    """Sends requests to an app."""

    def __init__(self, app: Service, prefix: str, *, source: str = "192.0.2.7") -> None:
        self.app = app
        self.prefix = prefix
        self.source = source

    async def send(
        self,
        method: str,
        path: str,
        document: object = None,
        *,
        token: str | None = None,
        body: bytes | Body | None = None,
        secure: bool = False,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request under the prefix; `document` goes as JSON, `body` as it is."""
        lines = {"Host": "cloud.example:9001", **(headers or {})}
        if token is not None:
            lines["X-Auth-Token"] = token
        if document is not None:
            body = json.dumps(document).encode()
            lines.setdefault("Content-Type", "application/json")
        message = SimpleNamespace(
            method=method,
            path=f"{self.prefix}{path}",
            raw_headers=[(k.encode(), v.encode()) for k, v in lines.items()],
        )
        incoming = body if isinstance(body, Body) else Body(body or b"")
        reply = await self.app.answer(
            message,  # type: ignore[arg-type]
            incoming,
            secure=secure,
            source=self.source,
        )
        return Answer(reply)
