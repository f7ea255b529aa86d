"""Plan: decide, from what was found of one blob, what repair should write where.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple


class Plan(NamedTuple):
    """What to do for one blob."""

    writes: tuple[tuple[int, int], ...]  # (fragment, device that should get it)
    spare: int  # good fragments beyond those needed to read; below zero: unreadable


def plan(
    held: Mapping[int, Collection[int]],
    *,
    home: Sequence[int],
    spares: Sequence[int],
    needed: int,
    up: Collection[int],
) -> Plan:
    """Return the writes that bring a blob back to all its fragments, as well spread as can be.

    A missing fragment goes to its own device of the ring, or, while that is out, to the live device
    with the fewest. A good fragment away from home is left alone unless its device holds at least
    two fragments more than its home does; its old copy stays, since nothing is deleted but on an
    event's evidence.

    Shapes:  held: fragment -> the live devices with a good copy; home: fragment -> device.
    Law:     a blob with fewer than `needed` good fragments gets no writes at all.
    """
    good = {f: at for f in range(len(home)) if (at := set(held.get(f, ())) & set(up))}
    spare = len(good) - needed
    if spare < 0:
        return Plan((), spare)
    placed = {f: home[f] if home[f] in at else min(at) for f, at in good.items()}
    order = [device for device in dict.fromkeys((*home, *spares)) if device in up]
    load = Counter(placed.values())
    writes = {f: home[f] for f in range(len(home)) if f not in good and home[f] in up}
    load.update(writes.values())
    for fragment in range(len(home)):
        if fragment not in good and fragment not in writes:
            # min() takes the first of equals, and the order is the ring's.
            writes[fragment] = min(order, key=load.__getitem__)
            load[writes[fragment]] += 1
    for fragment, device in sorted(placed.items()):
        back = home[fragment]
        if device != back and back in up and load[device] - load[back] >= 2:
            writes[fragment] = back
            load[device] -= 1
            load[back] += 1
    return Plan(tuple(sorted(writes.items())), spare)
