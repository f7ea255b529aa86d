"""aws-chunked: framed bytes in, plain bytes out, each chunk's signature checked before its bytes.

    head -> data -> end of data -> head ... -> trailer -> done

Feed what arrives, in pieces of any size; take what it returns; call `finish` when there is no more.
A signed chunk is held until its signature proved right, so it has a size limit; an unsigned one
passes through.

Source: docs.aws.amazon.com AmazonS3 API "Signature Calculations for the Authorization Header:
Transferring Payload in Multiple Chunks", and "... Including Trailing Headers".
Pure: no clock, no IO.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection

from swiftlite.http.errors import IncompleteBody
from swiftlite.s3.errors import (
    MalformedChunk,
    MalformedTrailer,
    SignatureDoesNotMatch,
)
from swiftlite.s3.mac import Mac

HEAD_SIZE_MAX = 256
TRAILER_SIZE_MAX = 4096
SIGNED_CHUNK_SIZE_MAX = 8 << 20
TRAILER_SIGNATURE = "x-amz-trailer-signature"

_EMPTY = hashlib.sha256(b"").hexdigest()
_HEAD = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?", re.ASCII)
_TRAILER = re.compile(rb"([A-Za-z0-9-]{1,64}):[ \t]*([!-~]{1,1024})[ \t]*", re.ASCII)


class ChunkSigner:
    """Computes the chain of signatures that begins with the request's own."""

    def __init__(self, *, key: Mac, timestamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._stem = f"{timestamp}\n{scope}"
        self._previous = seed

    def chunk(self, data: bytes | bytearray) -> str:
        """Return the signature of the next chunk."""
        digest = hashlib.sha256(data).hexdigest()
        return self._next(
            f"AWS4-HMAC-SHA256-PAYLOAD\n{self._stem}\n{self._previous}\n{_EMPTY}\n{digest}"
        )

    def trailer(self, lines: bytes) -> str:
        """Return the signature of the trailing headers, each `name:value` and a line feed."""
        digest = hashlib.sha256(lines).hexdigest()
        return self._next(f"AWS4-HMAC-SHA256-TRAILER\n{self._stem}\n{self._previous}\n{digest}")

    def _next(self, text: str) -> str:
        self._previous = self._key.digest(text.encode()).hex()
        return self._previous


class ChunkDecoder:
    """Takes the framing off a body.

    `trailers` holds what came behind the last chunk, complete once `finish` returned.
    Law:     the bytes returned do not depend on how the input is cut into pieces.
    """

    def __init__(
        self, *, size: int, signer: ChunkSigner | None, declared: Collection[str], signed_end: bool
    ) -> None:
        """Expect `size` plain bytes, then the `declared` trailers (lower case).

        signer: None where chunks are not signed. signed_end: the trailers have a signature.
        """
        self.trailers: dict[str, str] = {}
        self._left = size  # plain bytes still to come
        self._signer = signer
        self._declared = frozenset(declared)
        self._signed_end = signed_end
        self._buffer = bytearray()
        self._step = self._head
        self._chunk_left = 0
        self._signature = ""
        self._last = False
        self._lines = b""  # trailer lines so far, as they are signed
        self._trailer_size = 0
        self._done = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the plain bytes that `data` completes.

        Raises:  MalformedChunk, MalformedTrailer, SignatureDoesNotMatch, IncompleteBody (more or
                 fewer bytes than announced). The decoder is of no use afterwards.
        """
        self._buffer += data
        out: list[bytes] = []
        while self._step(out):
            pass
        return out

    def finish(self) -> None:
        """Return if the body was whole.

        Raises:  IncompleteBody where the input ended early.
        """
        if not self._done:
            raise IncompleteBody()

    # Each step returns whether it got anywhere; False means that it needs more input.

    def _head(self, out: list[bytes]) -> bool:
        line = self._line(HEAD_SIZE_MAX, MalformedChunk(reason="a chunk's head is too long"))
        if line is None:
            return False
        match = _HEAD.fullmatch(line)
        if match is None:
            raise MalformedChunk(reason="a chunk's head cannot be read")
        size, signature = int(match[1], 16), match[2]
        if (signature is None) != (self._signer is None):
            raise MalformedChunk(reason="chunks are signed, or the request says so, but not both")
        if size > self._left:
            raise IncompleteBody()
        if self._signer is not None and size > SIGNED_CHUNK_SIZE_MAX:
            raise MalformedChunk(reason=f"a signed chunk exceeds {SIGNED_CHUNK_SIZE_MAX} bytes")
        self._chunk_left = size
        self._signature = signature.decode() if signature is not None else ""
        if size == 0:
            if self._left:
                raise IncompleteBody()
            self._check_chunk(b"")
            self._step = self._trailer
        else:
            self._step = self._data if self._signer is None else self._signed_data
        return True

    def _data(self, out: list[bytes]) -> bool:
        if not self._buffer:
            return False
        piece = bytes(self._buffer[: self._chunk_left])
        del self._buffer[: len(piece)]
        self._chunk_left -= len(piece)
        self._left -= len(piece)
        out.append(piece)
        if self._chunk_left == 0:
            self._step = self._end_of_data
        return True

    def _signed_data(self, out: list[bytes]) -> bool:
        if len(self._buffer) < self._chunk_left:
            return False
        piece = bytes(self._buffer[: self._chunk_left])
        self._check_chunk(piece)
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        out.append(piece)
        self._step = self._end_of_data
        return True

    def _end_of_data(self, out: list[bytes]) -> bool:
        if len(self._buffer) < 2:
            return False
        if self._buffer[:2] != b"\r\n":
            raise MalformedChunk(reason="a chunk is longer than its head says")
        del self._buffer[:2]
        self._step = self._head
        return True

    def _trailer(self, out: list[bytes]) -> bool:
        if self._done:
            # Some clients end the trailers with one empty line too many.
            if bytes(self._buffer) not in (b"", b"\r", b"\r\n"):
                raise MalformedTrailer()
            return False
        line = self._line(TRAILER_SIZE_MAX, MalformedTrailer())
        if line is None:
            return False
        self._trailer_size += len(line) + 2
        if self._trailer_size > TRAILER_SIZE_MAX:
            raise MalformedTrailer()
        if not line:
            self._end_of_trailers()
            return True
        match = _TRAILER.fullmatch(line)
        if match is None:
            raise MalformedTrailer()
        name, value = match[1].decode().lower(), match[2].decode()
        if name in self.trailers or (name != TRAILER_SIGNATURE and name not in self._declared):
            raise MalformedTrailer()
        if name == TRAILER_SIGNATURE:
            self._check_trailers(value)
        elif TRAILER_SIGNATURE in self.trailers:
            raise MalformedTrailer()
        else:
            self._lines += f"{name}:{value}\n".encode()
        self.trailers[name] = value
        return True

    def _end_of_trailers(self) -> None:
        if self._signed_end and TRAILER_SIGNATURE not in self.trailers:
            # Some clients put an empty line between the trailers and their signature.
            if self._last:
                raise MalformedTrailer()
            self._last = True
            return
        if any(name not in self.trailers for name in self._declared):
            raise MalformedTrailer()
        self._done = True

    def _check_chunk(self, data: bytes) -> None:
        if self._signer is not None and not hmac.compare_digest(
            self._signer.chunk(data).encode(), self._signature.encode()
        ):
            raise SignatureDoesNotMatch()

    def _check_trailers(self, given: str) -> None:
        if self._signer is None or not self._signed_end:
            raise MalformedTrailer()
        if not hmac.compare_digest(self._signer.trailer(self._lines).encode(), given.encode()):
            raise SignatureDoesNotMatch()

    def _line(self, limit: int, error: MalformedChunk | MalformedTrailer) -> bytes | None:
        end = self._buffer.find(b"\n", 0, limit + 1)
        if end < 0:
            if len(self._buffer) > limit:
                raise error
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line[:-1] if line.endswith(b"\r") else line
