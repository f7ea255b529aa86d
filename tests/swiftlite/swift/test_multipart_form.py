"""Multipart forms: the same events however the bytes are cut, and a bound on everything held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.swift.errors import Declined
from swiftlite.swift.multipart_form import (
    HEAD_MAX,
    PARTS_MAX,
    Data,
    End,
    MultipartParser,
    Part,
    attributes,
    boundary_of,
)


def form(*parts: tuple[str, bytes], boundary: str = "b") -> bytes:
    out = b""
    for head, content in parts:
        out += f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


def field(name: str, value: bytes) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', value


def file(name: str, value: bytes) -> tuple[str, bytes]:
    head = f'Content-Disposition: form-data; name="f"; filename="{name}"\r\nContent-Type: t/p'
    return head, value


def parse(data: bytes, size: int = 1 << 20) -> list[tuple[Part, bytes]]:
    """Return the parts, each with its content, of a whole form fed in pieces of `size`."""
    parser = MultipartParser("b")
    parts: list[tuple[Part, bytes]] = []
    is_open = False
    for at in range(0, len(data), size):
        for event in parser.receive(data[at : at + size]):
            if isinstance(event, Part):
                assert not is_open
                parts.append((event, b""))
                is_open = True
            elif isinstance(event, Data):
                assert is_open
                assert event.data
                parts[-1] = (parts[-1][0], parts[-1][1] + event.data)
            else:
                assert isinstance(event, End)
                is_open = False
    parser.finish()
    assert not is_open
    return parts


contents = st.lists(
    st.binary(max_size=30)
    | st.sampled_from([b"", b"\r\n", b"\r\n--", b"--b", b"\r\n--c", b"\r", b"\r\n-", b"\r\n\r\n"]),
    max_size=5,
)


@given(contents, st.integers(1, 40))
def test_law_parts_come_out_as_they_went_in_however_they_are_cut(
    values: list[bytes], size: int
) -> None:
    values = [value for value in values if b"\r\n--b" not in b"\r\n" + value]
    found = parse(form(*[file(str(i), value) for i, value in enumerate(values)]), size)
    assert [content for _, content in found] == values
    assert [part.filename for part, _ in found] == [str(i) for i in range(len(values))]


def test_fields_and_files_are_told_apart() -> None:
    found = parse(form(field("redirect", b"/x"), file("é.txt", b"hello")))
    assert found[0] == (
        Part("redirect", None, {"content-disposition": 'form-data; name="redirect"'}),
        b"/x",
    )
    assert found[1][0].filename == "é.txt"
    assert found[1][0].headers["content-type"] == "t/p"
    assert parse(form(("X: y", b"z")))[0][0] == Part("", None, {"x": "y"})
    assert parse(b"--b\r\n\r\nz\r\n--b--")[0] == (Part("", None, {}), b"z")


def test_a_form_may_begin_with_line_breaks_and_with_nothing_else() -> None:
    assert parse(b"\r\n\r\n" + form(field("a", b"1")))[0][1] == b"1"
    for start in (b"x\r\n", b"--c\r\n"):
        with pytest.raises(Declined, match="starting boundary"):
            parse(start + form(field("a", b"1")))


@pytest.mark.parametrize("cut", range(1, 64))
def test_a_form_that_ends_early_is_refused(cut: int) -> None:
    whole = form(field("name", b"value"))
    with pytest.raises(Declined):
        parse(whole[: len(whole) - 4 - cut] if cut < len(whole) - 4 else b"")


def test_what_follows_the_form_is_not_kept() -> None:
    parser = MultipartParser("b")
    list(parser.receive(form(field("a", b"1"))))
    for _ in range(100):
        assert list(parser.receive(b"--b\r\nX: y\r\n\r\n" + b"x" * 1000)) == []
    assert len(parser._buffer) == 0


def test_nothing_that_is_held_grows_without_bound() -> None:
    endless = {
        "starting boundary": [b"\r\n" * 50_000],
        "headers of a part": [b"--b\r\n", b"X: " + b"y" * HEAD_MAX],
        "boundary does not end": [b"--b", b" " * 500],
        "too many parts": [form(("X: y", b""))[:-7] * (PARTS_MAX + 1)],
    }
    for told, pieces in endless.items():
        *before, last = pieces
        parser = MultipartParser("b")
        for piece in before:
            list(parser.receive(piece))
        with pytest.raises(Declined, match=told):
            list(parser.receive(last))
    parser = MultipartParser("b")
    list(parser.receive(b"--b\r\nX: y\r\n\r\n"))
    for _ in range(100):
        list(parser.receive(b"\r\n--" * 1000))
        assert len(parser._buffer) < 100


@pytest.mark.parametrize("boundary", ["", "é", "x" * 201])
def test_what_cannot_be_a_boundary_is_refused(boundary: str) -> None:
    with pytest.raises(Declined):
        MultipartParser(boundary)


def test_headers_of_parts_must_be_headers() -> None:
    for head in ("no colon", "Content-Disposition: form-data; name=\udcff"):
        data = b"--b\r\n" + head.encode("utf-8", "surrogateescape") + b"\r\n\r\nx\r\n--b--"
        with pytest.raises(Declined):
            parse(data)


def test_attributes_are_read_with_and_without_quotes() -> None:
    told = attributes('form-data; name="a;b"; filename="x\\"y.txt";size=12; empty=""')
    assert told == {"name": "a;b", "filename": 'x"y.txt', "size": "12", "empty": ""}
    assert boundary_of('Multipart/Form-Data; charset=utf-8; boundary="x y"') == "x y"
    assert boundary_of("multipart/form-data") is None
    assert boundary_of("text/plain; boundary=b") is None
