"""Images fetched from the web: whole, or with a reason; never from the inside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from computelite.image.errors import BadSource, SourceFailed, WrongStatus
from computelite.image.fetch import Fetcher
from computelite.image.rows import Image
from tests import disks
from tests.computelite.image.house import ME, House, house_in
from tests.swiftlite.clouds import pattern

DISK = disks.qcow2()
BIG = pattern(3 << 20)


def answer(path: str) -> tuple[int, dict[str, str], bytes]:
    match path.partition("?")[0]:
        case "/disk":
            return 200, {}, DISK
        case "/big":
            return 200, {}, BIG
        case "/short":
            return 200, {"Content-Length": str(len(BIG) + 1)}, BIG
        case "/packed":
            return 200, {"Content-Encoding": "gzip"}, DISK
        case "/again":
            return 302, {"Location": "/disk"}, b""
        case "/for-ever":
            return 302, {"Location": "/for-ever"}, b""
        case "/nowhere":
            return 302, {}, b""
        case "/inside":
            return 302, {"Location": "http://169.254.169.254/latest"}, b""
        case "/inside-by-name":
            return 301, {"Location": "http://localhost/x"}, b""
        case "/file":
            return 307, {"Location": "file:///etc/passwd"}, b""
    return 404, {}, b"no"


@pytest.fixture
def web() -> Iterator[str]:
    with disks.served(answer) as found:
        yield found


@pytest.fixture
async def house(tmp_path: Path, web: str) -> AsyncIterator[House]:
    async with house_in(tmp_path, allowed=[web]) as found:
        yield found


async def fetched(house: House, url: str, **facts: str) -> Image:
    """Import from a URL; return the image when that is over."""
    image = await house.image(**facts)
    await house.service.import_from(image.id, url, lambda image: None, actor=ME)
    assert (await house.now(image)).status == "importing"
    async with asyncio.timeout(20):
        while (after := await house.now(image)).transfer is not None:
            await asyncio.sleep(0.01)
    return after


@pytest.mark.parametrize(("path", "data"), [("/disk", DISK), ("/again", DISK), ("/big", BIG)])
async def test_an_image_is_fetched(house: House, web: str, path: str, data: bytes) -> None:
    kind = "raw" if data is BIG else "qcow2"
    image = await fetched(house, f"http://{web}{path}?token=secret", disk_format=kind)
    assert image.status == "active"
    assert await house.bytes_of(image) == data
    assert image.outcome is not None
    assert (image.outcome.failure, image.outcome.source) == ("", f"http://{web}{path}")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/absent", "answers 404"),
        ("/short", "cut short"),
        ("/packed", "coding"),
        ("/for-ever", "more than 5 redirects"),
        ("/nowhere", "leads nowhere"),
        ("/inside", "169.254.169.254 is not a public one"),
        ("/inside-by-name", "localhost has an address that is not public"),
        ("/file", "neither http nor https"),
        ("/big", "is raw, and not qcow2"),
    ],
)
async def test_a_fetch_that_fails_leaves_the_image_queued_with_the_reason(
    house: House, web: str, path: str, words: str
) -> None:
    kind = "raw" if path == "/short" else "qcow2"
    image = await fetched(house, f"http://{web}{path}", disk_format=kind)
    assert image.status == "queued"
    assert image.outcome is not None
    assert words in image.outcome.failure
    async with asyncio.timeout(10):
        while await house.stored():
            await asyncio.sleep(0.01)


async def test_a_name_that_stands_for_an_inner_address_is_refused() -> None:
    fetcher = Fetcher()
    with pytest.raises(BadSource, match="not public"):
        async with fetcher.open(fetcher.target("http://localhost/")):
            pass


async def test_a_name_with_one_inner_address_among_others_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def both(host: str, port: int, *more: object, **named: object) -> list[object]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("8.8.8.8", port)), (*kind, ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    fetcher = Fetcher()
    with pytest.raises(BadSource, match="not public"):
        async with fetcher.open(fetcher.target("http://rebound.example/")):
            pass


async def test_a_server_that_is_not_there_is_a_failure_with_a_reason() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{nobody.getsockname()[1]}"
        fetcher = Fetcher([place])
        with pytest.raises(SourceFailed, match="no connection"):
            async with fetcher.open(fetcher.target(f"http://{place}/")):
                pass


async def test_a_bad_url_is_refused_before_anything_begins(house: House) -> None:
    image = await house.image()
    with pytest.raises(BadSource):
        await house.service.import_from(image.id, "http://10.0.0.1/", lambda image: None, actor=ME)
    assert await house.types(image) == ["created"]


async def test_an_import_that_is_interrupted_leaves_the_image_queued(
    house: House, web: str
) -> None:
    image = await house.image()
    await house.service.import_from(image.id, f"http://{web}/big", lambda image: None, actor=ME)
    with pytest.raises(WrongStatus):
        await house.service.import_from(image.id, f"http://{web}/big", lambda image: None, actor=ME)
    await house.service.close()
    after = await house.now(image)
    assert after.status == "queued"
    assert after.outcome is not None
    assert after.outcome.failure == "it was interrupted"
