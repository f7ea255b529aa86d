"""aws-chunked: AWS's own example, botocore's framing, any cut of the input, and every lie."""

from __future__ import annotations

import io

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given
from hypothesis import strategies as st

from eventlog.errors import CloudError
from swiftlite.http.errors import IncompleteBody
from swiftlite.s3.chunked import SIGNED_CHUNK_SIZE_MAX, ChunkDecoder, ChunkSigner
from swiftlite.s3.errors import (
    MalformedChunk,
    MalformedTrailer,
    SignatureDoesNotMatch,
)
from swiftlite.s3.sigv4 import signing_key

SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
TRAILER = "x-amz-checksum-crc32c"


def signer() -> ChunkSigner:
    """Return the signer of the example in AWS's documentation."""
    return ChunkSigner(
        key=signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1"),
        timestamp="20130524T000000Z",
        scope="20130524/us-east-1/s3/aws4_request",
        seed=SEED,
    )


def framed(chunks: list[bytes], *, sign: bool, trailers: dict[str, str] | None = None) -> bytes:
    """Return what a client sends for these chunks."""
    made = signer()
    out = b""
    for chunk in [*chunks, b""]:
        extension = f";chunk-signature={made.chunk(chunk)}" if sign else ""
        out += f"{len(chunk):x}{extension}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    if trailers is not None:
        lines = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        out += lines.replace("\n", "\r\n").encode()
        if sign:
            out += f"x-amz-trailer-signature:{made.trailer(lines.encode())}\r\n".encode()
    return out + b"\r\n"


def decoded(
    data: bytes, size: int, *, sign: bool, trailers: tuple[str, ...] | None = None, piece: int = 7
) -> tuple[bytes, dict[str, str]]:
    decoder = ChunkDecoder(
        size=size,
        signer=signer() if sign else None,
        declared=trailers or (),
        signed_end=sign and trailers is not None,
    )
    out = b""
    for at in range(0, len(data), piece):
        out += b"".join(decoder.feed(data[at : at + piece]))
    decoder.finish()
    return out, decoder.trailers


def test_the_signatures_of_awss_example() -> None:
    made = signer()
    assert made.chunk(b"a" * 65536) == (
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
    )
    assert made.chunk(b"a" * 1024) == (
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
    )
    assert made.chunk(b"") == "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"


@given(
    st.lists(st.binary(min_size=1, max_size=300), max_size=6),
    st.integers(1, 400),
    st.booleans(),
    st.booleans(),
)
def test_the_bytes_do_not_depend_on_how_the_input_is_cut(
    chunks: list[bytes], piece: int, sign: bool, has_trailer: bool
) -> None:
    trailers = {TRAILER: "AAAAAA=="} if has_trailer else None
    data = framed(chunks, sign=sign, trailers=trailers)
    plain = b"".join(chunks)
    names = (TRAILER,) if has_trailer else None
    got, found = decoded(data, len(plain), sign=sign, trailers=names, piece=piece)
    assert got == plain
    assert found.get(TRAILER) == ("AAAAAA==" if has_trailer else None)


def test_botocores_framing_is_understood() -> None:
    data = b"hello world" * 1000
    wrapper = AwsChunkedWrapper(
        io.BytesIO(data), checksum_cls=Crc32Checksum, checksum_name="x-amz-checksum-crc32"
    )
    got, found = decoded(
        wrapper.read(), len(data), sign=False, trailers=("x-amz-checksum-crc32",), piece=100
    )
    assert got == data
    assert found == {"x-amz-checksum-crc32": Crc32Checksum().handle(data)}


@pytest.mark.parametrize("sign", [False, True])
def test_cve_2026_49017_truncated_input_raises_at_every_length(sign: bool) -> None:
    data = framed([b"hello", b"world"], sign=sign, trailers={TRAILER: "AAAAAA=="})
    for length in range(len(data)):
        with pytest.raises(CloudError):
            decoded(data[:length], 10, sign=sign, trailers=(TRAILER,))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_wrong_chunk_signature_releases_none_of_its_bytes(which: int) -> None:
    data = framed([b"first", b"second"], sign=True)
    at = -1
    for _ in range(which + 1):
        at = data.index(b"chunk-signature=", at + 1)
    at += len(b"chunk-signature=")
    forged = data[:at] + (b"0" if data[at : at + 1] != b"0" else b"1") + data[at + 1 :]
    decoder = ChunkDecoder(size=11, signer=signer(), declared=(), signed_end=False)
    released: list[bytes] = []

    def feed_all() -> None:
        for byte in forged:
            released.extend(decoder.feed(bytes((byte,))))

    with pytest.raises(SignatureDoesNotMatch):
        feed_all()
    assert b"".join(released) == [b"", b"first", b"firstsecond"][which]


