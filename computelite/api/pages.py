"""Pages that belong to no service, for anyone.

    /         which services there are
    /healthz  JSON; 200 while objects can be written, else 503
    /healthcheck
              the same for what watches Swift: OK, or 503
    /metrics  Prometheus text, where the configuration allows it
Everything else is a 404 in JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
from http import HTTPStatus

from aiohttp.http import RawRequestMessage

from computelite.cloud import Cloud
from computelite.serve.metrics import CONTENT_TYPE, metrics_text
from computelite.serve.requests import Requests
from computelite.serve.slots import Slots
from eventlog.errors import CloudError
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply
from swiftlite.s3.codes import code_of

log = logging.getLogger(__name__)

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


class Pages:
    """Answers what no service owns."""

    def __init__(self, cloud: Cloud, slots: Slots, requests: Requests, *, s3_url: str) -> None:
        self._cloud = cloud
        self._slots = slots
        self._requests = requests
        self._s3_url = s3_url
        self._pages = {
            "/": self._services,
            "/healthz": self._health,
            "/healthcheck": self._swift_health,
        }
        if cloud.config.listen.metrics:
            self._pages["/metrics"] = self._metrics

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> Reply:
        """Return the reply. Raises nothing but CancelledError."""
        request_id = self._cloud.ids.uuid7().hex()
        page = self._pages.get(message.path.partition("?")[0])
        try:
            if page is None:
                reply = _error(404, "There is nothing here.")
            elif message.method not in ("GET", "HEAD"):
                reply = _error(405, f"{message.method} is not for this page.", Allow="GET, HEAD")
            else:
                reply = await page()
        except asyncio.CancelledError:
            raise
        except Exception:  # the edge: the client gets an answer, the operator the reason
            log.exception("request %s failed", request_id)
            reply = _error(500, "An internal error; the cloud's stderr has it by the request id.")
        reply.headers = {"X-Request-Id": request_id, "Cache-Control": "no-store", **reply.headers}
        return reply

    def refusal(self, error: CloudError) -> Reply:
        """Return the answer to what never became a request."""
        return _error(code_of(error).status, str(error))

    async def _services(self) -> Reply:
        text = (
            "Cumulog: a private cloud on one append-only event log.\n\n"
            f"S3        {self._s3_url}\n"
            "identity  /identity/v3\n"
            "Swift     /v1/AUTH_{project_id}\n"
            "health    /healthz\n"
        )
        if "/metrics" in self._pages:
            text += "metrics   /metrics\n"
        return Reply(200, {"Content-Type": _TEXT}, text.encode())

    async def _health(self) -> Reply:
        health = await self._cloud.health()
        body = json.dumps(health.public()) + "\n"
        return Reply(200 if health.serving else 503, {"Content-Type": _JSON}, body.encode())

    async def _swift_health(self) -> Reply:
        health = await self._cloud.health()
        trans_id = (
            f"tx{self._cloud.ids.random(10).hex()}0-{self._cloud.clock.now_us() // 10**6:010x}"
        )
        headers = {"Content-Type": _TEXT, "X-Trans-Id": trans_id}
        return Reply(200, headers, b"OK") if health.serving else Reply(503, headers, b"DOWN")

    async def _metrics(self) -> Reply:
        body = metrics_text(self._slots, self._requests, await self._cloud.health())
        return Reply(200, {"Content-Type": CONTENT_TYPE}, body)


def _error(status: int, message: str, **headers: str) -> Reply:
    title = HTTPStatus(status).phrase
    body = json.dumps({"error": {"code": status, "title": title, "message": message}}) + "\n"
    return Reply(status, {"Content-Type": _JSON, **headers}, body.encode())
