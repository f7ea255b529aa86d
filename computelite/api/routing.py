"""Routing: from a method and a path to the one handler that answers, and its policy operation.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from computelite.api.errors import NoSuchMethod, NoSuchPath
from swiftlite.http.replies import Reply

C = TypeVar("C")  # a service's Call


class Reads(Enum):
    """What becomes of a request's body before the handler sees it."""

    OBJECT = "a JSON object, as call.body"
    BYTES = "all of its bytes, as call.content"
    STREAM = "nothing: the handler reads call.incoming"


class Route(NamedTuple, Generic[C]):
    """One row: `GET`, `/v3/users/{user_id}`, a handler, the policy's operation `get_user`.

    Where the operation is "", anyone may come, without a token. HEAD is answered as GET is.
    """

    method: str
    pattern: str
    handler: Callable[[C], Awaitable[Reply]]
    operation: str
    reads: Reads = Reads.OBJECT

    @property
    def is_open(self) -> bool:
        """Whether nobody has to be authenticated."""
        return not self.operation


class Routes(Generic[C]):
    """Finds routes. A fixed segment goes before a parameter in its place."""

    def __init__(self, rows: Iterable[Route[C]]) -> None:
        self.rows = tuple(rows)
        self._root: _Node[C] = _Node()
        for row in self.rows:
            node = self._root
            for part in _parts(row.pattern):
                node = node.inner.setdefault("{}" if part.startswith("{") else part, _Node())
            assert row.method not in node.rows, f"{row.method} {row.pattern} is there twice"
            node.rows[row.method] = row

    def find(self, method: str, segments: Sequence[str]) -> tuple[Route[C], Mapping[str, str]]:
        """Return the route and the path's parameters.

        Raises:  NoSuchPath; NoSuchMethod, which names those that there are.
        """
        methods: set[str] = set()
        for node in self._root.matches(segments):
            row = node.rows.get("GET" if method == "HEAD" else method)
            if row is not None:
                pairs = zip(_parts(row.pattern), segments, strict=True)
                return row, {part[1:-1]: s for part, s in pairs if part.startswith("{")}
            methods.update(node.rows)
        if not methods:
            raise NoSuchPath()
        raise NoSuchMethod(method=method, allowed=", ".join(sorted(methods)))


class _Node(Generic[C]):
    """What may follow a part of a path; "{}" is any segment."""

    __slots__ = ("inner", "rows")

    def __init__(self) -> None:
        self.inner: dict[str, _Node[C]] = {}
        self.rows: dict[str, Route[C]] = {}

    def matches(self, segments: Sequence[str]) -> Iterable[_Node[C]]:
        if not segments:
            if self.rows:
                yield self
            return
        first, rest = segments[0], segments[1:]
        if (fixed := self.inner.get(first)) is not None and first != "{}":
            yield from fixed.matches(rest)
        if first and (any_ := self.inner.get("{}")) is not None:
            yield from any_.matches(rest)


def _parts(pattern: str) -> list[str]:
    return pattern.removeprefix("/").split("/")
