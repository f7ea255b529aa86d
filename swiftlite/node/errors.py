"""What a device can answer instead of bytes."""

from __future__ import annotations

from eventlog.errors import Corrupt, Refused, Unavailable


class FragmentMissing(Unavailable):
    """Device {device} has no fragment {fragment} of blob {blob}."""


class FragmentDamaged(Corrupt):
    """Fragment {fragment} of blob {blob} on device {device} is damaged: {reason}."""


class LabelTooLong(Refused):
    """The label of a fragment has {size} bytes; the limit is {limit}."""


class DeviceOut(Unavailable):
    """Device {device} takes no writes: {reason}."""


class DeviceFull(Unavailable):
    """Device {device} is full but for its reserve of {reserve} bytes; reads go on."""


class DeviceBusy(Unavailable):
    """Device {device} has {waiting} bytes waiting to be written; the limit is {limit}."""


class DeviceMissing(Unavailable):
    """There is no device folder at {path}: is the disk mounted?"""


class DeviceEmpty(Unavailable):
    """The device folder {path} is empty: an unmounted disk, or a new one to adopt by a repair."""


class DeviceForeign(Unavailable):
    """The folder {path} is not the device that was expected there: {reason}."""


class DeviceDamaged(Corrupt):
    """The identity of the device at {path} cannot be read: {reason}."""


class DeviceNotEmpty(Refused):
    """The folder {path} holds {found}; only an empty folder can become a device."""
