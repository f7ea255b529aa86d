"""What folds have in common.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from eventlog.event import Event
from eventlog.log import Recorded
from eventlog.view import Rows

Fold: TypeAlias = Callable[[Rows, Recorded, Any], None]
Folds: TypeAlias = Mapping[type[Event], Fold]
Range: TypeAlias = tuple[bytes, bytes | None]

_PAGE = 256


def changes_of(event: Event, *, but: str) -> dict[str, Any]:
    """Return the fields of a `...changed` event that are set, but for the id that it is about."""
    values = {name: getattr(event, name) for name in event.__struct_fields__ if name != but}
    return {name: value for name, value in values.items() if value is not UNSET}


def replace(rows: Rows, table: str, key: bytes, **changes: Any) -> None:
    """Change some fields of a row, if there is one."""
    if changes and (row := rows.get(table, key)) is not None:
        rows.put(table, key, msgspec.structs.replace(row, **changes))


def rename(rows: Rows, names: str, old: bytes, new: bytes, ref: Any) -> None:
    """Let `new` be the name instead of `old`."""
    rows.delete(names, old)
    rows.put(names, new, ref)


def every(rows: Rows, table: str, within: Range) -> Iterator[tuple[bytes, Any]]:
    """Yield every row of a range, which may be deleted meanwhile."""
    lo, hi = within
    while page := rows.scan(table, lo, hi, _PAGE):
        yield from page
        lo = page[-1][0] + b"\0"
