"""Asking the policy, in front of every look and every change."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from computelite.api.errors import Forbidden
from computelite.identity.errors import NoSuch
from computelite.keystone.call import Call
from computelite.keystone.policy import Target, allows

T = TypeVar("T")


def permit(call: Call, *domains: str, project_id: str = "", user_id: str = "") -> None:
    """Return if the caller may do what was asked to what was named.

    Raises:  Forbidden.
    """
    target = Target(domains=domains, project_id=project_id, user_id=user_id)
    if not allows(call.caller, call.operation, target):
        raise denied(call)


def permitted_domain(call: Call) -> str | None:
    """Return the one domain that a caller may list things of; None: all of them.

    Raises:  Forbidden.
    """
    if allows(call.caller, call.operation):
        return None
    own = call.caller.domain_id
    if own is None or not allows(call.caller, call.operation, Target(domains=(own,))):
        raise denied(call)
    return own


async def seen(call: Call, looked_up: Awaitable[T]) -> T:
    """Return what is looked up; who may not do this to everything does not learn that it is absent.

    Raises:  NoSuch, Forbidden.
    """
    try:
        return await looked_up
    except NoSuch:
        if not allows(call.caller, call.operation):
            raise denied(call) from None
        raise


def permit_unrestricted(call: Call) -> None:
    """Return unless the caller came by an application credential that may not see or make others.

    Raises:  Forbidden.
    """
    if call.caller.is_restricted:
        raise Forbidden(
            reason="An application credential that is restricted cannot manage credentials."
        )


def denied(call: Call) -> Forbidden:
    """Return the refusal of what was asked."""
    return Forbidden(
        reason=f"You are not authorized to perform the requested action: identity:{call.operation}."
    )
