"""boto3 with no settings but the endpoint and the keys, over HTTP and over TLS."""

from __future__ import annotations

import datetime
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cloud import Cloud, running

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("boto3")]


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 and its key."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


@pytest.fixture(scope="module", params=["http", "https"])
def s3(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A stock client, over each transport."""
    if request.param == "http":
        yield request.getfixturevalue("cloud").client()
        return
    folder = tmp_path_factory.mktemp("tls")
    cert, key = certificate(folder)
    with running(folder / "data", "--tls", f"{cert},{key}") as cloud:
        assert cloud.endpoint.startswith("https://")
        yield cloud.client(verify=str(cert))


def test_objects_of_all_sizes_come_back_as_they_went(s3: Any) -> None:
    s3.create_bucket(Bucket="boto-sizes")
    for size in (0, 1, 100, 4096, 65_537, 1 << 20, (1 << 20) + 1, 9_000_000):
        body = os.urandom(size)
        put = s3.put_object(Bucket="boto-sizes", Key=f"size/{size}", Body=body)
        got = s3.get_object(Bucket="boto-sizes", Key=f"size/{size}")
        assert got["Body"].read() == body
        assert got["ETag"] == put["ETag"]
        assert got["ContentLength"] == size
    listed = s3.list_objects_v2(Bucket="boto-sizes", Prefix="size/")
    assert sorted(entry["Size"] for entry in listed["Contents"])[-1] == 9_000_000


def test_a_managed_upload_goes_in_parts_and_a_managed_download_comes_back(s3: Any) -> None:
    s3.create_bucket(Bucket="boto-managed")
    body = os.urandom(1 << 20) * 21
    s3.upload_fileobj(io.BytesIO(body), "boto-managed", "in parts")
    head = s3.head_object(Bucket="boto-managed", Key="in parts")
    assert head["ETag"].endswith('-3"')
    back = io.BytesIO()
    s3.download_fileobj("boto-managed", "in parts", back)
    assert back.getvalue() == body
    part = s3.get_object(Bucket="boto-managed", Key="in parts", PartNumber=2)
    assert part["Body"].read() == body[8 << 20 : 16 << 20]
    assert part["PartsCount"] == 3


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_stored_returned_and_enforced(s3: Any, algorithm: str) -> None:
    bucket = f"boto-sum-{algorithm.lower()}"
    s3.create_bucket(Bucket=bucket)
    put = s3.put_object(Bucket=bucket, Key="a", Body=b"summed", ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert f"Checksum{algorithm}" not in s3.head_object(Bucket=bucket, Key="a")
    wrong = put[f"Checksum{algorithm}"]
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="b", Body=b"other", **{f"Checksum{algorithm}": wrong})
    assert refused.value.response["Error"]["Code"] == "BadDigest"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="b")


def test_metadata_and_system_headers_come_back(s3: Any) -> None:
    s3.create_bucket(Bucket="boto-meta")
    said = {
        "ContentType": "text/x-cumulog",
        "CacheControl": "max-age=7",
        "ContentDisposition": 'attachment; filename="x.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "Metadata": {"colour": "blue", "shape": "round"},
    }
    s3.put_object(Bucket="boto-meta", Key="a", Body=b"not really gzip", **said)
    head = s3.head_object(Bucket="boto-meta", Key="a")
    assert {name: head[name] for name in said} == said
    assert s3.get_object(Bucket="boto-meta", Key="a")["Body"].read() == b"not really gzip"
    s3.copy_object(Bucket="boto-meta", Key="b", CopySource={"Bucket": "boto-meta", "Key": "a"})
    head = s3.head_object(Bucket="boto-meta", Key="b")
    assert {name: head[name] for name in said} == said


def test_versions_are_kept_listed_read_and_deleted(s3: Any) -> None:
    s3.create_bucket(Bucket="boto-versions")
    first = s3.put_object(Bucket="boto-versions", Key="a", Body=b"unversioned")
    assert "VersionId" not in first
    s3.put_bucket_versioning(Bucket="boto-versions", VersioningConfiguration={"Status": "Enabled"})
    second = s3.put_object(Bucket="boto-versions", Key="a", Body=b"second")["VersionId"]
    marker = s3.delete_object(Bucket="boto-versions", Key="a")
    assert marker["DeleteMarker"] is True
    with pytest.raises(ClientError) as gone:
        s3.get_object(Bucket="boto-versions", Key="a")
    assert gone.value.response["Error"]["Code"] == "NoSuchKey"
    listed = s3.list_object_versions(Bucket="boto-versions")
    assert [entry["VersionId"] for entry in listed["Versions"]] == [second, "null"]
    assert [entry["VersionId"] for entry in listed["DeleteMarkers"]] == [marker["VersionId"]]
    old = s3.get_object(Bucket="boto-versions", Key="a", VersionId="null")
    assert old["Body"].read() == b"unversioned"
    s3.delete_object(Bucket="boto-versions", Key="a", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket="boto-versions", Key="a")["Body"].read() == b"second"
    s3.delete_object(Bucket="boto-versions", Key="a", VersionId=second)
    assert s3.get_object(Bucket="boto-versions", Key="a")["Body"].read() == b"unversioned"


def test_conditional_writes_are_decided_by_the_server(s3: Any) -> None:
    s3.create_bucket(Bucket="boto-if")
    etag = s3.put_object(Bucket="boto-if", Key="lock", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="boto-if", Key="lock", Body=b"2", IfNoneMatch="*")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    s3.put_object(Bucket="boto-if", Key="lock", Body=b"3", IfMatch=etag)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="boto-if", Key="lock", Body=b"4", IfMatch=etag)
    assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
    assert s3.get_object(Bucket="boto-if", Key="lock")["Body"].read() == b"3"


def test_listing_pages_with_prefixes_and_odd_names(s3: Any) -> None:
    s3.create_bucket(Bucket="boto-list")
    names = [f"a/{n}" for n in range(7)] + ["b/ü", "b/+ &", "c\n\x01d", "z<>&\"'", "..", "a//x"]
    for name in names:
        s3.put_object(Bucket="boto-list", Key=name, Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="boto-list", PaginationConfig={"PageSize": 3}
    )
    listed = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    assert listed == sorted(names, key=str.encode)
    top = s3.list_objects_v2(Bucket="boto-list", Delimiter="/")
    assert [entry["Prefix"] for entry in top["CommonPrefixes"]] == ["a/", "b/"]
    s3.delete_object(Bucket="boto-list", Key="c\n\x01d")  # no XML document can name this one
    names.remove("c\n\x01d")
    done = s3.delete_objects(
        Bucket="boto-list", Delete={"Objects": [{"Key": name} for name in names]}
    )
    assert len(done["Deleted"]) == len(names)
    assert "Contents" not in s3.list_objects_v2(Bucket="boto-list")


def test_an_unimplemented_call_is_refused_as_such(s3: Any) -> None:
    s3.create_bucket(Bucket="boto-not-yet")
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_website(
            Bucket="boto-not-yet",
            WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}},
        )
    assert refused.value.response["Error"]["Code"] == "NotImplemented"


def test_an_anonymous_and_a_forged_request_are_refused(cloud: Cloud) -> None:
    import botocore
    from botocore.config import Config

    anonymous = cloud.client(config=Config(signature_version=botocore.UNSIGNED))
    with pytest.raises(ClientError) as refused:
        anonymous.list_buckets()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    forged = cloud.client(aws_secret_access_key="not the secret")
    with pytest.raises(ClientError) as refused:
        forged.list_buckets()
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
