"""Devices: those of the cloud that this process can reach, and why it cannot reach the others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from eventlog.errors import CloudError
from swiftlite.catalog.rows import DeviceRow
from swiftlite.node.device import Device
from swiftlite.node.errors import DeviceOut

log = logging.getLogger(__name__)


LOOK_S = 5.0  # how long a device may take to open, to close, to say how much room it has


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """How a device is, for people. Sizes in bytes; both 0 while the device is out."""

    id: int
    path: str
    state: str  # "ok", "slow", "out"
    reason: str = ""
    free: int = 0
    total: int = 0


class Devices:
    """Opens what the catalog names, and keeps trying; never formats anything.

    A device is up while it is open, says that it is well, and answers in time. One that let a
    deadline pass is left alone until the call that was late has come back.
    """

    def __init__(self, open_device: Callable[[DeviceRow], Awaitable[Device]]) -> None:
        self._open_device = open_device
        self._rows: dict[int, DeviceRow] = {}
        self._open: dict[int, Device] = {}
        self._reasons: dict[int, str] = {}
        self._late: dict[int, set[asyncio.Future[Any]]] = {}
        self._turn = asyncio.Lock()
        self._opening: dict[int, asyncio.Task[Device]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def up(self) -> list[int]:
        """Return the ids of the devices that can be asked now."""
        return [id_ for id_ in self._open if self.is_up(id_)]

    def out(self) -> set[int]:
        """Return the ids of the devices that cannot be asked now."""
        return {id_ for id_ in self._rows if not self.is_up(id_)}

    def is_up(self, id_: int) -> bool:
        """Say whether this device can be asked now."""
        device = self._open.get(id_)
        return device is not None and not device.reason and id_ not in self._late

    def __getitem__(self, id_: int) -> Device:
        """Return an open device.

        Raises:  DeviceOut if it is not up.
        """
        if not self.is_up(id_):
            raise DeviceOut(device=id_, reason=self.reason(id_))
        return self._open[id_]

    def even_late(self, id_: int) -> Device | None:
        """Return a device that is well, though it may not have answered in time; None if not."""
        device = self._open.get(id_)
        return device if device is not None and not device.reason else None

    def even_out(self, id_: int) -> Device | None:
        """Return a device that may be read from, though it may take no writes; None if closed."""
        return self._open.get(id_)

    def reason(self, id_: int) -> str:
        """Return why a device is not up, "" if it is."""
        if id_ in self._late:
            return "it did not answer in time"
        device = self._open.get(id_)
        if device is None:
            return self._reasons.get(id_, "it is not a device of this cloud")
        return "" if device.state == "ok" else device.reason

    def late(self, id_: int, call: asyncio.Future[Any]) -> None:
        """Leave a device alone until `call`, which missed its deadline, has come back."""
        calls = self._late.setdefault(id_, set())
        if call in calls:
            return
        if not calls:
            log.warning("device %d does not answer in time: left alone until it does", id_)
        calls.add(call)
        call.add_done_callback(lambda done: self._returned(id_, done))

    async def adopt(self, rows: Iterable[DeviceRow], *, sync: bool = False) -> None:
        """Make the devices of the cloud these; open what is not open, close what is no more.

        What is open is probed by a small write, with `sync` to the disk itself.
        """
        async with self._turn:
            self._rows = {row.id: row for row in rows if row.state == "in"}
            for id_, device in list(self._open.items()):
                row = self._rows.get(id_)
                if id_ not in self._late:
                    await self._look(id_, device, sync=sync)
                if row is not None and row.uuid == device.identity.uuid and device.state != "ok":
                    self._say_out(id_, device.reason)
                    if id_ in self._late or await self._stays_out(id_, device):
                        continue
                if row is None or row.uuid != device.identity.uuid or device.state != "ok":
                    del self._open[id_]
                    await self._close(device)
            for id_, row in self._rows.items():
                if id_ not in self._open:
                    await self._try(row)

    async def reopen(self, *, sync: bool = False) -> None:
        """See whether what is open can still be written, and try again to open what is out."""
        await self.adopt(list(self._rows.values()), sync=sync)

    async def conditions(self) -> list[Condition]:
        """Return how every device of the cloud is, by id."""
        found = []
        for id_, row in sorted(self._rows.items()):
            device = self._open.get(id_)
            if device is None or device.state != "ok":
                reason = self.reason(id_)
                found.append(Condition(id=id_, path=row.path, state="out", reason=reason))
                continue
            try:
                free, total = await device.free_bytes()
            except CloudError as error:  # it has just noticed that it is out
                found.append(Condition(id=id_, path=row.path, state="out", reason=str(error)))
                continue
            state = "slow" if id_ in self._late else "ok"
            found.append(
                Condition(
                    id=id_,
                    path=row.path,
                    state=state,
                    reason=self.reason(id_),
                    free=free,
                    total=total,
                )
            )
        return found

    async def close(self) -> None:
        """Close every device."""
        async with self._turn:
            for device in self._open.values():
                await self._close(device)
            self._open.clear()

    async def _look(self, id_: int, device: Device, *, sync: bool) -> None:
        """Let a device find out whether its folder is still there, and takes writes."""
        if device.state != "ok":
            return
        call = asyncio.ensure_future(device.probe(sync=sync))
        await asyncio.wait((call,), timeout=LOOK_S)
        if not call.done():
            self.late(id_, call)
        elif not isinstance(call.exception(), CloudError | None):
            call.result()  # a bug: raise it

    async def _stays_out(self, id_: int, device: Device) -> bool:
        """Say whether a device that is out would be so again; till then it is read from."""

        async def ask() -> bool:
            try:
                await device.free_bytes()
            except CloudError:
                return False  # its folder is gone: another may be there
            try:
                await device.probe()
            except CloudError:
                return True
            return False

        call = asyncio.ensure_future(ask())
        await asyncio.wait((call,), timeout=LOOK_S)
        if not call.done():
            self.late(id_, call)
            return True
        return call.result()

    def _say_out(self, id_: int, reason: str) -> None:
        if self._reasons.get(id_) != reason:
            log.warning("device %d is out: %s", id_, reason)
        self._reasons[id_] = reason

    async def _opened(self, row: DeviceRow) -> Device:
        """Return a device that is open, and knows whether it takes writes."""
        device = await self._open_device(row)
        with contextlib.suppress(CloudError):
            await device.probe()
        return device

    async def _close(self, device: Device) -> None:
        """Close a device; one whose disk hangs, in its own time."""
        closing = asyncio.ensure_future(device.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.wait((closing,), timeout=LOOK_S)
        if closing.done():
            closing.result()

    async def _try(self, row: DeviceRow) -> None:
        opening = self._opening.get(row.id) or asyncio.ensure_future(self._opened(row))
        self._opening[row.id] = opening
        await asyncio.wait((opening,), timeout=LOOK_S)
        if not opening.done():  # the others must not wait for it
            self._reasons[row.id] = "it did not answer in time"
            return
        del self._opening[row.id]
        try:
            device = self._open[row.id] = opening.result()
        except (CloudError, OSError) as error:
            self._say_out(row.id, str(error))
        else:
            if device.state != "ok":
                self._say_out(row.id, device.reason)
            elif self._reasons.pop(row.id, ""):
                log.warning("device %d is back", row.id)

    def _returned(self, id_: int, call: asyncio.Future[Any]) -> None:
        if not call.cancelled():
            call.exception()  # seen: whoever waited has gone
        calls = self._late[id_]
        calls.discard(call)
        if not calls:
            del self._late[id_]
