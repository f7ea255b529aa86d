"""Erasure coding: encode and rebuild by every codec that is there, beside copying the same bytes.

Rates are in bytes of data per second, of one thread, results allocated: what a gateway gets. As
many data cells are lost as can be, the worst that a read can meet.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

from bench.report import Result, interleaved
from swiftlite.coding.codec import Codec, ZfecCodec
from swiftlite.coding.isal import Isal, IsalCodec
from swiftlite.coding.stripe import Buffer, split

ROUND_S = 0.05  # long enough for the clock, short enough that a noisy moment is one round's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--codes", nargs="+", default=["4+2", "8+4", "10+4"], metavar="K+M")
    parser.add_argument("--stripe", type=int, default=1 << 20, help="bytes of data coded at once")
    parser.add_argument("--rounds", type=int, default=7, help="the median of so many is reported")


def run(args: argparse.Namespace) -> list[Result]:
    data = os.urandom(args.stripe)
    target = bytearray(args.stripe)

    def copy() -> None:
        target[:] = data

    results: list[Result] = []
    for code in args.codes:
        k, m = (int(number) for number in code.split("+"))
        works: list[tuple[str, Callable[[], object]]] = [("memcpy", copy)]
        for name, codec in _codecs(k, m):
            works += [
                (f"{name} {code} encode", _encoding(codec, data)),
                (f"{name} {code} rebuild {min(k, m)} lost", _rebuilding(codec, data)),
            ]
        rates = interleaved(args.rounds, [_rate(work, args.stripe) for _, work in works])
        limit, *others = rates
        results.append(Result(f"memcpy, beside {code}", limit, "GB/s"))
        for (name, _), rate in zip(works[1:], others, strict=True):
            results.append(Result(name, rate, "GB/s", ratio=rate / limit, limit="memcpy"))
    return results


def _codecs(k: int, m: int) -> list[tuple[str, Codec]]:
    reference = ZfecCodec(k, m)
    library = Isal.find()
    found: list[tuple[str, Codec]] = [("zfec", reference)]
    if library is not None:
        found.append(("ISA-L", IsalCodec(library, reference)))
    return found


def _encoding(codec: Codec, data: bytes) -> Callable[[], object]:
    cells = split(data, codec.k)
    return lambda: codec.encode(cells)


def _rebuilding(codec: Codec, data: bytes) -> Callable[[], object]:
    cells: list[Buffer] = [*split(data, codec.k)]
    cells += codec.encode(cells)
    lost = range(min(codec.k, codec.m))
    left = {number: cell for number, cell in enumerate(cells) if number not in lost}
    return lambda: codec.rebuild(left, lost)


def _rate(work: Callable[[], object], size: int) -> Callable[[], float]:
    """Return a run that says how many 10^9 bytes per second the work gets through."""

    def run() -> float:
        done, start = 0, time.perf_counter()
        while (took := time.perf_counter() - start) < ROUND_S:
            work()
            done += size
        return done / took / 1e9

    return run
