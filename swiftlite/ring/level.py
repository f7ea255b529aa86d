"""Exchange devices within rows until each holds what it should, with few moves.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from swiftlite.ring.rows import Shape

SCATTER = 0x9E3779B1  # odd, so that multiplying by it visits every partition once


def level_out(shape: Shape, wanted: Sequence[int], table: list[list[int]]) -> None:
    """Change `table` in place until leaf i occurs `wanted[i]` times; rows stay within bounds.

    Most of it is single exchanges, each one move from a leaf that has too many to one that lacks.
    Where no row allows one, a chain of exchanges over other leaves does it: the shortest, so that
    the fewest others move.
    """
    surplus = [-count for count in wanted]
    for row in table:
        for leaf in row:
            surplus[leaf] += 1
    while _exchange(shape, table, surplus):
        pass
    for _ in range(sum(s for s in surplus if s > 0)):
        chain = _chain(shape, table, surplus)
        if not chain:
            break
        for partition, source, target in chain:
            if not _allows(shape, _held(shape, table[partition]), source, target):
                return
            _replace(table[partition], source, target)
            surplus[source] -= 1
            surplus[target] += 1


def _exchange(shape: Shape, table: list[list[int]], surplus: list[int]) -> bool:
    """Give every row one chance to make one exchange; say whether more could follow."""
    lacking = {leaf for leaf, s in enumerate(surplus) if s < 0}
    done = False
    for partition in _scattered(len(table)):
        if not lacking:
            return False
        row = table[partition]
        sources = sorted({leaf for leaf in row if surplus[leaf] > 0}, key=lambda s: -surplus[s])
        if not sources:
            continue
        held = _held(shape, row)
        targets = sorted(lacking, key=lambda t: (surplus[t], t))
        for source, target in ((s, t) for s in sources for t in targets):
            if _allows(shape, held, source, target):
                _replace(row, source, target)
                surplus[source] -= 1
                surplus[target] += 1
                if surplus[target] == 0:
                    lacking.discard(target)
                done = True
                break
    return done


def _chain(
    shape: Shape, table: list[list[int]], surplus: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return the shortest chain of (partition, source, target), last first, or nothing."""
    reached: dict[int, tuple[int, int]] = {}  # leaf -> partition and leaf from which
    frontier = {leaf for leaf, s in enumerate(surplus) if s > 0}
    unseen = {leaf for leaf, s in enumerate(surplus) if s <= 0}
    while frontier and unseen:
        found: set[int] = set()
        for partition, row in enumerate(table):
            sources = frontier.intersection(row)
            if not sources or not unseen:
                continue
            held = _held(shape, row)
            for source in sorted(sources):
                for target in sorted(unseen):
                    if _allows(shape, held, source, target):
                        reached[target] = (partition, source)
                        unseen.discard(target)
                        found.add(target)
                        if surplus[target] < 0:
                            return list(_back(reached, target))
        frontier = found
    return []


def _back(reached: dict[int, tuple[int, int]], target: int) -> Iterator[tuple[int, int, int]]:
    while target in reached:
        partition, source = reached[target]
        yield partition, source, target
        target = source


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


def _replace(row: list[int], source: int, target: int) -> None:
    """Put target where the row names source last: a device's first fragment is the last to go."""
    slot = len(row) - 1 - row[::-1].index(source)
    row[slot] = target
