"""Glance's edge over images in a real store, with callers of every kind."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from computelite.glance.app import GlanceApp
from computelite.identity.caller import Caller, HeldRole, Named, ScopeProject
from swiftlite.http.replies import Reply
from tests.computelite.edge import API_URL, Answer, Body, Edge
from tests.computelite.image import house as images

HOME = Named(id="default", name="Default")
MEMBER = ("member", "reader")
ALL = ("admin", "manager", *MEMBER)
PATCH = "application/openstack-images-v2.1-json-patch"


def caller(name: str, *roles: str, project: str = "", system: bool = False) -> Caller:
    return Caller(
        user=Named(id=name, name=name),
        user_domain=HOME,
        project=ScopeProject(id=project, name=project, domain=HOME) if project else None,
        is_system=system,
        roles=tuple(HeldRole(id=role, name=role) for role in roles),
    )


TOKENS = {
    "ann": caller("ann", *MEMBER, project="p"),
    "rae": caller("rae", "reader", project="p"),
    "ben": caller("ben", *MEMBER, project="q"),
    "cid": caller("cid", *MEMBER, project="r"),
    "root": caller("root", *ALL, project="adm"),
    "auditor": caller("auditor", "reader", system=True),
    "nobody": caller("nobody", project="p"),
    "unscoped": caller("unscoped"),
}


class Tokens:
    async def caller(self, token: str) -> Caller | None:
        return TOKENS.get(token)


class Glance(images.House):
    """Sends requests as somebody: ann, unless another token is given."""

    edge: Edge

    async def send(
        self, method: str, path: str, document: object = None, *, token: str = "ann", **how: Any
    ) -> Answer:
        """Send a request below /image/v2."""
        return await self.edge.send(method, "/v2" + path, document, token=token, **how)

    async def make(self, *, token: str = "ann", data: bytes | None = None, **facts: Any) -> Any:
        """Make an image, with bytes if they are given; return its document."""
        said = {"disk_format": "raw", "container_format": "bare", **facts}
        answer = await self.send("POST", "/images", said, token=token)
        assert answer.status == 201, answer.text
        if data is None:
            return answer.json
        put = await self.put(answer.json["id"], data, token=token)
        assert put.status == 204, put.text
        return await self.get(f"/images/{answer.json['id']}", token=token)

    async def put(self, id_: str, data: bytes, *, to: str = "file", **how: Any) -> Answer:
        """Send an image's bytes."""
        headers = {"Content-Type": "application/octet-stream", **how.pop("headers", {})}
        path = f"/images/{id_}/{to}"
        body = how.pop("body", None) or Body(data)
        return await self.send("PUT", path, body=body, headers=headers, **how)

    async def get(self, path: str, **how: Any) -> Any:
        """Return the JSON of a GET that is answered."""
        answer = await self.send("GET", path, **how)
        assert answer.status == 200, answer.text
        return answer.json

    async def patch(self, id_: str, *changes: object, kind: str = PATCH, **how: Any) -> Answer:
        """Change an image."""
        headers = {"Content-Type": kind}
        return await self.send("PATCH", f"/images/{id_}", list(changes), headers=headers, **how)

    async def names(self, query: str = "", **how: Any) -> list[str]:
        """Return the names of the images in a list."""
        return [each["name"] for each in (await self.get(f"/images{query}", **how))["images"]]


class Streaming:
    """An app whose streams are read to their end, as a connection would."""

    def __init__(self, app: GlanceApp) -> None:
        self._app = app

    async def answer(self, *args: Any, **named: Any) -> Reply:
        reply = await self._app.answer(*args, **named)
        if reply.stream is not None:
            reply.body = b"".join([bytes(piece) async for piece in reply.stream])
            assert len(reply.body) == reply.length
        return reply


@contextlib.asynccontextmanager
async def glance_in(path: Path, *, allowed: Sequence[str] = ()) -> AsyncIterator[Glance]:
    """Open Glance in a folder."""
    async with images.house_in(path, allowed=allowed) as house:
        found = Glance(house.cloud, house.service, house.clock)
        app = GlanceApp(house.service, Tokens(), api_url=API_URL)
        found.edge = Edge(Streaming(app), "/image")
        yield found
