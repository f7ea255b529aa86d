"""Quotas of containers and accounts: who sets them, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.swiftlite.swift.edge import SwiftEdge

NUMBERS = ("X-Container-Meta-Quota-Bytes", "X-Container-Meta-Quota-Count")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_container_holds_no_more_bytes_than_its_quota(
    edge: SwiftEdge, box: str, chunked: bool
) -> None:
    edge.swift("POST", box, b"", {"X-Container-Meta-Quota-Bytes": "10"})
    assert edge.swift("PUT", f"{box}/a", b"x" * 6, chunked=chunked).status == 201
    assert edge.swift("PUT", f"{box}/b", b"x" * 5, chunked=chunked).status == 413
    assert edge.swift("PUT", f"{box}/b", b"x" * 4, chunked=chunked).status == 201
    assert edge.swift("COPY", f"{box}/a", headers={"Destination": f"{box}/c"}).status == 413
    assert edge.names(box) == ["a", "b"]


def test_a_container_holds_no_more_objects_than_its_quota(edge: SwiftEdge, box: str) -> None:
    edge.swift("POST", box, b"", {"X-Container-Meta-Quota-Count": "1"})
    assert edge.swift("PUT", f"{box}/a", b"").status == 201
    assert edge.swift("PUT", f"{box}/b", b"").status == 413
    edge.swift("POST", box, b"", {"X-Container-Meta-Quota-Count": ""})
    assert edge.swift("PUT", f"{box}/b", b"").status == 201


@pytest.mark.parametrize("header", NUMBERS)
@pytest.mark.parametrize("value", ["x", "-1", "1.5", "٣", "1 0"])
def test_a_quota_is_a_number(edge: SwiftEdge, box: str, header: str, value: str) -> None:
    assert edge.swift("POST", box, b"", {header: value}).status == 400
    assert edge.swift("PUT", f"{box}-new", b"", {header: value}).status == 400
    assert edge.swift("HEAD", f"{box}-new").status == 404


def test_an_account_s_quota_is_a_reseller_s_to_set(edge: SwiftEdge) -> None:
    own = {"account": "AUTH_q", "token": "stranger"}
    reseller = {"account": "AUTH_q", "token": "reseller"}
    edge.swift("PUT", "quota-box", **own)
    for header in (
        "X-Account-Meta-Quota-Bytes",
        "X-Account-Quota-Bytes",
        "X-Account-Quota-Count",
        "X-Account-Quota-Bytes-Policy-Policy-0",
    ):
        removal = header.replace("X-", "X-Remove-", 1)
        assert edge.swift("POST", "", b"", {header: "10"}, **own).status == 403
        assert edge.swift("POST", "", b"", {removal: "x"}, **own).status == 403
        assert edge.swift("POST", "", b"", {header: "ten"}, **reseller).status == 400
        assert edge.swift("POST", "", b"", {header: "0"}, **reseller).status == 204
        assert edge.swift("HEAD", "", **own).headers[header.lower()] == "0"
        assert edge.swift("PUT", "quota-box/o", b"x", **own).status == 413
        assert edge.swift("PUT", "quota-box/o", b"x", **reseller).status == 201
        edge.swift("DELETE", "quota-box/o", **own)
        assert edge.swift("POST", "", b"", {removal: "x"}, **reseller).status == 204
        assert edge.swift("PUT", "quota-box/o", b"x", **own).status == 201
        edge.swift("DELETE", "quota-box/o", **own)


def test_an_account_s_quota_counts_all_its_containers(edge: SwiftEdge) -> None:
    account = {"account": "AUTH_full", "token": "reseller"}
    for box in ("one", "two"):
        edge.swift("PUT", box, **account)
        edge.swift("POST", box, b"", {"X-Container-Write": "p:owner"}, **account)
    edge.swift("POST", "", b"", {"X-Account-Quota-Bytes": "10"}, **account)
    put = {"account": "AUTH_full", "token": "owner"}
    assert edge.swift("PUT", "one/o", b"x" * 6, **put).status == 201
    assert edge.swift("PUT", "two/o", b"x" * 5, **put).status == 413
    assert edge.swift("PUT", "two/o", b"x" * 4, **put).status == 201


def refused(ask: Any, **what: Any) -> None:
    with pytest.raises(ClientError) as error:
        ask(**what)
    assert error.value.response["Error"]["Code"] == "QuotaExceeded"


def test_a_quota_holds_for_s3_as_well(edge: SwiftEdge, box: str) -> None:
    s3 = edge.client()
    at = {"Bucket": box, "Key": "b"}
    upload = s3.create_multipart_upload(**at)["UploadId"]
    part = {**at, "UploadId": upload, "PartNumber": 1}
    small = s3.upload_part(**part, Body=b"x" * 6)["ETag"]
    edge.swift("POST", box, b"", {"X-Container-Meta-Quota-Bytes": "10"})
    s3.put_object(Bucket=box, Key="a", Body=b"x" * 6)
    refused(s3.put_object, **at, Body=b"x" * 5)
    refused(s3.copy_object, **at, CopySource=f"{box}/a")
    refused(s3.upload_part, **part, Body=b"x" * 5)
    refused(s3.upload_part_copy, **part, CopySource=f"{box}/a")
    whole = {"Parts": [{"PartNumber": 1, "ETag": small}]}
    refused(s3.complete_multipart_upload, **at, UploadId=upload, MultipartUpload=whole)
    assert edge.names(box) == ["a"]
    edge.swift("POST", box, b"", {"X-Container-Meta-Quota-Bytes": "12"})
    done = {**at, "UploadId": upload, "MultipartUpload": whole}
    made = s3.complete_multipart_upload(**done)
    edge.swift("POST", box, b"", {"X-Container-Meta-Quota-Count": "1"})
    assert s3.complete_multipart_upload(**done)["ETag"] == made["ETag"]


def test_an_account_s_quota_holds_for_s3_as_well(edge: SwiftEdge, box: str) -> None:
    used = int(edge.swift("HEAD").headers["x-account-bytes-used"])
    quota = {"X-Account-Quota-Bytes": str(used + 10)}
    assert edge.swift("POST", "", headers=quota, token="reseller").status == 204
    try:
        s3 = edge.client()
        refused(s3.put_object, Bucket=box, Key="a", Body=b"x" * 11)
        s3.put_object(Bucket=box, Key="a", Body=b"x" * 10)
    finally:
        gone = {"X-Remove-Account-Quota-Bytes": "x"}
        assert edge.swift("POST", "", headers=gone, token="reseller").status == 204
