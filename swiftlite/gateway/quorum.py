"""Quorum: where each fragment goes as devices answer, and when enough of them are safe.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from swiftlite.ring.placement import survives_one_loss


class Quorum:
    """One blob's write: which device to ask for each fragment, and what has been reached.

    Each fragment starts at its own device of the ring. A fragment whose device is out, or fails,
    goes to a spare that holds nothing yet, then doubles up on the device with the fewest fragments.
    A device that failed is not asked again.

    Law:     `is_durable` says yes only if at least `needed` + 1 fragments are written, placed so
             that the loss of any one device leaves `needed`. A ring that could not promise this
             with every device up (one device; two at 4+2) is held to the first half alone.
    """

    def __init__(
        self,
        home: Sequence[int],
        spares: Sequence[int] = (),
        *,
        needed: int,
        out: Collection[int] = (),
    ) -> None:
        self.needed = needed
        self.written: dict[int, int] = {}  # fragment -> device, synced there
        self._out = set(out)
        self._spares = spares
        self._asked: dict[int, int] = {}  # fragment -> device, written or under way
        self._home = tuple(home)

    def start(self) -> list[tuple[int, int]]:
        """Return the (fragment, device) pairs to write first; call it once."""
        for fragment, device in enumerate(self._home):
            if device not in self._out:
                self._asked[fragment] = device
        homeless = [f for f in range(len(self._home)) if f not in self._asked]
        for fragment in homeless:
            self._assign(fragment)
        return sorted(self._asked.items())

    def wrote(self, fragment: int) -> None:
        """Note that the device asked for `fragment` has it, synced."""
        self.written[fragment] = self._asked[fragment]

    def failed(self, fragment: int) -> int | None:
        """Note that the device asked for `fragment` does not have it after all.

        Returns the device to ask now, or None if there is none left.
        """
        self.written.pop(fragment, None)
        if fragment in self._asked:  # it has none if every device failed before
            self._out.add(self._asked.pop(fragment))
        return self._assign(fragment)

    @property
    def is_durable(self) -> bool:
        """Whether the write may be acknowledged."""
        if survives_one_loss(self.written, self.needed):
            return True
        is_tolerant = survives_one_loss(dict(enumerate(self._home)), self.needed)
        return not is_tolerant and len(self.written) > self.needed

    def _assign(self, fragment: int) -> int | None:
        devices = dict.fromkeys((*self._home, *self._spares))
        live = [device for device in devices if device not in self._out]
        if not live:
            return None
        # min() takes the first of equals: ring order, so that all writers spread alike.
        load = Counter(self._asked.values())
        device = min(live, key=load.__getitem__)
        self._asked[fragment] = device
        return device
