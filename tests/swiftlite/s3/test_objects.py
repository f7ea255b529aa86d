"""Objects through boto3: what is put is what is got, with all that was said about it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.swiftlite.clouds import pattern


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize("size", [0, 1, 4096, 300_000, 3 << 20])
def test_what_is_put_is_got(s3: Any, bucket: str, size: int) -> None:
    data = pattern(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=data)
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == data
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    assert got["ContentLength"] == size
    assert got["ContentType"] == "binary/octet-stream"
