"""Access keys checked for services: only with a verified body, and never for strangers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from computelite.identity.commands.access_keys import create_access_key, draw_key
from computelite.identity.tokens import open_token
from eventlog.clock import SystemIds
from eventlog.log import Actor
from tests.computelite.keystone.house import House, by_password, by_token, project

ME = Actor(id="test")


async def key_of(house: House, user_id: str, project_id: str, **limits: Any) -> tuple[str, str]:
    """Make an access key, with limits that S3 keeps."""
    issued = draw_key(SystemIds())
    await create_access_key(
        house.first.log,
        house.first.keystore,
        issued,
        user_id=user_id,
        project_id=project_id,
        actor=ME,
        **limits,
    )
    return issued.key_id, issued.secret.reveal()


def signed(key: tuple[str, str], body: bytes = b"Action=DescribeInstances") -> dict[str, Any]:
    """Return a request that boto signed, as a service hands it on."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": "ec2.example:8773"}
    request = AWSRequest(method="POST", url="http://ec2.example:8773/", data=body, headers=headers)
    SigV4Auth(Credentials(*key), "ec2", "RegionOne").add_auth(request)
    sent = dict(request.headers.items())
    return {
        "access": key[0],
        "signature": sent["Authorization"].split("Signature=")[1],
        "host": "ec2.example:8773",
        "verb": "POST",
        "path": "/",
        "params": {},
        "headers": sent,
        "body_hash": hashlib.sha256(body).hexdigest(),
    }


def presigned(key: tuple[str, str]) -> dict[str, Any]:
    """Return a presigned URL of S3, told as if a service had received it."""
    client = boto3.client(
        "s3",
        endpoint_url="http://s3.example",
        region_name="us-east-1",
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
        config=Config(signature_version="s3v4"),
    )
    url = urlsplit(client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}))
    params = dict(parse_qsl(url.query))
    return {
        "access": key[0],
        "signature": params["X-Amz-Signature"],
        "host": url.netloc,
        "verb": "GET",
        "path": url.path,
        "params": params,
        "headers": {"Host": url.netloc},
        "body_hash": "UNSIGNED-PAYLOAD",
    }


def string_to_sign(key: tuple[str, str], *, at: str | None = None) -> dict[str, Any]:
    """Return what /v3/s3tokens takes."""
    stamp = at or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, "0" * 64))
    secret = b"AWS4" + key[1].encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    return {
        "access": key[0],
        "token": base64.urlsafe_b64encode(text.encode()).decode(),
        "signature": hmac.digest(secret, text.encode(), "sha256").hex(),
    }


async def ask(house: House, path: str, shown: Any, token: str | None = "") -> Any:
    who = house.token if token == "" else token
    return await house.send("POST", path, {"credentials": shown}, token=who)


@pytest.mark.parametrize("member", ["credentials", "credential", "ec2Credentials"])
async def test_a_signed_request_with_its_body_gives_its_owners_token(
    house: House, member: str
) -> None:
    ann, of_ann = await house.person("ann")
    key = await key_of(house, ann, of_ann)
    answer = await house.send("POST", "/ec2tokens", {member: signed(key)}, token=house.token)
    assert answer.status == 200, answer.text
    token = answer.json["token"]
    assert token["methods"] == ["ec2credential"]
    assert (token["user"]["id"], token["project"]["id"]) == (ann, of_ann)
    seen = await house.first.storage.bearer(answer.headers["X-Subject-Token"])
    assert seen is not None
    assert (seen.user_id, seen.project_id, seen.roles) == (ann, of_ann, ("member", "reader"))


async def test_the_token_of_a_key_is_not_for_keystone(house: House) -> None:
    key = await key_of(house, house.admin_id, house.admin_project)
    answer = await ask(house, "/ec2tokens", signed(key))
    token = answer.headers["X-Subject-Token"]
    assert (await house.send("GET", "/users", token=token)).status == 403
    assert (await house.send("GET", "/auth/projects", token=token)).status == 403
    assert (await house.login(by_token(token), "unscoped")).status == 403
    subject = {"X-Subject-Token": token}
    answer = await house.send("GET", "/auth/tokens", token=house.token, headers=subject)
    assert answer.status == 200


async def test_strangers_and_mere_users_are_refused(house: House) -> None:
    ann, of_ann = await house.person("ann", role="manager")
    ben, of_ben = await house.person("ben", role="service")
    key = await key_of(house, ann, of_ann)
    for path, shown in (("/ec2tokens", signed(key)), ("/s3tokens", string_to_sign(key))):
        own = await house.first.token(by_password(ann), project(of_ann))
        service = await house.first.token(by_password(ben), project(of_ben))
        for token, status in ((None, 401), ("x" * 100, 401), (own, 403), (service, 200)):
            assert (await ask(house, path, shown, token)).status == status


