"""What fields of requests may hold, whatever the service.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta

# At least one character that is seen, and none that steers a terminal or splits a header.
# \Z and not $, which lets a line break follow.
_NAME = r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*\Z"

Name64: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=_NAME)]
Name255: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255, pattern=_NAME)]
Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+\Z")]
Text: TypeAlias = Annotated[str, Meta(max_length=16384)]


def changes_of(sent: msgspec.Struct, *names: str) -> dict[str, Any]:
    """Return those of the named fields that a request sets."""
    pairs = ((name, getattr(sent, name)) for name in names)
    return {name: value for name, value in pairs if value is not UNSET}
