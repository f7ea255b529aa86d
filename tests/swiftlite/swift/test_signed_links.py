"""TempURLs and signed forms over real connections: what they let in, and all that they do not."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from eventlog.records.record import Kind
from tests.swiftlite.s3.edge import Answer
from tests.swiftlite.swift.edge import SwiftEdge

KEYS = {"X-Account-Meta-Temp-URL-Key": "account-1", "X-Account-Meta-Temp-URL-Key-2": "account-2"}


@pytest.fixture
def keyed(edge: SwiftEdge, box: str) -> str:
    """A container with keys of its own, in an account with keys."""
    assert edge.swift("POST", "", headers=KEYS).status == 204
    own = {"X-Container-Meta-Temp-URL-Key": "own-1", "X-Container-Meta-Temp-URL-Key-2": "own-2"}
    assert edge.swift("POST", box, headers=own).status == 204
    edge.swift("PUT", f"{box}/o é", b"hello", {"X-Object-Meta-A": "1", "Content-Type": "a/b"})
    return box


def query(
    edge: SwiftEdge,
    path: str,
    method: str = "GET",
    *,
    key: str = "account-1",
    after_s: int = 100,
    prefix: str | None = None,
    ip: str = "",
    more: str = "",
) -> str:
    expires = edge.clock.now_us() // 1_000_000 + after_s
    signed = f"/v1/AUTH_p/{path}"
    if prefix is not None:
        signed = f"prefix:/v1/AUTH_p/{path.partition('/')[0]}/{prefix}"
        more += f"&temp_url_prefix={quote(prefix)}"
    first = f"ip={ip}\n" if ip else ""
    if ip:
        more += f"&temp_url_ip_range={quote(ip)}"
    message = f"{first}{method}\n{expires}\n{signed}".encode()
    signature = hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
    return f"temp_url_sig={signature}&temp_url_expires={expires}{more}"


def ask(
    edge: SwiftEdge, method: str, path: str, signed: str, body: bytes | None = None, **more: Any
) -> Answer:
    return edge.swift(method, f"{path}?{signed}", body, more.pop("headers", {}), token=None)


@pytest.mark.parametrize("key", ["account-1", "account-2", "own-1", "own-2"])
def test_any_of_four_keys_lets_in(edge: SwiftEdge, keyed: str, key: str) -> None:
    path = f"{keyed}/o é"
    got = ask(edge, "GET", path, query(edge, path, key=key))
    assert (got.status, got.body) == (200, b"hello")
    assert got.headers["content-disposition"].startswith('attachment; filename="o %C3%A9"')
    assert "x-object-meta-a" not in got.headers
    assert "expires" in got.headers
    assert ask(edge, "HEAD", path, query(edge, path, key=key)).status == 200
    assert ask(edge, "HEAD", path, query(edge, path, "PUT", key=key)).status == 200


def test_everything_else_is_refused(edge: SwiftEdge, keyed: str) -> None:
    path = f"{keyed}/o é"
    good = query(edge, path)
    edge.swift("PUT", f"{keyed}/other", b"secret")
    for method, where, signed in (
        ("PUT", path, good),
        ("DELETE", path, good),
        ("COPY", path, good),
        ("GET", f"{keyed}/other", good),
        ("GET", f"{keyed}/o é/", good),
        ("GET", keyed, good),
        ("GET", "", good),
        ("GET", path, query(edge, path, after_s=-1)),
        ("GET", path, query(edge, path, key="x")),
        ("GET", path, query(edge, path, key="")),
        ("GET", path, good[:-1] + ("0" if good[-1] != "0" else "1")),
        ("GET", path, good.replace("temp_url_sig", "x")),
        ("GET", path, good.partition("&")[0]),
        ("GET", path, query(edge, path, ip="192.0.2.1")),
        ("GET", path, query(edge, path, prefix="x")),
        ("GET", keyed, query(edge, f"{keyed}/", prefix="")),
        ("POST", f"{keyed}?bulk-delete&x=1"[:0] + keyed, good + "&bulk-delete=1"),
    ):
        answer = ask(edge, method, where, signed, b"" if method in ("PUT", "POST") else None)
        assert answer.status == 401, (method, where, answer)
        assert b"hello" not in answer.body
    assert edge.swift("HEAD", path).status == 200


def test_another_accounts_key_is_no_key(edge: SwiftEdge, keyed: str) -> None:
    stranger = {"token": "stranger", "account": "AUTH_q"}
    key = {"X-Account-Meta-Temp-URL-Key": "theirs"}
    edge.swift("POST", "", headers=key, **stranger)  # type: ignore[arg-type]
    path = f"{keyed}/o é"
    assert ask(edge, "GET", path, query(edge, path, key="theirs")).status == 401


def test_a_key_that_is_taken_back_lets_nobody_in(edge: SwiftEdge, keyed: str) -> None:
    path = f"{keyed}/o é"
    signed = query(edge, path, key="own-1")
    edge.swift("POST", keyed, headers={"X-Container-Meta-Temp-URL-Key": "rotated"})
    assert ask(edge, "GET", path, signed).status == 401
    assert ask(edge, "GET", path, query(edge, path, key="own-2")).status == 200


def test_address_and_prefix_are_held_to(edge: SwiftEdge, keyed: str) -> None:
    path = f"{keyed}/o é"
    assert ask(edge, "GET", path, query(edge, path, ip="127.0.0.0/8")).status == 200
    signed = query(edge, path, prefix="o")
    assert ask(edge, "GET", path, signed).status == 200
    assert ask(edge, "GET", f"{keyed}/x/../o é", signed).status == 401


def test_a_link_for_writing_writes_there_alone(edge: SwiftEdge, keyed: str) -> None:
    path = f"{keyed}/new"
    signed = query(edge, path, "PUT")
    assert ask(edge, "PUT", path, signed, b"up").status == 201
    assert edge.swift("GET", path).body == b"up"
    assert ask(edge, "GET", path, signed).status == 401
    assert ask(edge, "DELETE", path, query(edge, path, "DELETE")).status == 204


def test_a_link_for_writing_makes_nothing_that_points_elsewhere(
    edge: SwiftEdge, keyed: str
) -> None:
    path = f"{keyed}/new"
    signed = query(edge, path, "PUT")
    for header, value in (
        ("X-Object-Manifest", f"{keyed}/o"),
        ("X-Symlink-Target", f"{keyed}/o%20%C3%A9"),
        ("X-Copy-From", f"{keyed}/o%20%C3%A9"),
    ):
        answer = ask(edge, "PUT", path, signed, b"", headers={header: value})
        assert answer.status in (400, 401), (header, answer)
    manifest = json.dumps([{"path": f"{keyed}/o é"}]).encode()
    for extra in ("&multipart-manifest=put", "&extract-archive=tar"):
        assert ask(edge, "PUT", path, signed + extra, manifest).status == 201
        assert edge.swift("GET", path).body == manifest  # the parameter means nothing here
    tokened = edge.swift("PUT", f"{keyed}/other?{signed}", b"x", token="owner")
    assert tokened.status == 401  # a token beside it adds nothing


def test_large_objects_are_read_as_far_as_the_key_reaches(edge: SwiftEdge, keyed: str) -> None:
    edge.swift("PUT", f"{keyed}-segments")
    edge.swift("PUT", f"{keyed}-segments/1", b"segment")
    entries = json.dumps([{"path": f"{keyed}-segments/1"}]).encode()
    edge.swift("PUT", f"{keyed}/slo?multipart-manifest=put", entries)
    edge.swift("PUT", f"{keyed}/dlo", b"", {"X-Object-Manifest": f"{keyed}-segments/1"})
    edge.swift("PUT", f"{keyed}/link", b"", {"X-Symlink-Target": f"{keyed}-segments/1"})
    for name, refused in (("slo", 409), ("dlo", 401), ("link", 401)):
        path = f"{keyed}/{name}"
        got = ask(edge, "GET", path, query(edge, path))
        assert got.body == b"segment", name
        assert ask(edge, "GET", path, query(edge, path, key="own-1")).status == refused


def test_the_name_under_which_it_is_saved_can_be_chosen(edge: SwiftEdge, keyed: str) -> None:
    path = f"{keyed}/o é"
    for more, told in (
        ("&filename=my+file.txt", "attachment; filename=\"my file.txt\"; filename*=UTF-8''my%20"),
        ("&inline", "inline"),
        ("&inline&filename=x%0d%0aX-Evil:1", 'inline; filename="x%0D%0AX-Evil%3A1"'),
    ):
        got = ask(edge, "GET", path, query(edge, path, more=more))
        assert got.headers["content-disposition"].startswith(told)
        assert "x-evil" not in got.headers


def test_expired_objects_are_not_opened_by_a_header(edge: SwiftEdge, keyed: str) -> None:
    path = f"{keyed}/o é"
    got = ask(edge, "GET", path, query(edge, path), headers={"X-Open-Expired": "true"})
    assert got.status == 200


def test_refusals_are_recorded_and_signatures_kept_nowhere(
    edge: SwiftEdge, keyed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"{keyed}/o é"
    signed = query(edge, path, after_s=-5)
    signature = parse_qs(signed)["temp_url_sig"][0]
    answer = ask(edge, "GET", path, signed)
    record = edge.noted.records[-1]
    assert (record.kind, record.rule, record.status) == (Kind.REFUSED, "link", 401)
    ask(edge, "GET", path, query(edge, path))
    for text in (answer.raw.decode(), caplog.text, repr(edge.noted.records)):
        assert signature not in text
        assert "account-1" not in text
    events = edge.cloud.log.path.read_bytes()
    wal = edge.cloud.log.path.with_name(edge.cloud.log.path.name + "-wal")
    kept = events + (wal.read_bytes() if wal.exists() else b"")
    for secret in ("account-1", "own-2", signature):
        assert secret.encode() not in kept


# -- forms -----------------------------------------------------------------------------------------


def form(
    edge: SwiftEdge,
    path: str,
    *files: tuple[str, bytes],
    key: str = "account-1",
    after_s: int = 100,
    sign: Mapping[str, str] = {},
    extra: Mapping[str, str] = {},
    drop: tuple[str, ...] = (),
    fields_last: bool = False,
    digest_name: str = "sha256",
) -> Answer:
    expires = str(edge.clock.now_us() // 1_000_000 + after_s)
    signed = {"redirect": "", "max_file_size": "1000", "max_file_count": "2", "expires": expires}
    signed |= dict(sign)
    message = "\n".join([f"/v1/AUTH_p/{path}", *signed.values()]).encode()
    digest = hmac.new(key.encode(), message, digest_name).hexdigest()
    fields = {n: v for n, v in {**signed, "signature": digest, **extra}.items() if n not in drop}
    plain = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    content = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n'
        f"Content-Type: a/b\r\n\r\n".encode()
        + data
        + b"\r\n"
        for name, data in files
    )
    body = (content + plain if fields_last else plain + content) + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return edge.swift("POST", path, body, headers, token=None)


def test_a_signed_form_stores_its_files(edge: SwiftEdge, keyed: str) -> None:
    answer = form(edge, f"{keyed}/up/", ("a b.txt", b"one"), ("é", b"x" * 1000))
    assert (answer.status, answer.body) == (201, b"201 Created")
    got = edge.swift("GET", f"{keyed}/up/a b.txt")
    assert (got.body, got.headers["content-type"]) == (b"one", "a/b")
    assert edge.swift("GET", f"{keyed}/up/é").body == b"x" * 1000
    assert form(edge, f"{keyed}/pre", ("fix", b"1"), key="own-2").status == 201
    assert form(edge, keyed, ("top", b"1")).status == 201
    assert {"prefix", "top"} <= set(edge.names(keyed))


def test_a_form_may_be_signed_as_older_tools_do(edge: SwiftEdge, keyed: str) -> None:
    for name in ("sha1", "sha512"):
        assert form(edge, f"{keyed}/up/", (name, b"one"), digest_name=name).status == 201
    assert form(edge, f"{keyed}/up/", ("md5", b"one"), digest_name="md5").status == 401


def test_a_form_may_say_more_of_its_files(edge: SwiftEdge, keyed: str) -> None:
    extra = {"x_delete_after": "500", "content-type": "c/d", "content-encoding": "gzip"}
    assert form(edge, f"{keyed}/", ("f", b"1"), extra=extra).status == 201
    got = edge.swift("HEAD", f"{keyed}/f")
    assert (got.headers["content-type"], got.headers["content-encoding"]) == ("c/d", "gzip")
    assert "x-delete-at" in got.headers


def test_a_form_sends_the_browser_on(edge: SwiftEdge, keyed: str) -> None:
    answer = form(edge, f"{keyed}/", ("f", b"1"), sign={"redirect": "https://h/p?a=1"})
    assert answer.status == 303
    assert answer.headers["location"] == "https://h/p?a=1&status=201&message="
    answer = form(edge, f"{keyed}/", sign={"redirect": "https://h/<x>\r\n"})
    assert "\n" not in answer.headers["location"]
    assert b"<x>" not in answer.body
    assert parse_qs(urlsplit(answer.headers["location"]).query)["status"] == ["400"]


@pytest.mark.parametrize("files", [(), (("f", b"1"), ("g", b"2"), ("h", b"3"))])
def test_only_a_signed_form_sends_the_browser_on(
    edge: SwiftEdge, keyed: str, files: tuple[tuple[str, bytes], ...]
) -> None:
    evil = {"redirect": "javascript:alert(1)"}
    for options in ({"key": "wrong", "sign": evil}, {"extra": evil}):
        answer = form(edge, f"{keyed}/", **options)  # type: ignore[arg-type]
        assert (answer.status, "location" in answer.headers) == (400, False)
        assert b"javascript" not in answer.body
    answer = form(edge, f"{keyed}/", *files, sign=evil, drop=("signature", "max_file_count"))
    assert (answer.status, "location" in answer.headers) == (400, False)
    answer = form(edge, f"{keyed}/", *files, sign={"redirect": "https://h/"})
    assert answer.headers["location"].startswith("https://h/?status=400")


def test_an_upload_link_copies_nothing(edge: SwiftEdge, keyed: str) -> None:
    path = f"{keyed}/o é"
    signed = query(edge, f"{keyed}/new", "PUT", prefix="")
    copy = {"X-Copy-From": quote(path)}
    answer = ask(edge, "PUT", f"{keyed}/new", signed, b"", headers=copy)
    assert (answer.status, "etag" in answer.headers) == (401, False)
    assert edge.swift("HEAD", f"{keyed}/new").status == 404


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        ({"key": "wrong"}, 401, b"Invalid Signature"),
        ({"after_s": -1}, 401, b"Form Expired"),
        ({"extra": {"max_file_size": "9999"}}, 401, b"Invalid Signature"),
        ({"extra": {"redirect": "https://evil"}}, 401, b"Invalid Signature"),
        ({"extra": {"signature": "x"}}, 401, b"Invalid Signature"),
        ({"drop": ("signature",)}, 401, b"Invalid Signature"),
        ({"drop": ("max_file_count",)}, 400, b"Max File Count Exceeded"),
        ({"sign": {"max_file_count": "x"}}, 400, b"max_file_count not an integer"),
        ({"sign": {"max_file_size": "2"}}, 400, b"max_file_size exceeded"),
        ({"sign": {"expires": "9" * 30}}, 400, b"expires not an integer"),
        ({"extra": {"x_delete_at": "x"}}, 400, b"x_delete_at not an integer"),
        ({"fields_last": True}, 400, b"Max File Count Exceeded"),
    ],
)
def test_what_was_not_signed_is_not_stored(
    edge: SwiftEdge, keyed: str, options: dict[str, Any], status: int, told: bytes
) -> None:
    answer = form(edge, f"{keyed}/", ("f", b"one"), **options)
    assert (answer.status, told in answer.body) == (status, True), answer
    assert edge.swift("HEAD", f"{keyed}/f").status == 404


def test_the_count_of_files_is_held_to(edge: SwiftEdge, keyed: str) -> None:
    answer = form(edge, f"{keyed}/n", *[(str(i), b"1") for i in range(3)])
    assert answer.status == 400
    assert [name for name in edge.names(keyed) if name.startswith("n")] == ["n0", "n1"]
    assert b"No Files To Process" in form(edge, f"{keyed}/").body


def test_a_form_that_cannot_be_read_is_refused(edge: SwiftEdge, keyed: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    for body in (b"", b"x", b"--b\r\n", b"--c\r\n\r\n--c--", b"--b\r\nX: y\r\n\r\nno end"):
        assert edge.swift("POST", f"{keyed}/x", body, headers, token=None).status == 400
    # A form is no way around a token: with one it is a form all the same.
    assert edge.swift("POST", keyed, b"--b--", headers, token="owner").status == 400


def test_forms_go_into_containers_that_are_there(edge: SwiftEdge, keyed: str) -> None:
    assert form(edge, f"{keyed}-none/", ("f", b"1")).status == 404
    assert form(edge, "", ("f", b"1")).status == 401