async def test_a_presigned_url_is_worth_no_token(house: House) -> None:
    key = await key_of(house, house.admin_id, house.admin_project)
    shown = presigned(key)
    hashed = {**shown, "body_hash": hashlib.sha256(b"").hexdigest()}
    claimed = {
        **hashed,
        "headers": {
            **shown["headers"],
            "X-Amz-Date": shown["params"]["X-Amz-Date"],
            "Authorization": "AWS4-HMAC-SHA256 "
            f"Credential={shown['params']['X-Amz-Credential']}, SignedHeaders=host, "
            f"Signature={shown['signature']}",
        },
    }
    for told in (shown, hashed, claimed, {**claimed, "params": {}}):
        assert (await ask(house, "/ec2tokens", told, None)).status == 401
        answer = await ask(house, "/ec2tokens", told)
        assert answer.status == 401
        assert "X-Subject-Token" not in answer.headers


async def test_any_change_of_a_signed_request_is_refused(house: House) -> None:
    key = await key_of(house, house.admin_id, house.admin_project)
    good = signed(key)
    assert (await ask(house, "/ec2tokens", good)).status == 200
    headers = good["headers"]
    other = hashlib.sha256(b"Action=TerminateInstances").hexdigest()
    for change in (
        {"body_hash": other},
        {"body_hash": ""},
        {"body_hash": "UNSIGNED-PAYLOAD"},
        {"verb": "PUT"},
        {"path": "/x"},
        {"signature": "0" * 64},
        {"signature": ""},
        {"access": house.root.key_id},
        {"access": "nobody"},
        {"headers": {}},
        {"headers": {**headers, "X-Amz-Security-Token": "x"}},
        {"headers": {**headers, "X-Amz-Content-SHA256": other}},
        {"headers": {**headers, "Host": "other.example"}},
        {"headers": {**headers, "X-Amz-Date": "20200101T000000Z"}},
        {"headers": {**headers, "Authorization": headers["Authorization"] + ", Credential=x"}},
        {"headers": {k: v for k, v in headers.items() if k != "Host"}},
    ):
        answer = await ask(house, "/ec2tokens", {**good, **change})
        assert answer.status == 401, change


async def test_an_old_signature_is_refused(house: House) -> None:
    key = await key_of(house, house.admin_id, house.admin_project)
    shown, text = signed(key), string_to_sign(key)
    house.clock.ahead_s += 301
    assert (await ask(house, "/ec2tokens", shown)).status == 401
    assert (await ask(house, "/s3tokens", text)).status == 401


async def test_a_key_with_limits_or_asleep_is_worth_no_token(house: House) -> None:
    ann, of_ann = await house.person("ann")
    for limits in ({"bucket": "photos"}, {"read_only": True}):
        key = await key_of(house, ann, of_ann, **limits)
        assert (await ask(house, "/ec2tokens", signed(key))).status == 401
        assert (await ask(house, "/s3tokens", string_to_sign(key))).status == 401
    key = await key_of(house, ann, of_ann)
    assert (await ask(house, "/ec2tokens", signed(key))).status == 200
    await house.change("PATCH", f"/users/{ann}", {"user": {"enabled": False}})
    assert (await ask(house, "/ec2tokens", signed(key))).status == 401


async def test_a_key_made_with_an_application_credential_keeps_its_limits(house: House) -> None:
    ann, of_ann = await house.person("ann", role="manager")
    owner = await house.first.token(by_password(ann), project(of_ann))
    robot = {"name": "r", "roles": [{"name": "reader"}], "unrestricted": True}
    answer = await house.send(
        "POST",
        f"/users/{ann}/application_credentials",
        {"application_credential": robot},
        token=owner,
    )
    made = answer.json["application_credential"]
    key = await key_of(house, ann, of_ann, application_credential_id=made["id"])
    answer = await ask(house, "/ec2tokens", signed(key))
    assert [role["name"] for role in answer.json["token"]["roles"]] == ["reader"]
    record = open_token(answer.headers["X-Subject-Token"], house.first.keystore)
    assert record is not None
    assert record.credential_id == made["id"]


async def test_s3tokens_tells_whose_key_it_was_and_gives_no_token(house: House) -> None:
    ann, of_ann = await house.person("ann")
    key = await key_of(house, ann, of_ann)
    answer = await ask(house, "/s3tokens", string_to_sign(key))
    assert answer.status == 200, answer.text
    assert answer.json["token"]["user"]["id"] == ann
    assert "X-Subject-Token" not in answer.headers
    good = string_to_sign(key)
    for change in ({"signature": "0" * 64}, {"token": "!"}, {"token": ""}, {"token": "QQ=="}):
        assert (await ask(house, "/s3tokens", {**good, **change})).status == 401


async def test_a_body_that_cannot_be_understood_is_400(house: House) -> None:
    for document in ({}, {"credentials": {}}, {"credentials": {"access": 7}}, {"credentials": []}):
        for path in ("/ec2tokens", "/s3tokens"):
            answer = await house.send("POST", path, document, token=house.token)
            assert answer.status == 400, (path, document)
