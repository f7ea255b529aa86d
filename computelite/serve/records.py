"""A process's access records, as the configuration wants them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from computelite.cloud import Cloud
from computelite.config import Access
from eventlog.records.record import Kind
from eventlog.records.writer import RecordWriter


def open_records(cloud: Cloud, name: str) -> AbstractAsyncContextManager[RecordWriter]:
    """Return what takes the records of the process of this name."""
    kinds = kinds_of(cloud.config.access)
    return RecordWriter.open(
        cloud.folder.access, name, kinds=kinds, clock=cloud.clock, ids=cloud.ids
    )


def kinds_of(access: Access) -> frozenset[Kind]:
    """Return which kinds of records are wanted."""
    wanted = {
        Kind.READ: access.reads,
        Kind.REFUSED: access.refusals,
        Kind.LOGIN: access.logins,
        Kind.LOGIN_REFUSED: access.logins,
    }
    return frozenset(kind for kind, is_wanted in wanted.items() if is_wanted)
