"""What each device should hold: spread first, then weight.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from swiftlite.ring.ring import Device


class Group:
    """A device, a node, a zone or everything: what holds between `low` and `high` of any partition.

    Units: share: fragments of a partition, as a fraction; low and high are its floor and ceiling.
    """

    __slots__ = ("children", "device", "high", "low", "parent", "share", "weight")

    def __init__(self, children: Sequence[Group], device: Device | None = None) -> None:
        self.children = tuple(children)
        self.device = device
        self.parent: Group | None = None
        self.weight: Fraction = sum((child.weight for child in children), Z)
        if device is not None:
            self.weight = Fraction(device.weight)
        self.share = Z
        self.high = 0
        self.low = 0
        for child in children:
            child.parent = self


Z = Fraction(0)


def plan(devices: Sequence[Device], fragments: int) -> tuple[Group, list[Group]]:
    """Return the tree of groups with shares and bounds, and its leaves in the tree's order.

    Law: no device holds more of a partition than the number of devices makes necessary; within
         that no node does; within that no zone does; within all that, shares are as near to the
         weights as can be (weighted max-min fair). Devices are first because they fail most, and
         because what they lose is lost, not away.
    """
    root, levels = _tree(devices)
    leaves = levels[0]
    for level in levels:
        _cap(level, fragments)
    root.high = fragments
    _fill(root, [*(g for level in levels for g in level), root], fragments)
    return root, leaves


def counts(root: Group, leaves: Sequence[Group], partitions: int) -> list[int]:
    """Return how many fragments of all partitions each leaf should hold.

    Law: they sum to fragments * partitions; each device's, node's and zone's sum is its share of
         that, rounded down or up (running totals are rounded, so every run of leaves has this).
    """
    result: list[int] = []
    exact, rounded = Z, 0
    for leaf in leaves:
        exact += leaf.share * partitions
        upto = floor(exact + Fraction(1, 2))
        result.append(upto - rounded)
        rounded = upto
    assert rounded == root.share * partitions
    return result


def _tree(devices: Sequence[Device]) -> tuple[Group, list[list[Group]]]:
    """Return the root and the levels below it, leaves first; ordered by name and id."""
    zones: dict[str, dict[str, list[Group]]] = {}
    for device in sorted(devices, key=lambda d: (d.zone, d.node, d.id)):
        zones.setdefault(device.zone, {}).setdefault(device.node, []).append(Group((), device))
    leaves = [leaf for nodes in zones.values() for group in nodes.values() for leaf in group]
    zone_groups = [Group([Group(node) for node in nodes.values()]) for nodes in zones.values()]
    node_groups = [node for zone in zone_groups for node in zone.children]
    return Group(zone_groups), [leaves, node_groups, zone_groups]


def _cap(level: Sequence[Group], fragments: int) -> None:
    """Set `high` to the smallest number that lets the level's groups hold a whole partition."""
    room = [sum(c.high for c in group.children) or fragments for group in level]
    cap = next(c for c in range(1, fragments + 1) if sum(min(c, r) for r in room) >= fragments)
    for group, most in zip(level, room, strict=True):
        group.high = min(cap, most)


def _fill(root: Group, groups: Sequence[Group], fragments: int) -> None:
    """Raise all shares in proportion to weight; a group that is full stops; until none is left."""
    open_weight = {group: group.weight for group in groups}
    held = dict.fromkeys(groups, Z)  # by leaves that stopped
    level = Z
    while open_weight[root] > 0:
        level, full = min(
            (((g.high - held[g]) / open_weight[g], g) for g in groups if open_weight[g] > 0),
            key=lambda pair: pair[0],
        )
        for leaf in _leaves(full):
            if open_weight[leaf] > 0:
                leaf.share = level * leaf.weight
                group: Group | None = leaf
                while group is not None:
                    held[group] += leaf.share
                    open_weight[group] -= leaf.weight
                    group = group.parent
    for group in groups:
        group.share = held[group]
        group.low, group.high = floor(group.share), ceil(group.share)
    assert root.share == fragments


def _leaves(group: Group) -> list[Group]:
    if not group.children:
        return [group]
    return [leaf for child in group.children for leaf in _leaves(child)]
