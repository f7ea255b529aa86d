"""Places: ids of small blobs, drawn so that those which are synced together share their devices.

A device syncs once a round, however much it carries. Were every blob placed for itself, each round
would wake and sync all devices, each for a fragment or two; so the blobs of a round go where its
first one goes. Rounds are many and their places random: in the end all devices have their share.
"""

from __future__ import annotations

from eventlog.clock import Ids
from swiftlite.node.rounds import Rounds
from swiftlite.ring.ring import Ring

TOGETHER_MAX = 256 << 10  # bytes of data; more take longer to write than further devices to sync


class Places:
    """Draws the ids. Used in one event loop."""

    def __init__(self, ids: Ids, rounds: Rounds) -> None:
        self._ids, self._rounds = ids, rounds
        self._together = (0, 0)  # epoch and round that the partition was drawn for
        self._partition = 0
        self._size = 0  # of the blobs that went there

    def blob_id(self, ring: Ring, size: int) -> bytes:
        """Return the id of a new blob of `size` bytes, which will be appended in this turn."""
        blob_id = self._ids.uuid7()
        together = (ring.epoch, self._rounds.number)
        if together != self._together or self._size + size > TOGETHER_MAX:
            self._together, self._size = together, size
            self._partition = ring.partition(blob_id)
            return blob_id
        self._size += size
        return ring.moved(blob_id, self._partition)
