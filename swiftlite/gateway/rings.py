"""Rings: the ring in force, and those that placed what was written before."""

from __future__ import annotations

from collections.abc import Iterable

from swiftlite.errors import QuorumLost
from swiftlite.ring.ring import Ring


class Rings:
    """Every ring of the cloud as far as this process has heard; the newest is in force."""

    def __init__(self, rings: Iterable[Ring] = ()) -> None:
        self._by_epoch = {ring.epoch: ring for ring in rings}

    def add(self, ring: Ring) -> None:
        """Take a ring in; a newer epoch is in force from here on."""
        self._by_epoch[ring.epoch] = ring

    @property
    def current(self) -> Ring:
        """The ring that places what is written now.

        Raises:  QuorumLost if the cloud has no devices yet.
        """
        if not self._by_epoch:
            raise QuorumLost(needed=1, reached=0)
        return self._by_epoch[max(self._by_epoch)]

    def epochs(self) -> list[int]:
        """Return the epochs of all rings, in no order."""
        return list(self._by_epoch)

    def known(self) -> list[Ring]:
        """Return all rings, the newest first."""
        return [self._by_epoch[epoch] for epoch in sorted(self._by_epoch, reverse=True)]
