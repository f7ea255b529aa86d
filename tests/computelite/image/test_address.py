"""Where images may be fetched from: the world, and nothing of the inside."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from computelite.image.address import is_public, target_of
from computelite.image.errors import BadSource


@pytest.mark.parametrize(
    ("url", "host", "port", "shown"),
    [
        ("http://example.org/a", "example.org", 80, "http://example.org/a"),
        ("HTTPS://Example.ORG/A?token=x", "example.org", 443, "https://example.org/A"),
        ("https://1.1.1.1:443/a", "1.1.1.1", 443, "https://1.1.1.1:443/a"),
        ("http://[2606:4700::1111]/", "2606:4700::1111", 80, "http://[2606:4700::1111]/"),
    ],
)
def test_urls_of_the_world_are_good_and_shown_without_their_query(
    url: str, host: str, port: int, shown: str
) -> None:
    found = target_of(url)
    assert (found.host, found.port, found.shown) == (host, port, shown)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/a",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://127.0.0.1:6379/_x",
        "http:///a",
        "http://user@example.org/",
        "http://user:secret@example.org/",
        "http://example.org:22/",
        "http://example.org:8080/",
        "http://example.org:99999/",
        "http://exämple.org/",
        "http://example.org/a b",
        "http://example.org/a\r\nX: y",
        "http://[::1",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://0/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://[64:ff9b::7f00:1]/",
        "http://example.org/" + "a" * 2048,
    ],
)
def test_urls_of_the_inside_and_broken_ones_are_refused(url: str) -> None:
    with pytest.raises(BadSource):
        target_of(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("0.0.0.0", False),
        ("127.0.0.53", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fc00::1", False),
        ("fd00::a9fe:a9fe", False),
        ("fe80::a9fe:a9fe", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("2001:0:53aa:64c:0:0:80ff:fffe", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::808:808", True),
    ],
)
def test_addresses_of_the_world_are_told_from_those_of_the_inside(
    address: str, public: bool
) -> None:
    assert is_public(ip_address(address)) is public


def test_what_the_operator_vouches_for_is_good() -> None:
    allowed = ("mirror.lan:8080", "127.0.0.1:5000")
    assert target_of("http://mirror.lan:8080/a", allowed).port == 8080
    assert target_of("http://127.0.0.1:5000/a", allowed).port == 5000
    for other in ("http://mirror.lan:8081/", "http://127.0.0.1:80/", "http://127.0.0.2:5000/"):
        with pytest.raises(BadSource):
            target_of(other, allowed)
