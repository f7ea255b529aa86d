"""What is on one device: looked up, read, swept and scanned. Everything here blocks."""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple, TypeVar

import msgspec

from swiftlite.manifest import Hint

from . import format as fmt
from .disk import Disk, Handle, Space, write_all
from .errors import FragmentDamaged, FragmentMissing
from .format import Damage, Fragment, Header, Label
from .identity import Watch
from .index import Index, Place
from .large import LargeFiles, LargeWriter
from .scan import Hole, Record, Wreck
from .sweep import make_gap
from .volume import Volumes

_T = TypeVar("_T")
_PROBE = b"can this disk be written?"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a device may use."""

    volume_bytes: int = 1 << 30  # a volume that is longer is not appended to any more
    reserve_bytes: int = 256 << 20  # kept free, so that a full disk can still sweep and commit
    queue_bytes: int = 64 << 20  # small fragments that wait for their sync
    volumes_open: int = 64
    files_open: int = 64
    threads: int = 4  # reads and large writes under way at once
    moved: int = 65536  # fragments with stale hints whose places are remembered

    def reserve_of(self, total: int) -> int:
        """Return the reserve on a file system of this size: at most a fiftieth of it."""
        return min(self.reserve_bytes, total // 50)


class ScannedFragment(NamedTuple):
    """A fragment that a scan found."""

    fragment: Fragment
    hint: Hint
    label: Label
    length: int  # payload bytes, all blocks together
    size: int  # bytes of the whole blob; 0 where they were not known when it was begun


class ScannedDamage(NamedTuple):
    """A place that a scan could not make sense of."""

    volume: int  # 0: the fragment's own file
    offset: int
    length: int
    reason: str
    fragment: Fragment | None  # where its header, or its file's name, still says
    torn: bool  # it reaches to the end of its volume: mostly what a crash left unfinished


class Store:
    """The volumes, the large files and the index of one device."""

    def __init__(self, disk: Disk, path: str, watch: Watch, limits: Limits) -> None:
        identity = watch.identity
        self.disk, self.path, self.watch, self.limits = disk, path, watch, limits
        self.device = identity.device_id
        self.home = fmt.home_of(identity.cloud_id, identity.uuid)
        self.folder = os.path.join(path, "volumes")
        self.tmp = os.path.join(path, "tmp")
        self.volumes = Volumes(disk, self.folder, home=self.home, open_max=limits.volumes_open)
        self.large = LargeFiles(
            disk, os.path.join(path, "large"), home=self.home, open_max=limits.files_open
        )
        self.index = Index(disk, path, self.volumes, watch)
        self.reserve = limits.reserve_of(disk.space(path).total)
        self._moved: OrderedDict[Fragment, Place] = OrderedDict()

    def space(self) -> Space:
        """Return the room that is left beside the reserve, and all there is. Raises: OSError."""
        self.watch.check()
        free, total = self.disk.space(self.path)
        return Space(max(0, free - self.reserve), total)

    def probe(self, name: str, *, sync: bool) -> None:
        """Write something small, with `sync` to the disk itself. Raises: OSError.

        A full disk is no sick one: that it has no room is not raised.
        """
        self.watch.check()
        path = os.path.join(self.tmp, f"probe.{name}")
        try:
            handle = Handle(self.disk, self.disk.create(path))
            with suppress(FileNotFoundError):  # another process, opening the device, tidied up
                self.disk.unlink(path)  # nobody is to find it, whatever happens
            write_all(self.disk, handle.fd, [_PROBE], 0)
            if sync:
                self.disk.fdatasync(handle.fd)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise

    def read_cached(self, fragment: Fragment, hint: Hint) -> memoryview | None:
        """Return a small fragment, verified, if memory has it. Never blocks."""
        place = self._moved.get(fragment) if self._moved else None
        if place is None:
            if not hint.volume or not 0 < hint.length <= _IMAGE_MAX:
                return None
            place = Place(hint.volume, hint.offset, hint.length)
        return self.volumes.read_cached(fragment, *place)

    def read(
        self, fragment: Fragment, hint: Hint | None, first: int, count: int, *, search: bool
    ) -> list[memoryview]:
        """Return some blocks, verified; without `search` the index is not asked.

        Raises: FragmentMissing, FragmentDamaged; OSError.
        """

        def at(place: Place | None) -> list[memoryview]:
            if place is None:
                return self.large.read(fragment, first, count)
            if (first, count) != (0, 1):
                raise Damage(f"it has one block, not block {first + count - 1}")
            return [self.volumes.read(fragment, *place)]

        return self._look(fragment, hint, at, search=search)

    def check(self, fragment: Fragment, hint: Hint | None) -> None:
        """Verify every byte. Raises: FragmentMissing, FragmentDamaged."""

        def at(place: Place | None) -> None:
            if place is None:
                self.large.verify(fragment)
            else:
                self.volumes.read(fragment, *place)

        self._look(fragment, hint, at, search=True)

    def find(self, fragment: Fragment) -> Hint | None:
        """Return where the fragment is, whatever state its blocks are in. Raises: OSError."""
        self.watch.check()
        if (size := self.large.size(fragment)) is not None:
            return Hint(fragment.index, self.device, 0, 0, size)
        for place in self._places(fragment):
            try:
                self.volumes.read(fragment, *place)
            except LookupError:
                continue
            except (Damage, OSError):
                pass  # there, if damaged
            return Hint(fragment.index, self.device, *place)
        return None

    def delete(self, fragment: Fragment, hint: Hint | None) -> None:
        """Sweep the fragment wherever it is known to be. Raises: OSError."""
        self.watch.check()
        self._moved.pop(fragment, None)
        self.large.unlink(fragment)
        with self.index.exclusive():
            # A repair may have written it again since the index was last brought up to date: a
            # copy that is left behind now would never be asked for again.
            self.index.catch_up()
            places = self.index.places(fragment)
            if hint is not None and hint.volume:
                hinted = Place(hint.volume, hint.offset, hint.length)
                if hinted not in places:
                    places.append(hinted)
            for place in places:
                self._sweep(fragment, place)

    def retire(self, damage: ScannedDamage) -> None:
        """Turn what is still damaged there into a gap; unlink a damaged file. Raises: OSError."""
        self.watch.check()
        if not damage.volume:
            assert damage.fragment is not None, "a file's name says which fragment it is"
            self.large.unlink(damage.fragment)
            return
        with self.index.exclusive():
            end = min(damage.offset + damage.length, self.volumes.size(damage.volume))
            for found in list(self.volumes.walk(damage.volume, damage.offset, end)):
                # A tail of odd length stays: nothing can be appended behind it anyway.
                if isinstance(found, Wreck) and found.end % fmt.ALIGN == 0:
                    self._make_gap(damage.volume, found.offset, found.end)

    def scan(self, *, deep: bool) -> Iterator[ScannedFragment | ScannedDamage]:
        """Yield all that is there, damage too. Raises: OSError."""
        for number in self.volumes.numbers():
            yield from self._scan_volume(number)
        for fragment in self.large.fragments():
            if (item := self._scan_file(fragment, deep)) is not None:
                yield item

    def publish(self, writer: LargeWriter) -> Hint:
        """Finish a large fragment and give it its name. Raises: OSError."""
        length = writer.finish()
        self.watch.check()  # nothing may get a name in a folder that is not this device's
        self.large.publish(writer.tmp, writer.fragment)
        self.watch.check()  # nor be acknowledged if the folder was removed meanwhile
        return Hint(writer.fragment.index, self.device, 0, 0, length)

    def close(self) -> None:
        """Let go of every descriptor."""
        self.index.close()
        self.volumes.close()
        self.large.close()

    def _look(
        self,
        fragment: Fragment,
        hint: Hint | None,
        at: Callable[[Place | None], _T],
        *,
        search: bool,
    ) -> _T:
        """Return what `at` makes of the first place where the fragment is sound."""
        reason = ""
        for place in self._candidates(fragment, hint, search=search):
            try:
                found = at(place)
            except (FileNotFoundError, LookupError):
                continue
            except Damage as damage:
                reason = str(damage)
                continue
            except OSError as error:
                reason = error.strerror or str(error)
                continue
            if place is not None and hint is not None and place[:2] != (hint.volume, hint.offset):
                self._remember(fragment, place)
            return found
        facts = {"device": self.device, "blob": fragment.blob.hex(), "fragment": fragment.index}
        if reason:
            raise FragmentDamaged(reason=reason, **facts)
        raise FragmentMissing(**facts)

    def _candidates(
        self, fragment: Fragment, hint: Hint | None, *, search: bool
    ) -> Iterator[Place | None]:
        """Yield the places to try, cheapest first; None is the file of its own."""
        if (moved := self._moved.get(fragment)) is not None:
            yield moved
        if hint is not None:
            large = not hint.volume
            if large or 0 < hint.length <= _IMAGE_MAX:
                yield None if large else Place(hint.volume, hint.offset, hint.length)
        if hint is None or hint.volume:
            yield None
        if search:
            yield from self._places(fragment)

    def _places(self, fragment: Fragment) -> Iterator[Place]:
        """Yield where the index says; what was appended lately is read only if that is in vain."""
        known = self.index.places(fragment)
        yield from known
        self.index.catch_up()
        yield from (place for place in self.index.places(fragment) if place not in known)

    def _remember(self, fragment: Fragment, place: Place) -> None:
        self._moved[fragment] = place
        while len(self._moved) > self.limits.moved:
            self._moved.popitem(last=False)

    def _sweep(self, fragment: Fragment, place: Place) -> None:
        """Turn a fragment's image into a gap, if it is there."""
        try:
            handle = self.volumes.open(place.volume)
            head = self.disk.pread(
                handle.fd, min(place.length, fmt.HEADER_SIZE + fmt.LABEL_MAX), place.offset
            )
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            head = b""  # a bad sector: what is there cannot be told, and must not stop the rest
        self.index.forget(fragment, place)
        try:
            header = fmt.unpack_header(
                head, home=self.home, volume=place.volume, offset=place.offset
            )
        except Damage:
            # Damaged, but still itself: blob and index are where they belong.
            if fmt.claimed_fragment(head) != fragment:
                return
            length = place.length
        else:
            if header.kind is not fmt.Kind.SMALL or header.fragment != fragment:
                return
            length = header.length
        self._make_gap(place.volume, place.offset, place.offset + fmt.aligned(length))

    def _make_gap(self, volume: int, start: int, end: int) -> None:
        make_gap(
            self.disk,
            self.volumes.path(volume),
            home=self.home,
            volume=volume,
            device=self.device,
            start=start,
            end=end,
        )

    def _scan_volume(self, number: int) -> Iterator[ScannedFragment | ScannedDamage]:
        size = self.volumes.size(number)
        for found in self.volumes.walk(number, 0, size):
            if isinstance(found, Record):
                header = found.header
                hint = Hint(header.fragment.index, self.device, number, found.offset, header.length)
                yield _scanned(header, hint, header.payload)
            elif isinstance(found, Wreck):
                length = found.end - found.offset
                yield ScannedDamage(
                    number, found.offset, length, found.reason, found.fragment, found.end >= size
                )
            else:
                assert isinstance(found, Hole)

    def _scan_file(self, fragment: Fragment, deep: bool) -> ScannedFragment | ScannedDamage | None:
        try:
            file = self.large.open(fragment)
            if deep:
                self.large.verify(fragment)
        except FileNotFoundError:
            return None  # deleted since the folder was listed
        except Damage as damage:
            reason = str(damage)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            reason = error.strerror or str(error)
        else:
            hint = Hint(fragment.index, self.device, 0, 0, file.size)
            return _scanned(file.header, hint, file.footer.payload)
        return ScannedDamage(0, 0, self.large.size(fragment) or 0, reason, fragment, False)


# A hint comes from a log, so its length is bounded before it is asked of the memory.
_IMAGE_MAX = 64 << 20


def _scanned(header: Header, hint: Hint, length: int) -> ScannedFragment:
    label = fmt.unpack_label(header.label)
    return ScannedFragment(header.fragment, hint, label, length, header.size)
