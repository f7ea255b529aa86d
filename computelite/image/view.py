"""The image tables: every image, its members, and the bytes that have to go.

    image                       Image
    image_of, image_open        Ref: by owner; by visibility, where everybody may see it
    image_member, image_for     Member, by image and by project
    image_transfer              Ref: which image something is under way for, by transfer
    image_waste                 Waste
    image_held                  Held, by owner

Keys are in keys.py, rows in rows.py, folds in folds.py.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import msgspec

from computelite.image import rows as shapes
from computelite.image.events import IMAGE_EVENTS
from computelite.image.folds import FOLDS
from computelite.image.keys import id_key
from eventlog.event import Event
from eventlog.log import Recorded
from eventlog.view import Rows, TableView


class ImageView(TableView):
    """Folds the image events into the tables."""

    name = "image"
    version = 1
    tables: ClassVar[Mapping[str, type[msgspec.Struct]]] = {
        "image": shapes.Image,
        "image_of": shapes.Ref,
        "image_open": shapes.Ref,
        "image_member": shapes.Member,
        "image_for": shapes.Member,
        "image_transfer": shapes.Ref,
        "image_waste": shapes.Waste,
        "image_held": shapes.Held,
    }
    handles: ClassVar[frozenset[type[Event]]] = IMAGE_EVENTS

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        return [("image", id_key(event.image_id))]  # type: ignore[attr-defined]

    def evolve(self, rows: Rows, rec: Recorded) -> None:
        event = rec.event
        assert event is not None, "an erased event is not shown"
        FOLDS[type(event)](rows, rec, event)
