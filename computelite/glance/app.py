"""The edge of images.

/image               versions
/image/v2/...        its resources, by the table in routes.py
"""

from __future__ import annotations

from collections.abc import Sequence

from computelite.api.call import Asked, json_reply
from computelite.api.edge import CallerSource, Edge
from computelite.api.request import Request
from computelite.api.routing import Routes
from computelite.glance.call import Call
from computelite.glance.errors import STATUSES, error_document
from computelite.glance.images import ACCEPT_PATCH
from computelite.glance.routes import ROUTES
from computelite.image.service import ImageService
from eventlog.records.record import Records
from swiftlite.http.replies import Reply


class GlanceApp(Edge[Call]):
    """Answers the requests under /image."""

    service = "image"
    statuses = STATUSES

    def __init__(
        self,
        service: ImageService,
        callers: CallerSource,
        *,
        api_url: str,
        routes: Routes[Call] = ROUTES,
        records: Records | None = None,
    ) -> None:
        super().__init__(
            routes,
            callers=callers,
            clock=service.clock,
            ids=service.ids,
            api_url=api_url,
            records=records,
        )
        self._service = service

    def call(self, asked: Asked) -> Call:
        return Call(self._service, asked)

    def path(self, request: Request) -> Sequence[str]:
        """As others, but that `/v2/images/` is an image whose id is empty, and not the list."""
        found = super().path(request)
        is_member = len(found) > 1 and request.target.partition("?")[0].endswith("/")
        return (*found, "") if is_member else found

    def refusal(self, status: int, message: str) -> Reply:
        headers = {"Accept-Patch": ACCEPT_PATCH} if status == 415 else {}
        return json_reply(error_document(status, message), status, headers)
