"""What the shapes of identity's events have in common.

Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from msgspec import UnsetType

T = TypeVar("T")

Maybe: TypeAlias = T | UnsetType
"""A field of a `...changed` event: UNSET, which is left out of the stored bytes, is unchanged."""

Json: TypeAlias = dict[str, Any]
"""What clients may hang on a resource, as JSON; its writer has bounded it."""


def hexed(stored: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    """Return a stored event with ids that were 16 bytes, in base64, as hexadecimal digits."""
    lifted = {name: base64.b64decode(stored[name]).hex() for name in fields if name in stored}
    return dict(stored) | lifted
