"""The API port: what it answers until the services behind it exist.

    /         which services there are
    /healthz  JSON; 200 while objects can be written and read, else 503
    /metrics  Prometheus text, where the configuration allows it
Everything else is a 404 in JSON.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from computelite.cloud import Cloud
from computelite.serve.metrics import CONTENT_TYPE, metrics_text
from computelite.serve.slots import Slots

_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class Api:
    """Answers one worker's requests on the API port."""

    def __init__(self, cloud: Cloud, slots: Slots, *, s3_url: str) -> None:
        self._cloud = cloud
        self._slots = slots
        self._s3_url = s3_url

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        pages = {"/": self._services, "/healthz": self._health}
        if self._cloud.config.listen.metrics:
            pages["/metrics"] = self._metrics
        page = pages.get(request.path)
        if page is None:
            return _json(404, {"error": {"code": 404, "title": "Not Found", "message": _NOWHERE}})
        if request.method not in ("GET", "HEAD"):
            message = f"{request.method} is not for this page"
            error = {"code": 405, "title": "Method Not Allowed", "message": message}
            return _json(405, {"error": error}, Allow="GET, HEAD")
        return await page()

    async def _services(self) -> web.Response:
        text = (
            "Cumulog: a private cloud on one append-only event log.\n\n"
            f"S3            {self._s3_url}\n"
            "health        /healthz\n"
            f"metrics       {'/metrics' if self._cloud.config.listen.metrics else 'off'}\n"
        )
        return web.Response(text=text, headers=_SAFE)

    async def _health(self) -> web.Response:
        health = await self._cloud.health()
        return _json(200 if health.serving else 503, health.public())

    async def _metrics(self) -> web.Response:
        body = metrics_text(self._slots, await self._cloud.health())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE, **_SAFE})


_NOWHERE = "There is nothing here."


def _json(status: int, body: dict[str, Any], **headers: str) -> web.Response:
    return web.Response(
        status=status,
        text=json.dumps(body) + "\n",
        content_type="application/json",
        headers={**_SAFE, **headers},
    )
