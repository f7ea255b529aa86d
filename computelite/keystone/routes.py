"""Every route of Keystone's API, joined from the tables that stand beside the handlers."""

from __future__ import annotations

from computelite.keystone import discovery
from computelite.keystone.routing import Routes

ROUTES = Routes([*discovery.ROUTES])
