"""How often blobs are referenced, and which ones nothing references any more.

A blob has one reference when it is written. Copies add theirs, and from then on the blob is
counted; it goes with its last reference.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eventlog.view import Rows
from swiftlite.catalog.rows import Shared
from swiftlite.manifest import Blob


def share(rows: Rows, blob_ids: Iterable[bytes]) -> None:
    """Count one more reference for each of `blob_ids`."""
    for blob_id in blob_ids:
        known: Shared | None = rows.get("shared", blob_id)
        rows.put("shared", blob_id, Shared(known.references + 1 if known else 2))


def release(rows: Rows, blobs: Iterable[Blob]) -> None:
    """Count one reference less for each of `blobs`."""
    for blob in blobs:
        known: Shared | None = rows.get("shared", blob.id)
        if known is None:
            continue
        if known.references > 1:
            rows.put("shared", blob.id, Shared(known.references - 1))
        else:
            rows.delete("shared", blob.id)


class Count:
    """What `release` will do, worked out beforehand: which blobs lose their last reference.

    Shapes:  shared: the rows of those blobs that are counted.
    """

    def __init__(self, shared: Mapping[bytes, Shared]) -> None:
        self._left = {blob_id: row.references for blob_id, row in shared.items()}

    def freed(self, blobs: Iterable[Blob]) -> tuple[Blob, ...]:
        """Drop a reference to each of `blobs`, and return those that have none left."""
        return tuple(blob for blob in blobs if self._drop(blob.id) == 0)

    def _drop(self, blob_id: bytes) -> int:
        self._left[blob_id] = self._left.get(blob_id, 1) - 1
        return self._left[blob_id]
