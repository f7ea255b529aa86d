"""Objects over real connections: what is put is what is got, in Swift's words."""

from __future__ import annotations

import hashlib

import pytest

from tests.swiftlite.clouds import pattern
from tests.swiftlite.swift.edge import SwiftEdge


@pytest.mark.parametrize("size", [0, 1, 4096, 300_000, 3 << 20])
@pytest.mark.parametrize("chunked", [False, True])
def test_what_is_put_is_got(edge: SwiftEdge, box: str, size: int, chunked: bool) -> None:
    data = pattern(size)
    put = edge.swift("PUT", f"{box}/o", data, chunked=chunked)
    assert put.status == 201
    got = edge.swift("GET", f"{box}/o")
    assert (got.status, got.body) == (200, data)
    md5 = hashlib.md5(data).hexdigest()
    assert put.headers["etag"] == got.headers["etag"] == md5
    head = edge.swift("HEAD", f"{box}/o")
    assert (head.status, head.headers["content-length"]) == (200, str(size))
    for name in ("etag", "last-modified", "x-timestamp", "content-type", "accept-ranges"):
        assert head.headers[name] == got.headers[name]
