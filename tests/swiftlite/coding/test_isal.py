from __future__ import annotations

import ctypes
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from swiftlite.coding import isal
from swiftlite.coding.codec import ZfecCodec, agree, codec_for
from swiftlite.coding.isal import SETTING, Isal, IsalCodec
from tests.swiftlite.coding.codes import data_cells, made


@pytest.fixture(autouse=True)
def _looked_for_anew() -> Iterator[None]:
    Isal.find.cache_clear()
    codec_for.cache_clear()
    yield
    Isal.find.cache_clear()
    codec_for.cache_clear()


def installed() -> Isal:
    library = Isal.find()
    if library is None:
        pytest.skip("libisal is not installed (Debian: libisal2)")
    return library


def test_isal_is_used_where_it_is_installed() -> None:
    installed()
    assert isinstance(codec_for(4, 2), IsalCodec)


def test_zfec_is_used_where_isal_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isal, "_usual_places", lambda: ["libisal-that-nobody-has.so.9"])
    assert isinstance(codec_for(4, 2), ZfecCodec)


def test_an_empty_setting_turns_isal_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "")
    assert isinstance(codec_for(4, 2), ZfecCodec)


def test_a_path_in_the_setting_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    name = installed().name
    Isal.find.cache_clear()
    monkeypatch.setattr(isal, "_usual_places", list)
    monkeypatch.setenv(SETTING, name)
    assert isinstance(codec_for(4, 2), IsalCodec)


@pytest.mark.parametrize("content", [None, b"no library", b""])
def test_a_path_that_is_no_library_is_told_of_and_zfec_is_used(
    content: bytes | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "libisal.so.2"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(SETTING, str(path))
    assert isinstance(codec_for(4, 2), ZfecCodec)
    assert f"{SETTING}={path} cannot be used" in caplog.text


def test_a_library_without_the_functions_is_told_of_and_zfec_is_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(SETTING, "libc.so.6")
    assert isinstance(codec_for(4, 2), ZfecCodec)
    assert "libc.so.6 cannot be used" in caplog.text


class Lying:
    """A library whose vector loop forgets what is beyond whole blocks of 64 bytes."""

    def __init__(self, honest: Isal) -> None:
        self.name = "liblying.so"
        self.init_tables = honest.init_tables
        self._honest = honest

    def encode_data(
        self, size: int, k: int, rows: int, tables: object, sources: object, targets: object
    ) -> None:
        self._honest.encode_data(size // 64 * 64, k, rows, tables, sources, targets)


def test_a_library_that_makes_wrong_bytes_is_refused_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lying = Lying(installed())
    monkeypatch.setattr(Isal, "find", lambda: lying)
    with caplog.at_level(logging.WARNING):
        codec = codec_for(4, 2)
    assert isinstance(codec, ZfecCodec)
    assert "liblying.so makes wrong bytes for 4+2 and is not used" in caplog.text


def test_agreement_is_asked_of_encoding_and_of_rebuilding() -> None:
    reference = ZfecCodec(4, 2)

    class WrongParity(ZfecCodec):
        def encode(self, cells):  # type: ignore[no-untyped-def]
            return super().encode(cells)[::-1]

    class WrongRebuild(ZfecCodec):
        def rebuild(self, cells, wanted):  # type: ignore[no-untyped-def]
            return super().rebuild(cells, wanted)[::-1]

    assert agree(ZfecCodec(4, 2), reference)
    assert not agree(WrongParity(4, 2), reference)
    assert not agree(WrongRebuild(4, 2), reference)


def test_tables_of_erasure_patterns_are_remembered_within_a_bound() -> None:
    codec = made("isal", 4, 2)
    assert isinstance(codec, IsalCodec)
    cells = dict(enumerate([*data_cells(4, 8), *codec.encode(data_cells(4, 8))]))
    for lost in [(0,), (1,), (0,), (0,)]:
        codec.rebuild({i: cell for i, cell in cells.items() if i not in lost}, lost)
    assert codec._tables.cache_info().currsize == 3  # encoding, and two patterns
    assert codec._tables.cache_info().maxsize == isal.TABLES_REMEMBERED


def test_the_view_of_a_buffer_has_the_interpreters_layout() -> None:
    """Reads a read-only slice back through the words that `_apply` relies on."""
    words = (ctypes.c_ssize_t * (isal.VIEW_WORDS + 1))()
    words[isal.VIEW_WORDS] = 0x5A5A
    isal._get_buffer(memoryview(b"abcdef")[2:5], ctypes.addressof(words), isal.PYBUF_SIMPLE)
    assert ctypes.string_at(words[isal.VIEW_BUF], words[isal.VIEW_LEN]) == b"cde"
    assert words[isal.VIEW_WORDS] == 0x5A5A  # nothing was written beyond it
    isal._release_buffer(ctypes.addressof(words))
