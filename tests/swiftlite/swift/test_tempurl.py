"""TempURL: what a signature allows, and all that it does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import quote

import pytest

from swiftlite.swift import tempurl
from swiftlite.swift.signatures import LinkKey
from swiftlite.swift.tempurl import Grant, TempUrl, cleaned, disposition, verify

NOW = 1_700_000_000
LATER = NOW + 60
ACCOUNT = LinkKey(b"account key", "")
CONTAINER = LinkKey(b"container key", "c")
PATH = "/v1/AUTH_p/c/o"


def sign(
    method: str = "GET",
    path: str = PATH,
    *,
    expires: int = LATER,
    key: bytes = b"account key",
    ip: str = "",
    algorithm: str = "sha256",
) -> bytes:
    first = f"ip={ip}\n" if ip else ""
    message = f"{first}{method}\n{expires}\n{path}".encode()
    return hmac.new(key, message, getattr(hashlib, algorithm)).digest()


def url(signature: bytes | str | None = None, **facts: Any) -> TempUrl:
    if signature is None:
        signature = sign()
    text = signature if isinstance(signature, str) else signature.hex()
    return TempUrl(**({"signature": text, "expires": str(LATER)} | facts))


def check(the: TempUrl, **facts: Any) -> Grant | None:
    request = {
        "method": "GET",
        "account": "AUTH_p",
        "container": "c",
        "name": "o",
        "keys": [ACCOUNT, CONTAINER],
        "now_s": NOW,
        "source": "192.0.2.7",
    }
    return verify(the, **(request | facts))


def test_a_signed_url_reaches_what_its_key_reaches() -> None:
    by_account = check(url())
    assert by_account == Grant(container="", methods=("GET",), expires_s=LATER)
    by_container = check(url(sign(key=b"container key")))
    assert by_container is not None
    assert by_container.container == "c"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_hex_and_base64_of_each_digest_are_understood(algorithm: str) -> None:
    digest = sign(algorithm=algorithm)
    standard = base64.b64encode(digest).decode()
    for text in (
        digest.hex(),
        f"{algorithm}:{standard}",
        f"{algorithm}:{standard.rstrip('=')}",
        f"{algorithm}:{base64.urlsafe_b64encode(digest).decode()}",
    ):
        assert check(url(text)) is not None, text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0" * 63,
        "0" * 64,
        "é" * 64,
        "sha256:",
        "sha256:!!!!",
        "sha256:" + "A" * 88,
        "md5:" + "A" * 22,
        "sha1:" + base64.b64encode(sign(algorithm="sha1")).decode(),
        sign(algorithm="sha1").hex(),
        "sha512:" + base64.b64encode(sign()).decode(),
        sign().hex() + " ",
    ],
)
def test_what_is_no_signature_of_it_is_refused(text: str) -> None:
    assert check(url(text)) is None


def test_one_flipped_bit_anywhere_is_refused() -> None:
    digest = sign()
    for at in range(len(digest) * 8):
        flipped = bytearray(digest)
        flipped[at // 8] ^= 1 << at % 8
        assert check(url(bytes(flipped))) is None


def test_another_method_path_account_or_time_is_refused() -> None:
    for method in ("PUT", "POST", "DELETE", "COPY", "OPTIONS"):
        assert check(url(), method=method) is None
    assert check(url(), name="p") is None
    assert check(url(), name="o/") is None
    assert check(url(), container="d") is None
    assert check(url(), account="AUTH_q") is None
    assert check(url(expires=str(LATER + 1))) is None
    assert check(url(), keys=[]) is None
    assert check(url(), keys=[LinkKey(b"account kez", "")]) is None


def test_a_url_is_good_until_it_expires() -> None:
    assert check(url(), now_s=LATER) is not None
    assert check(url(), now_s=LATER + 1) is None


def test_expiry_may_be_said_as_a_date() -> None:
    assert check(url(expires="2023-11-14T22:14:20Z")) is not None
    for text in ("2023-13-14T22:14:20Z", "2023-11-14", "", "+1700000060", "1_700_000_060", "١٧"):
        assert check(url(expires=text)) is None
    huge = 10**12
    assert check(url(sign(expires=huge), expires=str(huge))) is None
    assert check(url(expires="9" * 5000)) is None


def test_head_is_allowed_where_reading_or_writing_is() -> None:
    for method in ("GET", "HEAD", "PUT", "POST"):
        found = check(url(sign(method)), method="HEAD")
        assert found is not None
        assert found.methods == ("HEAD",)
    assert check(url(sign("DELETE")), method="HEAD") is None
    assert check(url(sign("HEAD")), method="GET") is None


def test_a_prefix_reaches_all_names_that_begin_with_it_and_no_others() -> None:
    prefix = url(sign(path="prefix:/v1/AUTH_p/c/pre"), prefix="pre")
    for name in ("pre", "prefix", "pre/x", "pre/../x"):
        assert check(prefix, name=name) is not None
    for name in ("o", "pr", "/pre", "x/../pre", "./pre"):
        assert check(prefix, name=name) is None
    # A signature for an object is none for a prefix of the same spelling, nor the other way round.
    assert check(url(prefix="o")) is None
    assert check(url(sign(path="prefix:/v1/AUTH_p/c/o"))) is None
    # Another prefix than the signed one.
    assert check(url(sign(path="prefix:/v1/AUTH_p/c/pre"), prefix=""), name="o") is None


def test_only_the_empty_prefix_reaches_the_container_and_only_to_read() -> None:
    root = url(sign(path="prefix:/v1/AUTH_p/c/"), prefix="")
    assert check(root, name="") is not None
    put = url(sign("PUT", "prefix:/v1/AUTH_p/c/"), prefix="")
    assert check(put, name="", method="PUT") is None
    assert check(url(sign(path="/v1/AUTH_p/c/")), name="") is None
    assert check(url(sign(path="/v1/AUTH_p/c//")), name="/") is None


def test_an_address_range_is_part_of_what_was_signed() -> None:
    ranged = url(sign(ip="192.0.2.0/24"), ip_range="192.0.2.0/24")
    assert check(ranged) is not None
    assert check(ranged, source="192.0.3.7") is None
    assert check(ranged, source="") is None
    assert check(url(sign(ip="192.0.2.0/24"))) is None
    assert check(url(ip_range="192.0.2.0/24")) is None
    for odd in ("192.0.2.7/24", "x", "192.0.2.7\n", "::/0"):
        assert check(url(sign(ip=odd), ip_range=odd)) is None
    assert check(url(sign(ip="192.0.2.7"), ip_range="192.0.2.7")) is not None


def test_a_line_break_in_a_name_cannot_pass_for_another_field() -> None:
    # ip=...\nGET\n... signed as an address range is no object's name, and the other way round.
    odd = f"o\n{LATER}\nx"
    assert check(url(sign(path=f"/v1/AUTH_p/c/{odd}")), name=odd) is not None
    assert check(url(sign(path=f"/v1/AUTH_p/c/{odd}")), name="o") is None


def test_the_query_says_whether_it_is_a_temporary_url_at_all() -> None:
    assert tempurl.parse("format=json&prefix=a") is None
    assert tempurl.parse("temp_url_prefix=a") is None
    found = tempurl.parse(
        "temp_url_sig=a%20b&temp_url_expires=1&temp_url_sig=c&inline&filename=x+y"
    )
    assert found is not None
    assert (found.signature, found.expires, found.inline) == ("a b", "1", True)
    assert found.filename == "x y"
    many = tempurl.parse("temp_url_sig=a&" + "x=1&" * 1000)
    assert many is not None
    assert check(many) is None


def test_signatures_and_keys_stay_out_of_representations() -> None:
    assert sign().hex() not in repr(url())
    assert "account key" not in repr(ACCOUNT)


def test_content_disposition_follows_the_url_then_the_object_then_its_name() -> None:
    plain = url()
    assert disposition(plain, None, "a/b c.txt") == (
        "attachment; filename=\"b c.txt\"; filename*=UTF-8''b%20c.txt"
    )
    assert disposition(plain, "inline; x", "a") == "inline; x"
    assert disposition(url(inline=True), "attachment", "a") == "inline"
    named = url(filename='n"\r\nX: y')
    told = disposition(named, "inline", "a")
    assert told.startswith('attachment; filename="n%22%0D%0AX%3A y"')
    assert "\n" not in told
    assert disposition(url(inline=True, filename="f"), None, "a").startswith("inline; filename=")
    assert disposition(plain, None, "d/") == "attachment; filename=\"d\"; filename*=UTF-8''d"
    assert quote("é") in disposition(plain, None, "é")


def test_metadata_stays_behind_unless_it_is_marked_public() -> None:
    headers = {"X-Object-Meta-A": "1", "X-Object-Meta-Public-B": "2", "Etag": "e"}
    assert cleaned(headers) == {"X-Object-Meta-Public-B": "2", "Etag": "e"}


def test_what_would_point_elsewhere_may_not_be_uploaded() -> None:
    for header in ("x-object-manifest", "x-symlink-target"):
        assert tempurl.forbidden_header("PUT", {header: "c/o"}) == header
        assert tempurl.forbidden_header("GET", {header: "c/o"}) is None
    assert tempurl.forbidden_header("PUT", {"x-object-meta-a": "b"}) is None
