"""A secret that does not show itself: not in a repr, a traceback, a log line, a pickle.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """A string that only `reveal` gives out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself: for a signature's HMAC, or for the one answer that shows it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be serialised")
