"""What can go wrong with a cloud as a whole: its folder, its settings, its keys."""

from __future__ import annotations

from eventlog.errors import Corrupt, Refused, Unavailable


class WrongUsage(Refused):
    """{reason}"""


class Contradiction(WrongUsage):
    """{flag} says {given}, but this cloud was made with {recorded} (recorded in {record})."""


class FolderInUse(Refused):
    """{folder} is in use by another cumulog process{holder}."""


class FolderForeign(Refused):
    """{folder} holds something else than a cloud: give --data a new or an empty folder."""


class CloudMissing(Refused):
    """There is no cloud in {folder}: `cumulog serve --data {folder}` makes one."""


class RecordDamaged(Corrupt):
    """{path} cannot be read: {reason}."""


class KeyStoreMissing(Corrupt):
    """The key store {path} is missing, but the cloud's log is there.

    Without its keys no stored secret can be opened.
    """


class KeyStoreDamaged(Corrupt):
    """The key store {path} cannot be used: {reason}."""


class SealBroken(Corrupt):
    """A sealed value ({context}) cannot be opened: {reason}."""


class NoSuchKey(Refused):
    """There is no access key {key_id}."""


class NoSuchUser(Refused):
    """There is no user {user}."""


class KeyExists(Refused):
    """The access key {key_id} exists already."""


class NameTaken(Refused):
    """The {kind} name {name} is taken."""


class CloudUnreachable(Unavailable):
    """The cloud in {folder} is starting or stopping ({reason}); try again."""


class ControlFailed(Refused):
    """{text}"""


class LogMissing(Corrupt):
    """The log {path} is missing, but this cloud had its first start: put it back from a backup."""


class TooManyPasswords(Unavailable):
    """Too many passwords are waiting to be checked; try again."""
