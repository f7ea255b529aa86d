"""What operators can have done, by the keeper of a running cloud or by a command on a stopped one.

An operation is a function of the cloud and of named arguments, whose types are its signature's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from computelite.cloud import Cloud
from computelite.control import admin, keys, storage
from computelite.control.call import Call, Nothing, Report
from computelite.control.messages import Request
from computelite.errors import WrongUsage
from eventlog.log import Actor


class Operation(NamedTuple):
    """How one operation is done."""

    arguments: type[msgspec.Struct]
    run: Callable[[Call, Any], Awaitable[dict[str, Any]]]


OPERATIONS: dict[str, Operation] = {
    "admin.reset-password": Operation(admin.ResetPassword, admin.reset_password),
    "key.create": Operation(keys.CreateKey, keys.create),
    "key.list": Operation(Nothing, keys.list_all),
    "key.disable": Operation(keys.SwitchKey, keys.disable),
    "key.enable": Operation(keys.SwitchKey, keys.enable),
    "status": Operation(Nothing, storage.status),
    "ring.show": Operation(Nothing, storage.ring_show),
    "device.list": Operation(Nothing, storage.device_list),
    "scrub": Operation(storage.Scrub, storage.scrub_all),
    "repair": Operation(Nothing, storage.repair_all),
}


async def perform(
    cloud: Cloud, request: Request, report: Report, actor: Actor, *, running: bool
) -> dict[str, Any]:
    """Do what was asked; return its result when it is done.

    Raises:  WrongUsage for an unknown operation or wrong arguments, and what the operation raises.
    """
    operation = OPERATIONS.get(request.do)
    if operation is None:
        raise WrongUsage(reason=f"there is no operation {request.do}")
    try:
        arguments = msgspec.convert(request.arguments, operation.arguments)
    except msgspec.ValidationError as error:
        raise WrongUsage(reason=f"{request.do}: {error}") from None
    return await operation.run(Call(cloud, report, actor, running), arguments)
