"""What a list of images is asked for: filters, order, page.

    ?name=x&status=in:active,queued&tag=a&tag=b&size_min=1&created_at=gte:2026-11-22T10:00:00Z
    ?visibility=shared&member_status=all&os_hidden=true&any_property=x
    ?sort=name:asc,size   or   ?sort_key=name&sort_dir=asc
    ?limit=10&marker=ID

Pure: no clock, no IO.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from computelite.api.errors import BadRequest
from computelite.api.request import Query
from computelite.api.times import micros_from
from computelite.glance.fields import VISIBILITIES
from computelite.image.rows import ACCEPTED, PENDING, REJECTED, Image

PAGE_DEFAULT = 25
PAGE_MAX = 1000
ALL = "all"
SORT_KEYS = (
    "name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at",
)  # fmt: skip
MEMBER_STATUSES = (PENDING, ACCEPTED, REJECTED, ALL)

Test: TypeAlias = Callable[[Image], bool]

_PAGING = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir", "member_status", "tag"})
_TEXTS = frozenset({"id", "name", "status", "container_format", "disk_format"})
_NUMBERS = frozenset({"size", "min_disk", "min_ram", "virtual_size"})
_TIMES = frozenset({"created_at", "updated_at"})
_COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A list as it is asked for. `visibility` "" is what one sees by default."""

    tests: tuple[Test, ...]
    visibility: str
    member_status: str
    order: tuple[tuple[str, bool], ...]  # key, whether descending
    limit: int
    marker: str | None

    def wants(self, image: Image) -> bool:
        """Whether the filters let an image through."""
        return all(test(image) for test in self.tests)


def asked_of(query: Query) -> Asked:
    """Return what a query asks for.

    Raises:  BadRequest.
    """
    visibility = query.get("visibility", "") or ""
    if visibility not in ("", ALL, *VISIBILITIES):
        raise BadRequest(reason=f"Invalid visibility value: {visibility}")
    member_status = query.get("member_status", ACCEPTED) or ACCEPTED
    if member_status not in MEMBER_STATUSES:
        raise BadRequest(reason=f"Invalid status: {member_status}")
    tests = [_test(name, value) for name, value in query if name not in _PAGING]
    if "os_hidden" not in query:
        tests.append(lambda image: not image.hidden)
    tags = {tag.strip() for tag in query.all("tag")}
    if tags:
        tests.append(lambda image: tags.issubset(image.tags))
    return Asked(
        tests=tuple(tests),
        visibility=visibility,
        member_status=member_status,
        order=_order(query),
        limit=_limit(query),
        marker=query.get("marker"),
    )


def in_order(images: Iterable[Image], order: Iterable[tuple[str, bool]]) -> list[Image]:
    """Return images sorted; those that are alike, the newest first. What has no value is least."""
    found = sorted(images, key=lambda image: (image.created_us, image.id), reverse=True)
    for name, descending in reversed(tuple(order)):
        found.sort(key=_sort_key(name), reverse=descending)
    return found


def page_of(images: Iterable[Image], asked: Asked, marker: Image | None) -> list[Image]:
    """Return the page, and one image more if there is one: those behind the marker, in order."""
    found = {image.id: image for image in images}
    start = 0
    if marker is not None:
        # It need not be among those that the filters let through.
        ordered = in_order((found | {marker.id: marker}).values(), asked.order)
        start = next(at for at, image in enumerate(ordered) if image.id == marker.id) + 1
    else:
        ordered = in_order(found.values(), asked.order)
    return ordered[start : start + asked.limit + 1]


def value_of(image: Image, name: str) -> Any:
    """Return an attribute by its name in the API, for comparing; times as microseconds."""
    match name:
        case "size" | "virtual_size" | "checksum" | "os_hash_value":
            inner = "hash_value" if name == "os_hash_value" else name
            return None if image.content is None else getattr(image.content, inner)
        case "created_at":
            return image.created_us
        case "updated_at":
            return image.updated_us
        case "os_hidden":
            return image.hidden
    return getattr(image, name)


def _sort_key(name: str) -> Callable[[Image], Any]:
    def key(image: Image) -> Any:
        value = value_of(image, name)
        return (value is not None, value if value is not None else 0)

    return key


