"""One partition's devices, kept within the bounds of every group.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from swiftlite.ring.targets import Group


class Shape:
    """The tree of groups as arrays: leaves are 0..D-1, nodes and zones follow, the root is last."""

    def __init__(self, root: Group, leaves: Sequence[Group]) -> None:
        self.root = root
        self.leaves = tuple(leaves)
        nodes = [node for zone in root.children for node in zone.children]
        groups = [*leaves, *nodes, *root.children, root]
        number = {group: i for i, group in enumerate(groups)}
        self.low = [group.low for group in groups]
        self.high = [group.high for group in groups]
        # What an empty row's groups must come to hold, and what their members ask for together.
        self.required = self.low.copy()
        self.below = [0] * len(groups)
        for i, group in enumerate(groups):
            self.required[i] = max(group.low, self.below[i])
            if group.parent is not None:
                self.below[number[group.parent]] += self.required[i]
        # A leaf's way up: its node, its zone, the root.
        self.ways = [
            tuple(number[group] for group in (leaf.parent, leaf.parent.parent, root) if group)
            for leaf in leaves
            if leaf.parent is not None
        ]
        self.ids = [leaf.device.id for leaf in leaves if leaf.device is not None]
        self.salts = [
            int.from_bytes(blake2b(id_.to_bytes(2, "big"), digest_size=8).digest(), "big")
            for id_ in self.ids
        ]

    def admits(self, leaves: Sequence[int]) -> bool:
        """Say whether these leaves (-1: none) are a whole partition within all bounds."""
        row = Row(self)
        return all(leaf >= 0 and row.add(leaf) for leaf in leaves)


class Row:
    """A partition's fragments as they are chosen.

    `required` is what a group will hold at least when the row is whole: its own lower bound, or
    what its members require together. A fragment may be added while that exceeds no upper bound;
    as groups are nested, such a row can always be completed, and taking leaves in the order of
    preference gives the most preferred row (rows are the bases of a matroid).
    """

    __slots__ = ("below", "held", "leaves", "required", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.leaves: list[int] = []
        self.held = [0] * len(shape.leaves)
        self.required = shape.required.copy()
        self.below = shape.below.copy()

    def add(self, leaf: int) -> bool:
        """Put a fragment on the leaf, if the row can still be completed then; say whether."""
        shape, required, below = self.shape, self.required, self.below
        if self.held[leaf] == required[leaf]:
            if self.held[leaf] == shape.high[leaf]:
                return False
            rising = 0
            for group in shape.ways[leaf]:
                rising += 1
                if below[group] < required[group]:
                    break  # its own lower bound asked for one more already
                if required[group] == shape.high[group]:
                    return False
            required[leaf] += 1
            for group in shape.ways[leaf][:rising]:
                below[group] += 1
                required[group] = max(required[group], below[group])
        self.held[leaf] += 1
        self.leaves.append(leaf)
        return True

    def fill(self, order: Iterable[int], fragments: int) -> list[int]:
        """Add leaves until the row is whole, those that come first first; return what was added.

        A leaf gets its second fragment only after every leaf was offered a first.
        """
        start = len(self.leaves)
        order = list(order)
        while len(self.leaves) < fragments:
            before = len(self.leaves)
            for leaf in order:
                if self.add(leaf) and len(self.leaves) == fragments:
                    break
            assert len(self.leaves) > before, "a row can always be completed"
        return self.leaves[start:]
