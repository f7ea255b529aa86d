"""Events: frozen facts with a permanent name and a version.

    @event("object.written", v=2)
    class ObjectWritten(Event):
        bucket_id: bytes
        key: str
        size: int = 0

    @upcasts("object.written", 1)
    def _named_bytes_before(old): return old | {"key": old.pop("name")}

The name and the fields' meanings are for ever; so is a default, since a field that has its
default value is left out of the stored bytes. A changed shape is a new version: the class takes
the new number, and an upcaster lifts the old dict one step.

Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, dataclass_transform

import msgspec

NAME = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+")
NAME_LENGTH_MAX = 64

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _EventMeta(msgspec.StructMeta):
    """Makes the fields of every event keyword-only, which msgspec does not inherit."""

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any
    ) -> _EventMeta:
        config.setdefault("kw_only", True)
        return super().__new__(mcls, name, bases, namespace, **config)


class Event(
    msgspec.Struct,
    metaclass=_EventMeta,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,  # nothing frozen can come to hold itself, so the collector need not look
):
    """A fact. Subclasses add fields and are registered by `@event`."""


E = TypeVar("E", bound=type[Event])


class EventType(NamedTuple):
    """What the log knows an event class by: `name` and the `version` that is written today."""

    name: str
    version: int
    cls: type[Event]


_by_name: dict[str, EventType] = {}
_by_class: dict[type[Event], EventType] = {}
_upcasters: dict[tuple[str, int], Upcaster] = {}


def event(name: str, *, v: int) -> Callable[[E], E]:
    """Register the decorated class as version `v` of the events called `name`."""
    assert NAME.fullmatch(name), f"{name!r} is no event name: dotted, lower case"
    assert len(name) <= NAME_LENGTH_MAX, f"{name!r} is longer than {NAME_LENGTH_MAX}"
    assert v >= 1, "versions start at 1"

    def register(cls: E) -> E:
        assert issubclass(cls, Event), f"{cls.__name__} must be an Event"
        assert name not in _by_name, f"{name} is taken by {_by_name[name].cls.__qualname__}"
        assert cls not in _by_class, f"{cls.__qualname__} is {_by_class[cls].name} already"
        _by_name[name] = _by_class[cls] = EventType(name, v, cls)
        return cls

    return register


def upcasts(name: str, v: int) -> Callable[[Upcaster], Upcaster]:
    """Register the decorated function as the step of `name` from version `v` to `v + 1`."""

    def register(step: Upcaster) -> Upcaster:
        assert (name, v) not in _upcasters, f"{name} v{v} has an upcaster already"
        _upcasters[name, v] = step
        return step

    return register


def type_of(cls: type[Event]) -> EventType:
    """Return the registration of an event class."""
    found = _by_class.get(cls)
    assert found is not None, f"{cls.__qualname__} is not registered with @event"
    return found


def type_named(name: str) -> EventType | None:
    """Return the registration of a name, or None if no imported module has it."""
    return _by_name.get(name)


def registered() -> Mapping[str, EventType]:
    """Return every registration by name, as a view that follows later ones."""
    return MappingProxyType(_by_name)


def upcast(name: str, version: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Return `fields`, stored as `version` of `name`, in the shape that is written today."""
    for step in range(version, _by_name[name].version):
        fields = _upcasters[name, step](fields)
    return fields


def check_registry() -> None:
    """Assert that every old version of every event can be lifted, and that no step is idle."""
    for known in _by_name.values():
        for version in range(1, known.version):
            assert (known.name, version) in _upcasters, (
                f"{known.name} is at v{known.version}, but nothing upcasts v{version}"
            )
    for name, version in _upcasters:
        assert name in _by_name, f"{name} v{version} is upcast, but {name} is not registered"
        assert version < _by_name[name].version, (
            f"{name} v{version} is upcast, but v{_by_name[name].version} is what is written"
        )
