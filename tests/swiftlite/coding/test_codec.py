from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.errors import Refused
from swiftlite.coding.cells import CellsUnfit
from swiftlite.coding.codec import CodeUnsupported, ZfecCodec, codec_for
from swiftlite.coding.stripe import Buffer, Geometry, join, split
from tests.swiftlite.coding.codes import (
    CODECS,
    COMMON,
    SUPPORTED,
    data_cells,
    erasures,
    made,
    noise,
)


def whole(codec_name: str, k: int, m: int, length: int) -> dict[int, bytes]:
    data = data_cells(k, length)
    return dict(enumerate([*data, *map(bytes, made(codec_name, k, m).encode(data))]))


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize(("k", "m"), COMMON)
def test_every_erasure_pattern_is_rebuilt_data_and_parity_alike(name: str, k: int, m: int) -> None:
    codec = made(name, k, m)
    cells = whole(name, k, m, 37)
    for lost in erasures(k, m):
        left = {number: cell for number, cell in cells.items() if number not in lost}
        assert list(map(bytes, codec.rebuild(left, lost))) == [cells[number] for number in lost]


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize(("k", "m"), SUPPORTED)
def test_every_supported_code_rebuilds_from_its_last_k_and_from_its_outermost_cells(
    name: str, k: int, m: int
) -> None:
    codec = made(name, k, m)
    cells = whole(name, k, m, 20)
    for left in (range(m, k + m), [*range(k // 2), *range(k // 2 + m, k + m)]):
        survivors = {number: cells[number] for number in left}
        rebuilt = codec.rebuild(survivors, range(k + m))
        assert list(map(bytes, rebuilt)) == list(cells.values())


@pytest.mark.parametrize(("k", "m"), SUPPORTED)
@pytest.mark.parametrize("length", [1, 31, 32, 33, 1000])
def test_isal_makes_the_same_bytes_as_zfec(k: int, m: int, length: int) -> None:
    data = data_cells(k, length)
    assert list(map(bytes, made("isal", k, m).encode(data))) == ZfecCodec(k, m).encode(data)


@settings(max_examples=150)
@given(st.sampled_from(CODECS), st.sampled_from(SUPPORTED), st.data())
def test_any_k_of_n_cells_give_back_the_rest(
    name: str, code: tuple[int, int], data: st.DataObject
) -> None:
    k, m = code
    length = data.draw(st.integers(1, 300))
    cells = whole(name, k, m, length)
    kept = data.draw(st.permutations(range(k + m)))[: data.draw(st.integers(k, k + m))]
    wanted = data.draw(st.lists(st.integers(0, k + m - 1), max_size=2 * (k + m)))
    rebuilt = made(name, k, m).rebuild({number: cells[number] for number in kept}, wanted)
    assert list(map(bytes, rebuilt)) == [cells[number] for number in wanted]


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 63, 64, 65, 127, 128, 129, 1000, 1023, 1024, 1025])
def test_an_object_of_any_size_comes_back_after_losing_any_two_of_4_and_2(
    name: str, size: int
) -> None:
    codec = made(name, 4, 2)
    content = noise(size)
    shape = Geometry(size, 4, 64)
    stripes = []
    for number in range(shape.stripes):
        origin = number * 64
        data = split(content[origin : origin + shape.data_length(number)], 4)
        stripes.append(dict(enumerate([*data, *codec.encode(data)])))
        assert {len(cell) for cell in stripes[-1].values()} == {shape.cell_length(number)}
    for lost in erasures(4, 2):
        got = b""
        for number, cells in enumerate(stripes):
            left = {i: cell for i, cell in cells.items() if i not in lost}
            got += b"".join(join(codec.rebuild(left, range(4)), 0, shape.data_length(number)))
        assert got == content


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_whole_stripes_come_back_from_the_parity_and_half_the_data(name: str, size: int) -> None:
    codec = made(name, 4, 2)
    content = noise(size)
    shape = Geometry(size, 4)
    got = b""
    for number in range(shape.stripes):
        origin = number << 20
        data = split(memoryview(content)[origin : origin + shape.data_length(number)], 4)
        parity = codec.encode(data)
        left: dict[int, Buffer] = {1: data[1], 2: data[2], 4: parity[0], 5: parity[1]}
        got += b"".join(join(codec.rebuild(left, range(4)), 0, shape.data_length(number)))
    assert got == content


@pytest.mark.parametrize("name", CODECS)
def test_a_surviving_cell_is_handed_back_as_it_is(name: str) -> None:
    codec = made(name, 2, 1)
    cells = whole(name, 2, 1, 8)
    assert codec.rebuild({0: cells[0], 2: cells[2]}, [2, 0])[1] is cells[0]


@pytest.mark.parametrize("name", CODECS)
def test_data_cells_are_used_first_and_surplus_is_not_looked_at(name: str) -> None:
    cells = whole(name, 4, 2, 8)
    left = {0: cells[0], 1: cells[1], 3: cells[3], 4: cells[4], 5: b"damaged!"}
    assert list(map(bytes, made(name, 4, 2).rebuild(left, [2]))) == [cells[2]]


@pytest.mark.parametrize("name", CODECS)
def test_a_cell_may_be_wanted_many_times(name: str) -> None:
    cells = whole(name, 4, 2, 8)
    left = {number: cells[number] for number in (0, 1, 2, 5)}
    for wanted in (3, 4):
        rebuilt = made(name, 4, 2).rebuild(left, [wanted] * 200)
        assert list(map(bytes, rebuilt)) == [cells[wanted]] * 200


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize(
    "buffer",
    [bytes, bytearray, memoryview, lambda cell: memoryview(bytearray(b"x" + cell + b"y"))[1:-1]],
    ids=["bytes", "bytearray", "memoryview", "slice of a bytearray"],
)
def test_any_contiguous_buffer_is_a_cell(name: str, buffer: Callable[[bytes], Buffer]) -> None:
    codec = made(name, 4, 2)
    cells = whole(name, 4, 2, 50)
    given = {number: buffer(cell) for number, cell in cells.items()}
    assert list(map(bytes, codec.encode([given[i] for i in range(4)]))) == [cells[4], cells[5]]
    left = {number: cell for number, cell in given.items() if number not in (0, 5)}
    assert list(map(bytes, codec.rebuild(left, [0, 5]))) == [cells[0], cells[5]]


@pytest.mark.parametrize("name", CODECS)
def test_cells_are_released_when_the_call_is_over(name: str) -> None:
    codec = made(name, 4, 2)
    cells = [bytearray(cell) for cell in data_cells(4, 50)]
    codec.encode(cells)
    with pytest.raises(CellsUnfit):
        codec.encode([*cells[:3], b""])
    for cell in cells:
        cell.append(0)  # a BufferError if anyone still held it


@pytest.mark.parametrize("name", CODECS)
def test_what_was_returned_is_not_changed_by_later_calls(name: str) -> None:
    codec = made(name, 4, 2)
    first = codec.encode(data_cells(4, 64))
    before = list(map(bytes, first))
    codec.encode([bytes(64)] * 4)
    assert list(map(bytes, first)) == before


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([b"aa", b"bb", b"cc", b"d"], r"\[1, 2\] bytes"),
        ([b"", b"", b"", b""], r"\[0\] bytes"),
        ([b"aa", b"bb", b"cc"], "3 data cells for 4"),
        ([b"aa", b"bb", b"cc", b"dd", b"ee"], "5 data cells for 4"),
    ],
)
def test_cells_that_cannot_be_encoded_are_refused(
    name: str, cells: list[Buffer], says: str
) -> None:
    with pytest.raises(CellsUnfit, match=says):
        made(name, 4, 2).encode(cells)


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize(
    ("cells", "wanted", "says"),
    [
        ({0: b"a", 1: b"b", 4: b"e"}, [2], "3 cells of 4"),
        ({0: b"a", 1: b"b", 4: b"e", 6: b"x"}, [2], "number 6"),
        ({0: b"a", 1: b"b", 4: b"e", 5: b"f"}, [-1], "number -1"),
        ({0: b"a", 1: b"b", 4: b"e", 5: b"ff"}, [2], r"\[1, 2\] bytes"),
        ({0: b"", 1: b"", 4: b"", 5: b""}, [2], r"\[0\] bytes"),
    ],
)
def test_cells_that_cannot_be_rebuilt_from_are_refused(
    name: str, cells: dict[int, Buffer], wanted: list[int], says: str
) -> None:
    with pytest.raises(CellsUnfit, match=says):
        made(name, 4, 2).rebuild(cells, wanted)


@pytest.mark.parametrize("name", CODECS)
def test_threads_may_share_a_codec(name: str) -> None:
    codec = made(name, 4, 2)
    wrong: list[int] = []

    def work(thread: int) -> None:
        data = [noise(5000, f"{thread} {i}") for i in range(4)]
        cells = dict(enumerate([*data, *map(bytes, codec.encode(data))]))
        for lost in [*erasures(4, 2)] * 4:
            left = {number: cell for number, cell in cells.items() if number not in lost}
            if list(map(bytes, codec.rebuild(left, lost))) != [cells[i] for i in lost]:
                wrong.append(thread)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(("k", "m"), [(0, 1), (1, 0), (17, 1), (1, 9), (13, 8), (-1, 2)])
def test_a_code_beyond_the_bounds_is_refused(k: int, m: int) -> None:
    with pytest.raises(CodeUnsupported, match=f"{k}\\+{m}") as refusal:
        codec_for(k, m)
    assert isinstance(refusal.value, Refused)


def test_one_codec_serves_all_who_ask_for_the_same_code() -> None:
    assert codec_for(4, 2) is codec_for(4, 2)
    assert (codec_for(8, 3).k, codec_for(8, 3).m) == (8, 3)
