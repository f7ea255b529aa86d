"""The bytes on disk are those that were shipped, and no flipped bit passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.node import format as fmt
from swiftlite.node.format import Damage, Footer, Fragment, Kind, Label
from swiftlite.node.volume import Entry, image, open_image

GOLDEN = Path(__file__).parents[2] / "golden" / "disk"
HOME = fmt.home_of("cloud", "u-3")
FRAGMENT = Fragment(bytes(range(16)), 5)
LABEL = Label(b"\x11" * 16, "a/ключ", b"sealed")
PLACE = {"home": HOME, "volume": 7, "offset": 128}


def small(payload: bytes = b"hello, disk", **place: int) -> bytes:
    entry = Entry(FRAGMENT, fmt.pack_label(LABEL), 44, payload)
    return b"".join(image(entry, device=3, **{**PLACE, **place}))


def read(data: bytes, *, want: Fragment = FRAGMENT, **place: int) -> bytes:
    return bytes(open_image(data, want=want, **{**PLACE, **place}))


def footer() -> bytes:
    return fmt.pack_footer(FRAGMENT, Footer(3, 1000, 2100, 0x1122334455667788), home=HOME)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("small.v1.hex", small()),
        (
            "large-header.v1.hex",
            fmt.pack_header(
                Kind.LARGE, FRAGMENT, home=HOME, volume=0, offset=0, device=3,
                label=fmt.pack_label(LABEL),
            ),
        ),
        ("block.v1.hex", fmt.pack_block(FRAGMENT, 2, b"payload") + b"payload"),
        ("footer.v1.hex", footer()),
        (
            "gap.v1.hex",
            fmt.pack_header(Kind.GAP, Fragment(bytes(16), 0), device=3, size=4096, **PLACE),
        ),
    ],
)  # fmt: skip
def test_bytes_are_those_that_were_shipped(name: str, made: bytes) -> None:
    shipped = bytes.fromhex((GOLDEN / name).read_text())
    assert made == shipped, f"{name}: {made.hex()}"


def test_an_image_fills_whole_units() -> None:
    for length in range(200):
        assert len(small(bytes(length))) % fmt.ALIGN == 0


@given(
    st.binary(max_size=300), st.text(max_size=50), st.binary(max_size=50), st.binary(max_size=40)
)
def test_what_was_packed_is_read_back(
    payload: bytes, key: str, sealed: bytes, bucket: bytes
) -> None:
    label = Label(bucket, key, sealed)
    entry = Entry(FRAGMENT, fmt.pack_label(label), 9, payload)
    data = b"".join(image(entry, device=3, **PLACE))
    assert read(data) == payload
    header = fmt.unpack_header(data, **PLACE)
    assert fmt.unpack_label(header.label) == label
    assert (header.size, header.payload, header.device) == (9, len(payload), 3)
    assert header.length == entry.length


@pytest.mark.parametrize("payload", [b"", b"x", b"y" * 16384, b"z" * 16385, b"w" * 100_000])
def test_payloads_of_every_size_class_are_read_back(payload: bytes) -> None:
    assert read(small(payload)) == payload


def test_every_flipped_bit_of_an_image_is_noticed() -> None:
    sound = small()
    length = Entry(FRAGMENT, fmt.pack_label(LABEL), 44, b"hello, disk").length
    for at in range(length):
        for bit in range(8):
            broken = bytearray(sound)
            broken[at] ^= 1 << bit
            with pytest.raises(Damage):
                read(bytes(broken))


def test_every_flipped_bit_of_a_footer_is_noticed() -> None:
    sound = footer()
    for at in range(len(sound)):
        for bit in range(8):
            broken = bytearray(sound)
            broken[at] ^= 1 << bit
            with pytest.raises(Damage):
                fmt.unpack_footer(bytes(broken), FRAGMENT, home=HOME)


def test_an_image_cut_short_at_any_length_is_damage() -> None:
    sound = small()
    length = Entry(FRAGMENT, fmt.pack_label(LABEL), 44, b"hello, disk").length
    for cut in range(length):
        with pytest.raises(Damage):
            read(sound[:cut])


@pytest.mark.parametrize(
    "place", [{"volume": 8}, {"offset": 192}, {"home": fmt.home_of("cloud", "u-4")}]
)
def test_an_image_at_another_place_is_damage(place: dict[str, int]) -> None:
    with pytest.raises(Damage):
        read(small(), **place)


def test_a_sound_image_of_another_fragment_is_not_this_one() -> None:
    for other in (Fragment(FRAGMENT.blob, 6), Fragment(bytes(16), 5)):
        with pytest.raises(LookupError):
            read(small(), want=other)


def test_a_block_of_another_fragment_or_number_is_damage() -> None:
    payload = b"p" * 50
    for other, number in (
        (Fragment(FRAGMENT.blob, 6), 0),
        (Fragment(bytes(16), 5), 0),
        (FRAGMENT, 1),
    ):
        data = fmt.pack_block(other, number, payload) + payload
        with pytest.raises(Damage):
            fmt.open_block(data, 0, FRAGMENT, 0, len(payload))


def test_a_footer_of_another_fragment_is_damage() -> None:
    with pytest.raises(Damage):
        fmt.unpack_footer(footer(), Fragment(FRAGMENT.blob, 6), home=HOME)


def test_a_version_or_kind_from_the_future_is_not_guessed_at() -> None:
    for field, value in (("VERSION", 2), ("kind", 99)):
        kind: int = value if field == "kind" else Kind.SMALL
        with pytest.MonkeyPatch.context() as patch:
            if field == "VERSION":
                patch.setattr(fmt, "VERSION", value)
            data = fmt.pack_header(kind, FRAGMENT, device=3, **PLACE)  # type: ignore[arg-type]
        with pytest.raises(Damage, match="unknown"):
            fmt.unpack_header(data, **PLACE)
