"""What fields of requests to Keystone may hold.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.errors import BadRequest
from computelite.identity.errors import NotAllowed
from computelite.keystone.call import Call

Tag: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^,/]*$")]

EXTRA_BYTES_MAX = 32768
EXTRA_DEPTH_MAX = 32  # of lists and objects in one another: whoever reads it must be able to
# What answers add by themselves, and clients send back.
_NEVER_EXTRA = frozenset({"id", "links"})


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What domains, projects and roles can be set to; null takes an option away."""

    immutable: bool | UnsetType | None = UNSET


class UserOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What users can be set to; null takes an option away."""

    ignore_change_password_upon_first_use: bool | UnsetType | None = UNSET
    ignore_password_expiry: bool | UnsetType | None = UNSET
    ignore_lockout_failure_attempts: bool | UnsetType | None = UNSET
    ignore_user_inactivity: bool | UnsetType | None = UNSET
    lock_password: bool | UnsetType | None = UNSET
    multi_factor_auth_enabled: bool | UnsetType | None = UNSET
    multi_factor_auth_rules: (
        Annotated[list[Annotated[list[str], Meta(max_length=8)]], Meta(max_length=16)]
        | UnsetType
        | None
    ) = UNSET


def merged_options(before: Mapping[str, Any], sent: msgspec.Struct | UnsetType) -> dict[str, Any]:
    """Return options after a request that set some, and took away those that it set to null."""
    options = dict(before)
    if not isinstance(sent, UnsetType):
        for name in sent.__struct_fields__:
            value = getattr(sent, name)
            if value is None:
                options.pop(name, None)
            elif value is not UNSET:
                options[name] = value
    return options


def extras_of(
    call: Call, member: str, shape: type[msgspec.Struct], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the attributes of a client's own, those `before` the request included.

    Raises:  BadRequest if they are too many to be kept.
    """
    sent = call.extras(member, shape)
    extra = {**(before or {}), **{k: v for k, v in sent.items() if k not in _NEVER_EXTRA}}
    if not _is_flat(extra, EXTRA_DEPTH_MAX):
        raise BadRequest(
            reason=f"Attributes of your own in {member} are at most {EXTRA_DEPTH_MAX} deep."
        )
    try:
        size = len(msgspec.msgpack.encode(extra))
    except OverflowError:
        raise BadRequest(reason=f"A number in {member} is beyond bounds.") from None
    if size > EXTRA_BYTES_MAX:
        raise BadRequest(
            reason=f"Attributes of your own in {member} have at most {EXTRA_BYTES_MAX} bytes."
        )
    return extra


def _is_flat(value: object, depth: int) -> bool:
    """Whether nothing in a JSON value lies deeper than `depth`."""
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_flat(each, depth - 1) for each in inner)


def check_mutable(kind: str, options: Mapping[str, Any], sent: object = UNSET) -> None:
    """Return unless something is immutable, and the request does not lift that.

    Raises:  NotAllowed.
    """
    lifts = isinstance(sent, Options) and sent.immutable in (False, None)
    if options.get("immutable") and not lifts:
        raise NotAllowed(reason=f"The {kind} is immutable.")
