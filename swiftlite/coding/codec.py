"""Codecs: k cells of data to m of parity, and any k cells to those that are lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import shake_128
from typing import Protocol

import zfec

from eventlog.errors import Refused
from swiftlite.coding.cells import CellsUnfit, common_length, survivors
from swiftlite.coding.isal import Isal, IsalCodec
from swiftlite.coding.stripe import Buffer

K_MAX = 16
M_MAX = 8
FRAGMENTS_MAX = 20  # every erasure pattern of every code within these bounds is tested

PROOF_LENGTHS = (1, 15, 64, 257, 4099)  # bytes; below, at and beyond what vector loops take at once

log = logging.getLogger(__name__)


class CodeUnsupported(Refused):
    """The code {k}+{m} is not supported: 1 to 16 data, 1 to 8 parity, at most 20 together."""


class Codec(Protocol):
    """A systematic code; any k of its k + m cells give back all of them.

    Cells are contiguous buffers of one length of at least 1 byte, read where they are and not
    kept. What is returned is new memory, or a buffer that was passed in. Any thread may call at any
    time; the GIL is released while bytes are coded, so nobody may change the cells meanwhile.
    """

    @property
    def k(self) -> int:
        """How many data cells; their numbers are 0..k-1."""

    @property
    def m(self) -> int:
        """How many parity cells; their numbers are k..k+m-1."""

    def encode(self, cells: Sequence[Buffer]) -> list[Buffer]:
        """Return the m parity cells of k data cells.

        Raises: CellsUnfit.
        """

    def rebuild(self, cells: Mapping[int, Buffer], wanted: Sequence[int]) -> list[Buffer]:
        """Return the wanted cells, data or parity, from any k.

        Law:    the same bytes whichever k are given; data cells are used first, and what is beyond
                k cells is not looked at.
        Raises: CellsUnfit.
        """


class ZfecCodec:
    """zfec's Vandermonde code over GF(256), made systematic: MDS, unlike ISA-L's own matrix."""

    def __init__(self, k: int, m: int) -> None:
        self.k = k
        self.m = m
        self._parity = list(range(k, k + m))
        self._encoder = zfec.Encoder(k, k + m)
        self._decoder = zfec.Decoder(k, k + m)

    def encode(self, cells: Sequence[Buffer]) -> list[Buffer]:
        """See `Codec`."""
        if len(cells) != self.k:
            raise CellsUnfit(f"{len(cells)} data cells for {self.k}+{self.m}")
        common_length(memoryview(cell).nbytes for cell in cells)
        parity: list[Buffer] = self._encoder.encode(list(cells), self._parity)
        return parity

    def rebuild(self, cells: Mapping[int, Buffer], wanted: Sequence[int]) -> list[Buffer]:
        """See `Codec`."""
        used = survivors(cells, wanted, self.k, self.m)
        common_length(memoryview(cells[number]).nbytes for number in used)
        # zfec wants each surviving data cell at its own position, and parity in the gaps.
        gaps = iter([number for number in used if number >= self.k])
        numbers = [number if number in used else next(gaps) for number in range(self.k)]
        data = self._decoder.decode([cells[number] for number in numbers], numbers)
        found: dict[int, Buffer] = dict(enumerate(data)) | dict(cells)
        # Each once: zfec has room for m numbers and does not check that it gets no more.
        lost = sorted({number for number in wanted if number not in found})
        if lost:
            found.update(zip(lost, self._encoder.encode(list(data), lost), strict=True))
        return [found[number] for number in wanted]


@cache
def codec_for(k: int, m: int) -> Codec:
    """Return the fastest codec there is for k+m; all of them give the same bytes.

    ISA-L's is taken where its library is found and does, on this machine, what zfec does.

    Raises: CodeUnsupported.
    """
    if not (1 <= k <= K_MAX and 1 <= m <= M_MAX and k + m <= FRAGMENTS_MAX):
        raise CodeUnsupported(k=k, m=m)
    reference = ZfecCodec(k, m)
    library = Isal.find()
    if library is None:
        return reference
    fast = IsalCodec(library, reference)
    if not agree(fast, reference):
        log.warning("%s makes wrong bytes for %d+%d and is not used", library.name, k, m)
        return reference
    return fast


def agree(one: Codec, other: Codec) -> bool:
    """Say whether two codecs make the same parity, and rebuild the same, from arbitrary bytes."""
    k, m = one.k, one.m
    for length in PROOF_LENGTHS:
        noise = shake_128(b"%d+%d" % (k, m)).digest(k * length)
        data = [noise[i * length : (i + 1) * length] for i in range(k)]
        cells = dict(enumerate([*data, *(bytes(cell) for cell in other.encode(data))]))
        if [bytes(cell) for cell in one.encode(data)] != [cells[k + i] for i in range(m)]:
            return False
        for first in range(k + 1):  # m neighbours lost: data only, data and parity, parity only
            lost = range(first, first + m)
            left = {number: cell for number, cell in cells.items() if number not in lost}
            if [bytes(cell) for cell in one.rebuild(left, lost)] != [cells[i] for i in lost]:
                return False
    return True
