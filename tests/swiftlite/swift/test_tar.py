"""Archives: what tarfile writes is read, however it is cut; bombs and broken ones are not."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import tarfile
import zlib

import pytest

from swiftlite.swift import tar, unpack
from swiftlite.swift.errors import Declined
from swiftlite.swift.tar import Data, End, Member, TarReader
from swiftlite.swift.unpack import unpacker_of

FORMATS = [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]


def info(
    name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, **facts: object
) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.type = size, kind
    for fact, value in facts.items():
        setattr(made, fact, value)
    return made


def archive(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as made:
        for member, data in members:
            made.addfile(member, io.BytesIO(data))
    return out.getvalue()


def read(data: bytes, size: int = 1 << 16) -> list[tuple[Member, bytes]]:
    """Return the files of a whole archive fed in pieces of `size`."""
    reader = TarReader()
    files: list[tuple[Member, bytes]] = []
    ended = 0
    for at in range(0, len(data), size):
        for event in reader.receive(data[at : at + size]):
            if isinstance(event, Member):
                files.append((event, b""))
            elif isinstance(event, Data):
                files[-1] = (files[-1][0], files[-1][1] + event.data)
            else:
                assert isinstance(event, End)
                ended += 1
                assert ended == len(files)
    reader.finish()
    return files


def unpacked(kind: str, data: bytes, size: int = 1 << 16) -> bytes:
    made = unpacker_of(kind)
    assert made is not None
    out = b""
    for at in range(0, len(data), size):
        made.feed(data[at : at + size])
        while piece := made.take():
            assert len(piece) <= max(unpack.PIECE_MAX, size)
            out += piece
    made.finish()
    return out


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [1, 511, 513, 1 << 16])
def test_files_come_out_as_they_went_in(form: int, size: int) -> None:
    contents = {"a": b"x", "d/empty": b"", "d/block": b"y" * 512, "d/long": b"z" * 1025}
    if form != tarfile.USTAR_FORMAT:
        contents["n" * 300] = b"long name"
        contents["é" * 200] = b"wide name"
    made = archive(*[(info(n, len(d)), d) for n, d in contents.items()], form=form)
    assert {member.name: data for member, data in read(made, size)} == contents


def test_what_is_no_file_is_passed_over() -> None:
    kinds = [
        tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE,
        tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
    ]  # fmt: skip
    odd = [
        (info(f"odd{i}", kind=kind, linkname="/etc/passwd"), b"") for i, kind in enumerate(kinds)
    ]
    made = archive(*odd, (info("file", 3), b"abc"))
    assert [(member.name, data) for member, data in read(made)] == [("file", b"abc")]


def test_extended_attributes_come_with_their_file_and_no_other() -> None:
    attributes = {"SCHILY.xattr.user.meta.lunch": "burger é", "comment": "x"}
    made = archive((info("a", 1, pax_headers=attributes), b"1"), (info("b", 1), b"2"))
    (first, _), (second, _) = read(made, 100)
    assert first.pax["SCHILY.xattr.user.meta.lunch"] == "burger é"
    assert second.pax == {}


def test_a_sparse_file_is_told_from_a_plain_one() -> None:
    header = info("s", 4, tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT)
    assert read(header + b"data" + bytes(508))[0][0].is_sparse
    made = archive((info("p", 1, pax_headers={"GNU.sparse.major": "1"}), b"1"))
    assert read(made)[0][0].is_sparse


@pytest.mark.parametrize("form", FORMATS)
def test_an_archive_cut_within_a_member_is_refused(form: int) -> None:
    made = archive((info("a" * 90, 700), b"x" * 700), form=form)
    whole = made.rstrip(b"\0")
    for end in (1, 100, 511, 600, len(whole) - 1):
        with pytest.raises(Declined):
            read(made[:end])
    # Without the closing blocks it is whole all the same.
    assert read(made[: -(-len(whole) // 512) * 512])[0][1] == b"x" * 700


@pytest.mark.parametrize("data", [b"", b"no tar at all" * 100, b"\x1f\x8b" * 600, b"\xff" * 1024])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(Declined):
        read(data)


def test_headers_that_lie_are_refused() -> None:
    negative = bytearray(info("a", 1).tobuf())
    negative[124:136] = b"\xff" * 12
    checked = bytes(negative[:148] + b" " * 8 + negative[156:])
    negative[148:156] = b"%06o\0 " % sum(checked)
    with pytest.raises(Declined):
        read(bytes(negative) + bytes(1024))
    for records in (
        b"x path=a\n",
        b"99 path=a\n",
        b"5 a=b",
        b"9" * 30,
        b"13 size=-1234\n",
        b"3 \n",
    ):
        header = info("x", len(records), tarfile.XHDTYPE).tobuf()
        member = info("a").tobuf() + bytes(1024)
        with pytest.raises(Declined):
            read(header + records + bytes(-len(records) % 512) + member)


def test_a_header_that_is_too_long_is_refused_before_it_is_read() -> None:
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME):
        reader = TarReader()
        with pytest.raises(Declined):
            list(reader.receive(info("x", tar.EXTENSION_MAX + 1, kind).tobuf()))


def test_the_number_of_members_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "MEMBERS_MAX", 3)
    three = [(info(str(i)), b"") for i in range(3)]
    assert len(read(archive(*three, form=tarfile.USTAR_FORMAT))) == 3
    with pytest.raises(Declined, match="members"):
        read(archive(*three, (info("4", kind=tarfile.DIRTYPE), b""), form=tarfile.USTAR_FORMAT))


def test_what_follows_the_end_is_not_read() -> None:
    made = archive((info("a", 1), b"1"))
    assert len(read(made + archive((info("b", 1), b"2")))) == 1


@pytest.mark.parametrize("size", [1, 100, 1 << 16])
def test_compressed_archives_are_unpacked(size: int) -> None:
    data = random.Random(1).randbytes(3000) + b"z" * 20_000
    assert unpacked("tar", data, size) == data
    assert unpacked(".TAR.GZ", gzip.compress(data), size) == data
    assert unpacked("tar.bz2", bz2.compress(data), size) == data
    # Several streams in one file, as pigz and pbzip2 make them; and padding.
    assert (
        unpacked("tar.gz", gzip.compress(data) + gzip.compress(b"x") + bytes(5), size)
        == data + b"x"
    )
    assert unpacked("tar.bz2", bz2.compress(data) + bz2.compress(b"x"), size) == data + b"x"


@pytest.mark.parametrize(("kind", "pack"), [("tar.gz", gzip.compress), ("tar.bz2", bz2.compress)])
def test_compressed_data_that_is_broken_or_cut_is_refused(kind: str, pack: object) -> None:
    assert callable(pack)
    data = pack(random.Random(2).randbytes(5000))
    for broken in (data[:-1], data[:40], data[:2000] + b"\0" + data[2001:], b"plain"):
        with pytest.raises(Declined):
            unpacked(kind, broken)
    assert unpacker_of("zip") is None


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2"])
def test_a_bomb_is_refused_when_it_goes_off(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "FREE_BYTES", 1 << 20)
    plain = bytes(1 << 20)
    assert len(unpacked(kind, pack_all(kind, plain, 1))) == len(plain)
    with pytest.raises(Declined, match="times its size"):
        unpacked(kind, pack_all(kind, plain, 40))


def pack_all(kind: str, piece: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31) if kind == "tar.gz" else bz2.BZ2Compressor()
    return b"".join(packer.compress(piece) for _ in range(times)) + packer.flush()


def record(name: str, value: str) -> bytes:
    body = f" {name}={value}\n".encode()
    size = next(n for n in range(len(body), len(body) + 9) if n == len(str(n)) + len(body))
    return str(size).encode() + body


def glob(*records: bytes) -> bytes:
    data = b"".join(records)
    header = info("g", len(data), tarfile.XGLTYPE).tobuf(tarfile.USTAR_FORMAT)
    return header + data + bytes(-len(data) % 512)


def test_global_headers_are_bounded_all_together() -> None:
    end = info("f").tobuf() + bytes(1024)
    [(member, _)] = read(glob(record("comment", "c")) + glob(record("b", "2")) + end)
    assert member.pax == {"comment": "c", "b": "2"}
    long = [glob(record(f"n{at}", "x" * (200 << 10))) for at in range(2)]
    many = [glob(*(record(f"n{at}", "x") for at in range(tar.GLOBALS_MAX + 1)))]
    for bad in (long, many):
        with pytest.raises(Declined, match="global"):
            read(b"".join(bad) + end)
