"""ISA-L, found on this machine and given zfec's matrix: the same bytes, many times as fast."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlite.coding.cells import CellsUnfit, common_length, survivors
from swiftlite.coding.stripe import Buffer

if TYPE_CHECKING:
    from swiftlite.coding.codec import Codec

SETTING = "CUMULOG_LIBISAL"  # a path; empty: do not use ISA-L; absent: look where it usually is
CELL_BYTES_MAX = 2**31 - 1  # the library counts in C ints
TABLES_REMEMBERED = 1024  # erasure patterns of a codec; 32 * k bytes for each cell to make

# Py_buffer, of the stable ABI since Python 3.11, as 64-bit words: buf, obj, len, itemsize, two
# ints, and five pointers. It reads any buffer where it is, also one that may not be written.
VIEW_WORDS = 10
VIEW_BUF = 0
VIEW_LEN = 2
PYBUF_SIMPLE = 0  # contiguous bytes, or BufferError

log = logging.getLogger(__name__)


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = (ctypes.py_object, ctypes.c_void_p, ctypes.c_int)
_get_buffer.restype = ctypes.c_int
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes = (ctypes.c_void_p,)
_release_buffer.restype = None


class Isal:
    """The two functions of libisal that are used.

    Source: intel/isa-l, include/erasure_code.h.
    """

    def __init__(self, name: str) -> None:
        library = ctypes.CDLL(name)  # its functions run without the GIL
        self.name = name
        self.init_tables = library.ec_init_tables
        self.init_tables.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)
        self.init_tables.restype = None
        self.encode_data = library.ec_encode_data
        self.encode_data.argtypes = (
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )
        self.encode_data.restype = None

    @classmethod
    @cache
    def find(cls) -> Isal | None:
        """Return the first library that loads: the one that is set, the system's, pyeclib's."""
        configured = os.environ.get(SETTING)
        if configured == "" or ctypes.sizeof(ctypes.c_void_p) != 8:
            return None
        for name in [configured] if configured else _usual_places():
            try:
                return cls(name)
            except (OSError, AttributeError) as reason:
                if configured:
                    log.warning("%s=%s cannot be used: %s", SETTING, name, reason)
        return None


def _usual_places() -> Iterator[str]:
    yield "libisal.so.2"  # Debian: libisal2
    found = importlib.util.find_spec("pyeclib")
    for folder in (found and found.submodule_search_locations) or ():
        for path in sorted(Path(folder).parent.glob("pyeclib.libs/libisal*.so*")):
            yield str(path)


class _Pointers(threading.local):
    """A thread's standing arrays: making them anew costs more than coding a small object."""

    def __init__(self, cells: int) -> None:
        self.views = (ctypes.c_ssize_t * (VIEW_WORDS * cells))()
        size = VIEW_WORDS * ctypes.sizeof(ctypes.c_ssize_t)
        self.at = [ctypes.addressof(self.views) + i * size for i in range(cells)]
        self.sources = (ctypes.c_ssize_t * cells)()
        self.targets = (ctypes.c_ssize_t * cells)()


class IsalCodec:
    """A codec's matrix, in ISA-L's arithmetic: both use the field polynomial 0x11D.

    Coefficients are learnt from the reference codec: what it makes of unit vectors is the matrix,
    for parity and for every erasure pattern alike.
    """

    def __init__(self, library: Isal, reference: Codec) -> None:
        self.k = reference.k
        self.m = reference.m
        self._library = library
        self._reference = reference
        self._pointers = _Pointers(self.k + self.m)
        self._tables = lru_cache(maxsize=TABLES_REMEMBERED)(self._make_tables)
        self._data = tuple(range(self.k))
        self._parity = tuple(range(self.k, self.k + self.m))

    def encode(self, cells: Sequence[Buffer]) -> list[Buffer]:
        """See `Codec`."""
        if len(cells) != self.k:
            raise CellsUnfit(f"{len(cells)} data cells for {self.k}+{self.m}")
        return self._apply(self._tables(self._data, self._parity), cells, self.m)

    def rebuild(self, cells: Mapping[int, Buffer], wanted: Sequence[int]) -> list[Buffer]:
        """See `Codec`."""
        used = survivors(cells, wanted, self.k, self.m)
        lost = tuple(sorted({number for number in wanted if number not in cells}))
        given = [cells[number] for number in used]
        made = self._apply(self._tables(used, lost), given, len(lost)) if lost else []
        found = dict(cells) | dict(zip(lost, made, strict=True))
        return [found[number] for number in wanted]

    def _make_tables(
        self, used: tuple[int, ...], lost: tuple[int, ...]
    ) -> ctypes.Array[ctypes.c_char]:
        unit = {number: bytes(i == j for j in range(self.k)) for i, number in enumerate(used)}
        matrix = b"".join(self._reference.rebuild(unit, lost))
        tables = ctypes.create_string_buffer(32 * self.k * len(lost))
        self._library.init_tables(self.k, len(lost), matrix, tables)
        return tables

    def _apply(
        self, tables: ctypes.Array[ctypes.c_char], cells: Sequence[Buffer], count: int
    ) -> list[Buffer]:
        """Return `count` products of the tables' rows with the k cells."""
        local = self._pointers
        views, sources, targets = local.views, local.sources, local.targets
        held = []
        try:
            for cell, at in zip(cells, local.at, strict=False):
                _get_buffer(cell, at, PYBUF_SIMPLE)
                held.append(at)
            words = views[: VIEW_WORDS * self.k]
            length = common_length(words[VIEW_LEN::VIEW_WORDS])
            if length > CELL_BYTES_MAX:
                raise CellsUnfit(f"cells of {length} bytes; at most {CELL_BYTES_MAX}")
            made = bytearray(count * length)
            start = ctypes.addressof(ctypes.c_char.from_buffer(made))
            sources[: self.k] = [*words[VIEW_BUF::VIEW_WORDS]]
            targets[:count] = [start + i * length for i in range(count)]
            self._library.encode_data(length, self.k, count, tables, sources, targets)
        finally:
            for at in held:
                _release_buffer(at)
        whole = memoryview(made)
        return [whole[i * length : (i + 1) * length] for i in range(count)]
