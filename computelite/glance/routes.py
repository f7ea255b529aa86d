"""Every route of Glance's API, joined from the tables that stand beside the handlers."""

from __future__ import annotations

from computelite.api.routing import Routes
from computelite.glance import data, images, imports, members, schemas, tags, versions

ROUTES = Routes(
    [
        *versions.ROUTES,
        *images.ROUTES,
        *data.ROUTES,
        *imports.ROUTES,
        *members.ROUTES,
        *tags.ROUTES,
        *schemas.ROUTES,
    ]
)