def test_cve_2025_31489_a_forged_trailer_signature_is_refused() -> None:
    data = framed([b"hello"], sign=True, trailers={TRAILER: "AAAAAA=="})
    with pytest.raises(SignatureDoesNotMatch):
        decoded(data.replace(b"AAAAAA==", b"AAAAAB=="), 5, sign=True, trailers=(TRAILER,))
    without = data[: data.index(b"x-amz-trailer-signature")] + b"\r\n"
    with pytest.raises(CloudError):
        decoded(without, 5, sign=True, trailers=(TRAILER,))


def test_swapped_chunks_are_refused() -> None:
    data = framed([b"first", b"other"], sign=True)
    heads = [i for i in range(len(data)) if data.startswith(b"5;", i)]
    swapped = data[heads[1] : heads[1] + (heads[1] - heads[0])] + data[: heads[1]]
    with pytest.raises(SignatureDoesNotMatch):
        decoded(swapped, 10, sign=True)


@pytest.mark.parametrize("size", [4, 6])
@pytest.mark.parametrize("sign", [False, True])
def test_a_length_that_is_not_the_announced_one_is_refused(size: int, sign: bool) -> None:
    with pytest.raises(IncompleteBody):
        decoded(framed([b"hello"], sign=sign), size, sign=sign)


def test_signed_chunks_where_none_were_announced_are_refused_and_the_reverse() -> None:
    with pytest.raises(MalformedChunk):
        decoded(framed([b"hello"], sign=True), 5, sign=False)
    with pytest.raises(MalformedChunk):
        decoded(framed([b"hello"], sign=False), 5, sign=True)


@pytest.mark.parametrize(
    "data",
    [
        b"\r\nhello",
        b"-1\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"5;a=b\r\nhello\r\n",
        b"\xd9\xa3\r\nabc\r\n",
        b"f" * 17 + b"\r\n",
        b"5" * 300,
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
    ],
)
def test_a_broken_chunk_head_is_refused(data: bytes) -> None:
    with pytest.raises((MalformedChunk, IncompleteBody)):
        decoded(data, 5, sign=False)


def test_a_head_that_never_ends_is_not_held() -> None:
    decoder = ChunkDecoder(size=5, signer=None, declared=(), signed_end=False)
    decoder.feed(b"1" * 200)
    with pytest.raises(MalformedChunk):
        decoder.feed(b"1" * 100)


def test_a_signed_chunk_too_large_to_hold_is_refused_at_its_head() -> None:
    size = SIGNED_CHUNK_SIZE_MAX + 1
    head = f"{size:x};chunk-signature={'0' * 64}\r\n".encode()
    with pytest.raises(MalformedChunk, match="exceeds"):
        decoded(head, size, sign=True)


@pytest.mark.parametrize(
    "tail",
    [
        b"\r\n",  # the declared one is missing
        b"x-amz-checksum-sha1:AAAA\r\n\r\n",  # another one
        b"x-amz-checksum-crc32c:AAAA\r\nx-amz-checksum-crc32c:AAAA\r\n\r\n",
        b"x-amz-checksum-crc32c:AAAA\r\nx-evil:1\r\n\r\n",
        b"x-amz-checksum-crc32c AAAA\r\n\r\n",
        b"x-amz-checksum-crc32c:A\x01A\r\n\r\n",
        b"x-amz-checksum-crc32c:AAAA\r\nx-amz-trailer-signature:00\r\n\r\n",
        b"x-amz-checksum-crc32c:AAAA\r\n\r\nmore",
        b"x-amz-checksum-crc32c:" + b"A" * 5000 + b"\r\n\r\n",
    ],
)
def test_broken_trailers_are_refused(tail: bytes) -> None:
    with pytest.raises(MalformedTrailer):
        decoded(b"5\r\nhello\r\n0\r\n" + tail, 5, sign=False, trailers=(TRAILER,), piece=10_000)


def test_minio_gos_line_feeds_in_trailers_are_understood() -> None:
    made = signer()
    head = (
        f"5;chunk-signature={made.chunk(b'hello')}\r\nhello\r\n0;chunk-signature={made.chunk(b'')}"
    )
    line = f"{TRAILER}:AAAAAA==\n"
    end = f"\r\n{line}\r\nx-amz-trailer-signature:{made.trailer(line.encode())}\r\n\r\n"
    got, _ = decoded((head + end).encode(), 5, sign=True, trailers=(TRAILER,))
    assert got == b"hello"
    plain = b"5\r\nhello\r\n0\r\n" + line.encode() + b"\r\n\r\n"
    assert decoded(plain, 5, sign=False, trailers=(TRAILER,))[0] == b"hello"
