"""Bulk deletes and archive uploads over real connections."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any
from urllib.parse import quote

import pytest

from swiftlite.swift import unpack
from tests.swiftlite.clouds import pattern
from tests.swiftlite.swift.edge import SwiftEdge
from tests.swiftlite.swift.test_tar import archive, info

JSON = {"Accept": "application/json"}


def delete(
    edge: SwiftEdge, *names: str, method: str = "POST", headers: dict[str, str] = JSON, **more: Any
) -> dict[str, Any]:
    body = "\n".join(names).encode()
    answer = edge.swift(method, "?bulk-delete=1", body, headers, **more)
    assert answer.status == 200, answer
    report: dict[str, Any] = json.loads(answer.body)
    return report


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("chunked", [False, True])
def test_what_is_named_is_deleted_objects_first(
    edge: SwiftEdge, box: str, method: str, chunked: bool
) -> None:
    for name in ("a", "d/b c", "é"):
        edge.swift("PUT", f"{box}/{name}", b"x")
    names = [f"/{box}", f"/{box}/a", f"{box}/{quote('d/b c')}", f"{box}/{quote('é')}", f"{box}/no"]
    report = delete(edge, *names, method=method, chunked=chunked)
    assert report == {
        "Response Status": "200 OK",
        "Response Body": "",
        "Number Deleted": 4,
        "Number Not Found": 1,
        "Errors": [],
    }
    assert edge.swift("HEAD", box).status == 404


def test_a_name_of_slashes_is_an_objects_and_no_container(edge: SwiftEdge, box: str) -> None:
    report = delete(edge, f"/{box}//")
    assert (report["Number Deleted"], report["Number Not Found"]) == (0, 1)
    assert edge.swift("PUT", f"{box}//", b"x").status == 201
    assert delete(edge, f"/{box}//")["Number Deleted"] == 1
    assert (edge.swift("HEAD", box).status, edge.names(box)) == (204, [])


def test_what_cannot_be_deleted_is_told(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/a", b"x")
    report = delete(edge, f"/{box}", f"/{box}/%FF")
    assert report["Response Status"] == "400 Bad Request"
    assert sorted(report["Errors"]) == sorted(
        [[f"/{box}/%FF", "412 Precondition Failed"], [f"/{box}", "409 Conflict"]]
    )
    assert edge.names(box) == ["a"]


def test_each_name_is_allowed_or_refused_for_itself(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/a", b"x")
    edge.swift("PUT", f"{box}-open", headers={"X-Container-Write": "q:stranger"})
    edge.swift("PUT", f"{box}-open/a", b"x")
    report = delete(edge, f"{box}/a", f"{box}-open/a", f"{box}-open", token="stranger")
    assert report["Number Deleted"] == 1
    assert sorted(report["Errors"]) == [
        [f"{box}-open", "403 Forbidden"],
        [f"{box}/a", "403 Forbidden"],
    ]
    nobody = delete(edge, f"{box}/a", token=None)
    assert nobody["Errors"] == [[f"{box}/a", "401 Unauthorized"]]
    assert edge.names(box) == ["a"]


def test_there_is_a_bound_on_names(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/a", b"x")
    report = delete(edge, *[f"{box}/a"] * 10_001)
    assert report["Response Status"] == "413 Request Entity Too Large"
    assert report["Response Body"] == "Maximum Bulk Deletes: 10000 per request"
    assert edge.names(box) == ["a"]
    assert delete(edge, "x" * 5000)["Response Body"] == "Invalid File Name"


def test_odd_requests_get_a_report(edge: SwiftEdge) -> None:
    assert delete(edge, "")["Response Body"] == "Invalid bulk delete."
    report = delete(edge, "a", headers=JSON | {"Content-Type": "application/xml"})
    assert report["Response Status"] == "406 Not Acceptable"
    plain = edge.swift("POST", "?bulk-delete", b"gone/x", {"Accept": "text/plain"})
    assert plain.body.startswith(b"Number Deleted: 0\nNumber Not Found: 1\n")
    xml = edge.swift("POST", "?bulk-delete", b"gone/x", {"Accept": "text/xml"})
    assert b"<number_not_found>1</number_not_found>" in xml.body
    refused = edge.swift("POST", "?bulk-delete", b"gone/x", {"Accept": "image/png"})
    assert b"406 Not Acceptable" in refused.body


# -- archives --------------------------------------------------------------------------------------


def extract(
    edge: SwiftEdge, path: str, data: bytes, kind: str = "tar", **more: Any
) -> dict[str, Any]:
    headers = JSON | more.pop("headers", {})
    answer = edge.swift("PUT", f"{path}?extract-archive={kind}", data, headers, **more)
    assert answer.status == 200, answer
    report: dict[str, Any] = json.loads(answer.body)
    return report


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2"])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_archives_files_become_objects(
    edge: SwiftEdge, box: str, kind: str, chunked: bool
) -> None:
    files = {"a.txt": b"a", "./d/b": pattern(70_000), "/abs": b"", "é": b"e", "n" * 300: b"n"}
    out = io.BytesIO()
    mode = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2"}[kind]
    with tarfile.open(fileobj=out, mode=mode) as made:  # type: ignore[call-overload]
        for name, data in files.items():
            made.addfile(info(name, len(data)), io.BytesIO(data))
    report = extract(edge, f"{box}/in", out.getvalue(), kind, chunked=chunked)
    assert report["Response Status"] == "201 Created"
    assert report["Number Files Created"] == 5
    assert edge.names(box) == sorted(["in/a.txt", "in/d/b", "in/abs", "in/é", "in/" + "n" * 300])
    assert edge.swift("GET", f"{box}/in/d/b").body == files["./d/b"]
    assert edge.swift("HEAD", f"{box}/in/a.txt").headers["content-type"] == "text/plain"


def test_without_a_path_the_first_folders_are_containers(edge: SwiftEdge, box: str) -> None:
    made = archive(
        (info(f"{box}/a", 1), b"1"), (info(f"{box}-new/d/b", 1), b"2"), (info("alone", 1), b"3")
    )
    assert extract(edge, "", made)["Number Files Created"] == 2
    assert edge.swift("GET", f"{box}-new/d/b").body == b"2"


def test_names_that_lead_elsewhere_and_what_is_no_file_are_not_stored(
    edge: SwiftEdge, box: str
) -> None:
    made = archive(
        (info("../victim/x", 1), b"1"),
        (info("a/../../x", 1), b"1"),
        (info("link", 0, tarfile.SYMTYPE, linkname="/etc/passwd"), b""),
        (info("hard", 0, tarfile.LNKTYPE, linkname="good"), b""),
        (info("dev", 0, tarfile.CHRTYPE), b""),
        (info("dir", 0, tarfile.DIRTYPE), b""),
        (info("sparse", 1, pax_headers={"GNU.sparse.major": "1"}), b"1"),
        (info("good", 4), b"good"),
    )
    report = extract(edge, box, made)
    assert edge.names(box) == ["good"]
    assert report["Number Files Created"] == 1
    assert report["Response Status"] == "400 Bad Request"
    assert [error[1] for error in report["Errors"]] == ["400 Bad Request"] * 3


def test_metadata_comes_from_the_archive_and_from_the_request(edge: SwiftEdge, box: str) -> None:
    attributes = {
        "SCHILY.xattr.user.meta.lunch": "burger é",
        "LIBARCHIVE.xattr.user.mime_type": "x/y",
        "SCHILY.xattr.user.other": "no",
    }
    evil = {"SCHILY.xattr.user.meta.a\r\nX-B": "1"}
    evil_value = {"SCHILY.xattr.user.meta.a": "1\r\nX-B: 2"}
    made = archive(
        (info("a", 1, pax_headers=attributes), b"1"),
        (info("b", 1, pax_headers=evil), b"1"),
        (info("c", 1, pax_headers=evil_value), b"1"),
    )
    given = {"X-Object-Meta-All": "yes", "X-Delete-After": "1000", "Content-Type": "t/t"}
    report = extract(edge, box, made, headers=given)
    assert report["Number Files Created"] == 1
    got = edge.swift("HEAD", f"{box}/a")
    assert got.headers["x-object-meta-lunch"] == "burger é"
    assert got.headers["x-object-meta-all"] == "yes"
    assert got.headers["content-type"] == "x/y"
    assert "x-delete-at" in got.headers


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", "tar"), (b"nonsense" * 100, "tar"), (b"nonsense", "tar.gz"), (b"BZh9xx", "tar.bz2")],
)
def test_what_is_no_archive_is_told(edge: SwiftEdge, box: str, data: bytes, kind: str) -> None:
    report = extract(edge, box, data, kind)
    assert report["Response Status"] == "400 Bad Request"
    assert report["Response Body"].startswith("Invalid Tar File: ")


def test_an_archive_that_is_cut_keeps_what_came_whole(edge: SwiftEdge, box: str) -> None:
    made = archive((info("a", 600), b"a" * 600), (info("b", 9000), b"b" * 9000))
    report = extract(edge, box, made[:4000])
    assert report["Response Body"] == "Invalid Tar File: unexpected end of data"
    assert edge.names(box) == ["a"]


def test_a_bomb_is_stopped(edge: SwiftEdge, box: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "FREE_BYTES", 1 << 20)
    made = gzip.compress(archive((info("zeros", 40 << 20), bytes(40 << 20))))
    report = extract(edge, box, made, "tar.gz")
    assert "times its size" in report["Response Body"]
    assert edge.names(box) == []


def test_a_format_that_is_not_known_is_refused(edge: SwiftEdge, box: str) -> None:
    assert edge.swift("PUT", f"{box}?extract-archive=zip", b"x").status == 400


def test_files_go_only_where_the_caller_may_write(edge: SwiftEdge, box: str) -> None:
    made = archive((info("a", 1), b"1"))
    for token, told in (("stranger", "403 Forbidden"), ("reader", "403 Forbidden")):
        report = extract(edge, box, made, token=token)
        assert [error[1] for error in report["Errors"]] == [told]
    report = extract(edge, box, made, token=None)
    assert report["Response Status"] == "401 Unauthorized"
    report = extract(edge, f"{box}-none", made, token="stranger")
    assert report["Number Files Created"] == 0
    assert edge.swift("HEAD", f"{box}-none").status == 404
    assert edge.names(box) == []
