"""One operator's request under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from computelite.cloud import Cloud
from computelite.control.messages import Progress
from eventlog.log import Actor

Report = Callable[[Progress], None]


class Call(NamedTuple):
    """On which cloud, for whom, and whom to tell how far it is."""

    cloud: Cloud
    report: Report
    actor: Actor
    running: bool  # whether it serves, or was opened for this request


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operation takes."""


class Nothing(Arguments, frozen=True, kw_only=True):
    """For operations that take nothing."""
