"""The table views of a cloud; importing them registers every event that its log may hold."""

from __future__ import annotations

from computelite.identity.login.view import LoginView
from computelite.identity.view import IdentityView
from computelite.image.view import ImageView
from eventlog.view import TableView
from swiftlite.catalog.view import CatalogView

# Whoever writes to a cloud's log must have all of them: a table would miss events otherwise.
VIEWS: tuple[TableView, ...] = (CatalogView(), IdentityView(), LoginView(), ImageView())
