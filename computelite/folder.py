"""The data folder: what lies where in it, its lock, and its record `cumulog.json`.

The record says what the folder is: which cloud, which devices it was made with, which code, which
log. It is written once, before anything else is made, and only read from then on; whatever changes
later (devices too) is in the log.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from time import sleep

import msgspec

from computelite.errors import (
    CloudMissing,
    Contradiction,
    FolderForeign,
    FolderInUse,
    RecordDamaged,
    WrongUsage,
)
from computelite.files import sync_folder, write_new
from eventlog.clock import Clock

FORMAT = 1
DEVICES = 6
CODE = "4+2"
SQLITE = "sqlite"
MAX_FRAGMENTS = 256

# Children of a killed supervisor die with it, but one that waits for a busy disk takes its time.
_LOCK_PATIENCE_S = 30.0


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the first start wrote down."""

    format: int
    cloud_id: str
    devices: tuple[str, ...]  # paths; relative ones start at the data folder
    code: str  # "4+2"
    log: str  # "sqlite": log.db in the folder

    @property
    def k_m(self) -> tuple[int, int]:
        """Data and parity fragments."""
        k, m = self.code.split("+")
        return int(k), int(m)


class Folder:
    """Paths in the data folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))
        self.record = self.root / "cumulog.json"
        self.log = self.root / "log.db"
        self.access = self.root / "access"
        self.keystore = self.root / "keystore"
        self.control = self.root / "control.sock"
        self.lock = self.root / "lock"
        self.credentials = self.root / "credentials.env"
        self.clouds = self.root / "clouds.yaml"

    def device(self, path: str) -> Path:
        """Return where a device of the record or of the log is."""
        return self.root / path


def lock_folder(folder: Folder, clock: Clock, *, patience_s: float = _LOCK_PATIENCE_S) -> int:
    """Take the folder for this process and those it forks; return the lock's descriptor.

    It is free again when the last of them is gone, however they went. While the one that took it
    is dead and others of its processes are still dying, this waits for them up to `patience_s`.
    Raises:  FolderInUse.
    """
    fd = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = clock.monotonic_s() + patience_s
    while not _try_lock(fd):
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        if clock.monotonic_s() >= deadline or _lives(holder):
            os.close(fd)
            raise FolderInUse(folder=folder.root, holder=f" (process {holder})" if holder else "")
        sleep(0.02)
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] != ["Z"]


def check_folder(folder: Folder) -> None:
    """Find out whether the data folder is a cloud's or may become one; change nothing.

    Raises:  FolderForeign if it holds other things; what an interrupted first start left is ours.
    NotADirectoryError if it is below a file.
    """
    try:
        found = {entry.name for entry in os.scandir(folder.root)}
    except FileNotFoundError:
        return
    except NotADirectoryError:
        if not folder.root.exists():
            raise
        raise FolderForeign(folder=folder.root) from None
    ours = {"lock", "keystore", "cumulog.json", "cumulog.json.new"}
    if "cumulog.json" not in found and not found <= ours:
        raise FolderForeign(folder=folder.root) from None


def make_folder(folder: Folder) -> None:
    """Make the data folder if it is not there, readable by its owner only.

    Raises:  what check_folder raises; OSError.
    """
    check_folder(folder)
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(folder.root.parent)


def read_record(folder: Folder) -> Record:
    """Return what the folder is.

    Raises:  CloudMissing, RecordDamaged.
    """
    try:
        content = folder.record.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise CloudMissing(folder=folder.root) from None
    try:
        record = msgspec.json.decode(content, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordDamaged(path=folder.record, reason=error) from None
    if record.format != FORMAT:
        reason = f"its format is {record.format}, this cumulog knows {FORMAT}"
        raise RecordDamaged(path=folder.record, reason=reason)
    return record


def write_record(folder: Folder, record: Record) -> None:
    """Write the record, durable when this returns."""
    content = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    write_new(folder.record, content, mode=0o600)


def new_record(folder: Folder, *, cloud_id: str, devices: str, code: str, log: str) -> Record:
    """Return the record of a cloud to be made; an empty string stands for the default.

    Raises:  WrongUsage.
    """
    return Record(
        format=FORMAT,
        cloud_id=cloud_id,
        devices=parse_devices(devices or str(DEVICES), folder.root),
        code=parse_code(code or CODE),
        log=parse_log(log or SQLITE),
    )


def check_record(folder: Folder, record: Record, *, devices: str, code: str, log: str) -> None:
    """Compare what was asked for with what is recorded; an empty string asks for nothing.

    Raises:  Contradiction, WrongUsage.
    """
    asked = {
        "--devices": (devices and parse_devices(devices, folder.root), record.devices),
        "--code": (code and parse_code(code), record.code),
        "--log": (log and parse_log(log), record.log),
    }
    for flag, (given, recorded) in asked.items():
        if given and given != recorded:
            raise Contradiction(
                flag=flag, given=_shown(given), recorded=_shown(recorded), record=folder.record
            )


def parse_devices(text: str, root: Path) -> tuple[str, ...]:
    """Return the devices' paths for N or for DIR,DIR,...: N are made in the data folder."""
    if text.isascii() and text.isdigit():
        count = int(text)
        if not 1 <= count <= 1000:
            raise WrongUsage(reason=f"--devices {text}: a number from 1 to 1000, or folders")
        return tuple(f"devices/d{number}" for number in range(1, count + 1))
    paths = [part for part in text.split(",") if part]
    absolute = [os.path.abspath(path) for path in paths]
    # -1 is a slip of the pen and no folder; ./-1 would be one.
    if not paths or len(set(absolute)) != len(paths) or any(p.startswith("-") for p in paths):
        raise WrongUsage(reason=f"--devices {text}: a number, or different folders with commas")
    return tuple(_inside(path, root) for path in absolute)


def parse_code(text: str) -> str:
    """Return K+M in its plain form."""
    k, plus, m = text.partition("+")
    if not (plus and k.isdigit() and m.isdigit() and text.isascii()):
        raise WrongUsage(reason=f"--code {text}: K+M, such as 4+2")
    if int(k) < 1 or int(m) < 1 or int(k) + int(m) > MAX_FRAGMENTS:
        raise WrongUsage(reason=f"--code {text}: K and M at least 1, together {MAX_FRAGMENTS}")
    return f"{int(k)}+{int(m)}"


def parse_log(text: str) -> str:
    """Return the log's place as it is recorded."""
    if text == SQLITE:
        return text
    if text.startswith(("postgresql://", "postgres://")):
        raise WrongUsage(
            reason="--log postgresql://: not yet; this version keeps the log in SQLite"
        )
    raise WrongUsage(reason=f"--log {text}: sqlite, which is the default")


def _inside(path: str, root: Path) -> str:
    try:
        return str(Path(path).relative_to(root))
    except ValueError:
        return path


def _shown(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
