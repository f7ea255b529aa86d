"""Lists: filters on attributes, pages, links.

?name=x&enabled=true            exact, but for names, which are compared as everywhere; a parameter
                                that no attribute has is passed over
?name__contains=x               also icontains, startswith, istartswith, endswith, iendswith
?limit=10&marker=ID             the page after the one that ended with ID
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from computelite.api.call import json_reply
from computelite.api.errors import BadRequest
from computelite.identity.keys import compared
from computelite.keystone.call import Call
from swiftlite.http.replies import Reply

PAGE_MAX = 10_000

Fields = Mapping[str, Any]
R = TypeVar("R")

_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda value, part: part in value,
    "startswith": lambda value, part: value.startswith(part),
    "endswith": lambda value, part: value.endswith(part),
}


def wanted_by(call: Call, attributes: Collection[str]) -> Callable[[Fields], bool]:
    """Return the test that the query's filters on these attributes make.

    Raises:  BadRequest for a boolean that is none.
    """
    tests: list[Callable[[Fields], bool]] = []
    for parameter, value in call.query:
        name, comparing, how = parameter.partition("__")
        if name not in attributes:
            continue
        if not comparing:
            tests.append(_equal(call, name, value))
        else:
            test = _TESTS.get(how) or _TESTS.get(how.removeprefix("i"))
            if test is not None:
                tests.append(_matching(name, value, test, folded=how.startswith("i")))
    return lambda fields: all(test(fields) for test in tests)


def _equal(call: Call, name: str, value: str) -> Callable[[Fields], bool]:
    wanted = compared(value) if name == "name" else value

    def test(fields: Fields) -> bool:
        found = fields.get(name)
        if isinstance(found, str) and name == "name":
            return compared(found) == wanted
        if isinstance(found, bool):
            # As Keystone has it: `?enabled` and `?enabled=1` are true, `?enabled=0` is not.
            return found == (value == "" or bool(call.query.truth(name)))
        return found == value or (found is None and value == "")

    return test


def _matching(
    name: str, value: str, how: Callable[[str, str], bool], *, folded: bool
) -> Callable[[Fields], bool]:
    part = value.casefold() if folded else value

    def test(fields: Fields) -> bool:
        found = fields.get(name)
        if not isinstance(found, str):
            return False
        return how(found.casefold() if folded else found, part)

    return test


async def listed(
    call: Call,
    name: str,
    rows: AsyncIterator[R],
    show: Callable[[R], dict[str, Any]],
    *,
    path: str = "",
    filters: Collection[str] = (),
    keep: Callable[[R], bool] | None = None,
) -> Reply:
    """Answer a list of `rows`, which come in the order of their ids.

    `show` makes the document of one; its own link is `path`/id, `name`/id by default.
    Raises:  BadRequest for a page that is none, or whose marker is unknown.
    """
    wanted = wanted_by(call, filters)
    size, marker = _page(call)
    members: list[dict[str, Any]] = []
    more = False
    after = marker is None
    async for row in rows:
        if keep is not None and not keep(row):
            continue
        fields = show(row)
        if not wanted(fields):
            continue
        if not after:
            after = fields["id"] == marker
            continue
        if len(members) >= size:
            more = True
            break
        where = call.url(*(path or name).split("/"), fields["id"])
        members.append({**fields, "links": {"self": where}})
    if not after:
        raise BadRequest(reason="The marker is not in the list.")
    following = _next(call, members[-1]["id"]) if more and members else None
    links = {"self": call.base_url + call.request.target, "previous": None, "next": following}
    return json_reply({name: members, "links": links})


async def in_turn(rows: Iterable[R]) -> AsyncIterator[R]:
    """Yield rows that are at hand."""
    for row in rows:
        yield row


def _page(call: Call) -> tuple[int, str | None]:
    text = call.query.get("limit")
    size = PAGE_MAX
    if text is not None:
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise BadRequest(reason="The parameter limit is a number, not below 0.")
        size = min(int(text), PAGE_MAX) or PAGE_MAX
    return size, call.query.get("marker")


def _next(call: Call, last: str) -> str:
    path = call.request.target.partition("?")[0]
    kept = [(name, value) for name, value in call.query if name != "marker"]
    return f"{call.base_url}{path}?{urlencode([*kept, ('marker', last)])}"
