"""Exchange devices within rows until each holds what it should, with few moves.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from swiftlite.ring.rows import Shape

SCATTER = 0x9E3779B1  # odd, so that multiplying by it visits every partition once


def level_out(
    shape: Shape,
    wanted: Sequence[int],
    table: list[list[int]],
    home: Sequence[Sequence[int]],
) -> None:
    """Change `table` in place until leaf i occurs `wanted[i]` times; rows stay within bounds.

    `home` is where fragments were before; those that left it already are exchanged first, which
    moves nothing more. Most exchanges go straight from a leaf that has too many to one that lacks;
    where no row allows one, a chain over other leaves does it: the shortest, so that the fewest
    others move.
    """
    surplus = [-count for count in wanted]
    for row in table:
        for leaf in row:
            surplus[leaf] += 1
    for only_moved in (True, False):
        while _exchange(shape, table, home, surplus, only_moved=only_moved):
            pass
    while _shift(shape, table, home, surplus):
        pass


def _exchange(
    shape: Shape,
    table: list[list[int]],
    home: Sequence[Sequence[int]],
    surplus: list[int],
    *,
    only_moved: bool,
) -> bool:
    """Give every row one chance to make one exchange; say whether more could follow."""
    lacking = {leaf for leaf, s in enumerate(surplus) if s < 0}
    done = False
    for partition in _scattered(len(table)):
        if not lacking:
            return False
        row, before = table[partition], home[partition]
        able = {
            leaf
            for leaf, origin in zip(row, before, strict=True)
            if surplus[leaf] > 0 and (leaf != origin or not only_moved)
        }
        sources = sorted(able, key=lambda leaf: (-surplus[leaf], leaf))
        if not sources:
            continue
        held = _held(shape, row)
        targets = sorted(lacking, key=lambda t: (surplus[t], t))
        for source, target in ((s, t) for s in sources for t in targets):
            if _allows(shape, held, source, target):
                _replace(row, before, source, target)
                surplus[source] -= 1
                surplus[target] += 1
                if surplus[target] == 0:
                    lacking.discard(target)
                done = True
                break
    return done


def _shift(
    shape: Shape, table: list[list[int]], home: Sequence[Sequence[int]], surplus: list[int]
) -> bool:
    """Use the shortest chains there are, each as often as it helps; say whether any did."""
    done = False
    for chain in _chains(shape, table, surplus):
        while surplus[chain[0]] > 0 and surplus[chain[-1]] < 0:
            if not _pass_along(shape, table, home, chain):
                break
            surplus[chain[0]] -= 1
            surplus[chain[-1]] += 1
            done = True
    return done


def _chains(
    shape: Shape, table: Sequence[Sequence[int]], surplus: Sequence[int]
) -> list[list[int]]:
    """Return paths of leaves from surplus to lack in which each can give to the next in some row.

    Breadth first: they are the shortest, one for each lacking leaf that is so near.
    """
    giver: dict[int, int] = {}
    frontier = {leaf for leaf, s in enumerate(surplus) if s > 0}
    unseen = {leaf for leaf, s in enumerate(surplus) if s <= 0}
    while frontier and unseen:
        found: set[int] = set()
        for row in table:
            sources = frontier.intersection(row)
            if not sources or not unseen:
                continue
            held = _held(shape, row)
            for source in sorted(sources):
                for target in [t for t in unseen if _allows(shape, held, source, t)]:
                    giver[target] = source
                    unseen.discard(target)
                    found.add(target)
        lacking = sorted(leaf for leaf in found if surplus[leaf] < 0)
        if lacking:
            return [_path(giver, leaf) for leaf in lacking]
        frontier = found
    return []


def _path(giver: Mapping[int, int], leaf: int) -> list[int]:
    path = [leaf]
    while path[-1] in giver:
        path.append(giver[path[-1]])
    return path[::-1]


def _pass_along(
    shape: Shape,
    table: list[list[int]],
    home: Sequence[Sequence[int]],
    chain: Sequence[int],
) -> bool:
    """Let each leaf of the chain give one fragment to the next, or change nothing."""
    changed: list[tuple[int, list[int]]] = []
    for source, target in reversed(list(pairwise(chain))):
        for partition in _scattered(len(table)):
            row = table[partition]
            if source in row and _allows(shape, _held(shape, row), source, target):
                changed.append((partition, row.copy()))
                _replace(row, home[partition], source, target)
                break
        else:
            for partition, row in reversed(changed):
                table[partition] = row
            return False
    return True


def _scattered(partitions: int) -> Iterator[int]:
    return ((i * SCATTER) % partitions for i in range(partitions))


def _held(shape: Shape, row: Sequence[int]) -> dict[int, int]:
    """Return how many fragments the row's groups hold; the root is of no interest."""
    held: dict[int, int] = {}
    for leaf in row:
        node, zone, _ = shape.ways[leaf]
        held[leaf] = held.get(leaf, 0) + 1
        held[node] = held.get(node, 0) + 1
        held[zone] = held.get(zone, 0) + 1
    return held


def _allows(shape: Shape, held: dict[int, int], source: int, target: int) -> bool:
    """Say whether the row stays within bounds when a fragment goes from source to target."""
    low, high = shape.low, shape.high
    if source == target or held[source] <= low[source] or held.get(target, 0) >= high[target]:
        return False
    for above, beyond in zip(shape.ways[source], shape.ways[target], strict=True):
        if above == beyond:
            return True
        if held[above] <= low[above] or held.get(beyond, 0) >= high[beyond]:
            return False
    return True


def _replace(row: list[int], home: Sequence[int], source: int, target: int) -> None:
    """Put target in the place of one source, and then every leaf at home that can be.

    Of several places it is one that left home if there is one, or else the last.
    """
    slots = [slot for slot, leaf in enumerate(row) if leaf == source]
    row[max(slots, key=lambda slot: (home[slot] != source, slot))] = target
    away = [slot for slot, leaf in enumerate(row) if leaf != home[slot]]
    leaves = [row[slot] for slot in away]
    for slot in [slot for slot in away if home[slot] in leaves]:
        if home[slot] in leaves:
            leaves.remove(home[slot])
            row[slot] = home[slot]
            away.remove(slot)
    for slot, leaf in zip(away, leaves, strict=True):
        row[slot] = leaf