def _test(name: str, value: str) -> Test:
    if name in _TEXTS:
        wanted = _any_of(value)
        return lambda image: value_of(image, name) in wanted
    if name in _NUMBERS:
        number = _number(name, value)
        return lambda image: bool(value_of(image, name) == number)
    if name in ("size_min", "size_max"):
        number = _number(name, value)
        return lambda image: _within(image, number, is_least=name == "size_min")
    if name in _TIMES:
        return _time_test(name, value)
    if name in ("protected", "os_hidden"):
        if value.lower() not in ("true", "false"):
            raise BadRequest(
                reason=f"Invalid value '{value}' for '{name}' filter. "
                "Valid values are 'true' or 'false'."
            )
        truth = value.lower() == "true"
        return lambda image: value_of(image, name) is truth
    if name == "visibility":
        return lambda image: value in ("", ALL, image.visibility)
    if name == "changes-since":
        raise BadRequest(reason='The "changes-since" filter is no longer available on v2.')
    if name in ("owner", "checksum", "os_hash_value"):
        return lambda image: value_of(image, name) == value
    if name == "os_hash_algo":
        return lambda image: image.content is not None and value == "sha512"
    return lambda image: image.properties.get(name) == value


def _within(image: Image, number: int, *, is_least: bool) -> bool:
    if image.content is None:
        return False
    return image.content.size >= number if is_least else image.content.size <= number


def _any_of(value: str) -> frozenset[str]:
    """Return what `in:a,"b,c"` lists; anything else is one value."""
    operator, colon, rest = value.partition(":")
    if not colon or operator not in (*_COMPARED, "in"):
        return frozenset({value})
    if operator == "eq":
        return frozenset({rest})
    if operator != "in":
        raise BadRequest(reason=f"Unable to filter by the operator {operator}: it is for times.")
    try:
        (row,) = csv.reader([rest], strict=True)
    except (csv.Error, ValueError):
        raise BadRequest(reason=f"Invalid filter value {rest}: a quote is not closed.") from None
    return frozenset(row)


def _time_test(name: str, value: str) -> Test:
    operator, colon, rest = value.partition(":")
    if not colon or operator not in _COMPARED:
        operator, rest = "eq", value
    at_us = micros_from(rest)
    if at_us is None:
        raise BadRequest(reason=f"Invalid time value {rest} for {name}.")
    compare, second = _COMPARED[operator], at_us // 1_000_000
    return lambda image: compare(value_of(image, name) // 1_000_000, second)


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise BadRequest(reason=f"Unable to convert the value {value!r} of {name} to a number.")
    return int(value)


def _limit(query: Query) -> int:
    text = query.get("limit")
    if text is None:
        return PAGE_DEFAULT
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRequest(reason="limit param must be an integer, and not below 0")
    return min(int(text), PAGE_MAX)


def _order(query: Query) -> tuple[tuple[str, bool], ...]:
    sort = query.get("sort")
    if sort is not None:
        if "sort_key" in query or "sort_dir" in query:
            raise BadRequest(reason="Old and new sorting syntax cannot be combined")
        pairs = [part.partition(":") for part in sort.strip().split(",")]
        return _checked_order((key.strip(), way.strip() or "desc") for key, _, way in pairs)
    keys = [key.strip() for key in query.all("sort_key")]
    ways = [way.strip() for way in query.all("sort_dir")]
    if len(ways) > 1 and len(ways) != len(keys):
        raise BadRequest(reason="Number of sort dirs does not match the number of sort keys")
    keys = keys or ["created_at"]
    ways = ways or ["desc"]
    return _checked_order(zip(keys, ways * len(keys) if len(ways) == 1 else ways, strict=True))


def _checked_order(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, bool], ...]:
    found: list[tuple[str, bool]] = []
    for key, way in pairs:
        if key not in SORT_KEYS:
            known = ", ".join(SORT_KEYS)
            raise BadRequest(
                reason=f"Invalid sort key: {key}. It must be one of the following: {known}."
            )
        if way not in ("asc", "desc"):
            raise BadRequest(reason=f"Invalid sort direction: {way}")
        found.append((key, way == "desc"))
    return tuple(found)
