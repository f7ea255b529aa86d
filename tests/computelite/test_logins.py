"""Identity in a whole running cloud: workers agree, operators help, restarts forget nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec

from computelite.folder import Folder
from computelite.keystore import MasterFile, MasterKey, open_keystore
from eventlog.clock import SystemIds
from tests.cloud import Cloud, descendants, running


def api(cloud: Cloud) -> str:
    return cloud.ready.split("api=")[1].strip()


def send(
    cloud: Cloud, method: str, path: str, document: object = None, **headers: str
) -> tuple[int, Mapping[str, str], Any]:
    """Send a request on a connection of its own: any worker may get it."""
    body = None if document is None else json.dumps(document).encode()
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(
        api(cloud) + path, method=method, data=body, headers={**lines, "Connection": "close"}
    )
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urlopen(request) as reply:
            text = reply.read()
            return reply.status, reply.headers, json.loads(text) if text else None
    except HTTPError as error:
        with error:
            text = error.read()
            is_json = error.headers.get("Content-Type") == "application/json"
            return error.code, error.headers, json.loads(text) if is_json else text


def login(cloud: Cloud, user: str = "admin", password: str = "", scoped: bool = True) -> Any:
    """Return status and token."""
    who = {
        "name": user,
        "domain": {"id": "default"},
        "password": password or cloud.credentials["OS_PASSWORD"],
    }
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": who}}}
    if scoped:
        auth["scope"] = {"project": {"name": "admin", "domain": {"id": "default"}}}
    status, headers, _ = send(cloud, "POST", "/identity/v3/auth/tokens", {"auth": auth})
    return status, headers.get("X-Subject-Token", "")


def as_admin(cloud: Cloud, token: str, method: str, path: str, document: object = None) -> Any:
    """Do something that must work; return what the answer says."""
    status, _, found = send(cloud, method, f"/identity/v3{path}", document, X_Auth_Token=token)
    assert status in (200, 201, 204), found
    return found


def typed(cloud: Cloud, line: bytes) -> int:
    """Type a line into `cumulog admin reset-password --stdin`; return its exit status."""
    command = [sys.executable, "-m", "computelite", "admin", "reset-password", "--stdin"]
    done = subprocess.run(
        [*command, "--data", str(cloud.data)], input=line, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr
    return done.returncode


def made_by(cloud: Cloud, token: str) -> str:
    """Return the id of a token's user."""
    path = "/identity/v3/auth/tokens"
    _, _, found = send(cloud, "GET", path, X_Auth_Token=token, X_Subject_Token=token)
    return str(found["token"]["user"]["id"])


def use(cloud: Cloud, token: str) -> set[int]:
    """Return the statuses that the workers give a token."""
    return {
        send(cloud, "GET", "/identity/v3/auth/projects", X_Auth_Token=token)[0] for _ in range(12)
    }


def test_what_one_worker_issued_and_another_revoked_every_worker_knows(cloud: Cloud) -> None:
    for _ in range(4):
        status, token = login(cloud)
        assert status == 201
        assert use(cloud, token) == {200}
        status, _, _ = send(
            cloud,
            "DELETE",
            "/identity/v3/auth/tokens",
            X_Auth_Token=token,
            X_Subject_Token=token,
        )
        assert status == 204
        assert use(cloud, token) == {401}


def test_what_was_done_at_identity_is_in_the_log_with_who_and_from_where(cloud: Cloud) -> None:
    _, token = login(cloud)
    document = {"project": {"name": "told", "domain_id": "default"}}
    status, headers, made = send(
        cloud, "POST", "/identity/v3/projects", document, X_Auth_Token=token, User_Agent="teller/1"
    )
    assert status == 201
    user_id = made_by(cloud, token)
    found = cloud.cli("log", "grep", "--actor", user_id, "--json")
    assert made["project"]["id"] in found.stdout
    assert headers["X-Openstack-Request-Id"] in found.stdout
    assert "127.0.0.1" in found.stdout
    assert "teller/1" in found.stdout


def test_old_clients_log_in_unless_the_configuration_says_no(cloud: Cloud, tmp_path: Path) -> None:
    key = cloud.credentials["OS_PASSWORD"]
    status, headers, _ = send(cloud, "GET", "/auth/v1.0", X_Auth_User="admin:admin", X_Auth_Key=key)
    assert status == 200
    assert headers["X-Storage-Url"].startswith(f"{api(cloud)}/v1/AUTH_")
    assert use(cloud, headers["X-Auth-Token"]) == {200}
    config = tmp_path / "cumulog.toml"
    config.write_text("[identity]\ntempauth = false\n")
    with running(tmp_path / "data", "--workers", "1", "--config", str(config)) as other:
        assert send(other, "GET", "/auth/v1.0")[0] == 404


def test_an_operator_resets_a_password_on_a_running_and_on_a_stopped_cloud(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "data", "--workers", "2") as cloud:
        first = cloud.credentials["OS_PASSWORD"]
        _, token = login(cloud)
        said = cloud.cli("admin", "reset-password").stdout
        second = cloud.credentials["OS_PASSWORD"]
        assert f"OS_PASSWORD={second}" in said
        assert second != first
        assert second in (cloud.data / "clouds.yaml").read_text()
        assert use(cloud, token) == {401}
        assert {login(cloud, password=first)[0] for _ in range(4)} == {401}
        assert login(cloud)[0] == 201
        done = cloud.cli("admin", "reset-password", "--user", "nobody", check=1)
        assert "no user nobody" in done.stderr
        cloud.cli("admin", "reset-password", "--domain", "nowhere", check=2)
        cloud.stop()
        done = cloud.cli("admin", "reset-password", "--json")
        assert json.loads(done.stdout)["password"] == cloud.credentials["OS_PASSWORD"]
        cloud.start()
        assert login(cloud, password=second)[0] == 401
        assert login(cloud)[0] == 201


def test_the_locked_out_get_in_again(tmp_path: Path) -> None:
    config = tmp_path / "cumulog.toml"
    config.write_text("[identity]\nlockout_attempts = 3\n")
    options = ("--workers", "2", "--config", str(config))
    with running(tmp_path / "data", *options) as cloud:
        for _ in range(4):
            assert login(cloud, password="wrong")[0] == 401
        assert login(cloud)[0] == 401
        cloud.stop()
        cloud.start()
        assert login(cloud)[0] == 401
        cloud.cli("admin", "reset-password")
        assert login(cloud)[0] == 201


def test_an_admin_who_locked_everybody_out_is_made_anew(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as cloud:
        status, token = login(cloud)
        assert status == 201
        me = as_admin(cloud, token, "GET", "/users?name=admin")["users"][0]["id"]
        project = as_admin(cloud, token, "GET", "/projects?name=admin")["projects"][0]["id"]
        as_admin(cloud, token, "PATCH", "/domains/default", {"domain": {"name": "Home"}})
        as_admin(cloud, token, "PATCH", f"/projects/{project}", {"project": {"enabled": False}})
        assert use(cloud, token) == {401}
        cloud.cli("admin", "reset-password")
        status, token = login(cloud)
        assert status == 201
        as_admin(cloud, token, "DELETE", f"/users/{me}")
        assert login(cloud)[0] == 401
        cloud.stop()
        cloud.cli("admin", "reset-password")
        cloud.start()
        status, token = login(cloud)
        assert status == 201
        again = as_admin(cloud, token, "GET", "/users?name=admin")["users"][0]["id"]
        assert again != me
        held = as_admin(cloud, token, "GET", "/role_assignments?include_names")["role_assignments"]
        mine = [one for one in held if one["user"]["id"] == again]
        assert {tuple(one["scope"]) for one in mine} == {("project",), ("system",)}
        assert {one["role"]["name"] for one in mine} == {"admin"}


def test_a_password_that_is_typed_is_any_that_can_be_typed(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as cloud:
        for line, code in ((b"\xff\xfe\n", 2), (b"a\x00b\n", 2), (b"a\x1b[2Jb\n", 2), (b"\n", 2)):
            assert typed(cloud, line) == code, line
        assert login(cloud)[0] == 201
        password = "Zoé \u2028 'quoted' \N{PILE OF POO}"
        assert typed(cloud, f"{password}\r\n".encode()) == 0
        cloud.stop()
        cloud.start()
        assert login(cloud, password=password)[0] == 201


def test_tokens_outlive_workers_restarts_and_a_new_master_key(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as cloud:
        _, token = login(cloud)
        assert use(cloud, token) == {200}
        cloud.kill()
        cloud.start()
        assert use(cloud, token) == {200}
        cloud.stop()
        master = Folder(cloud.data).keystore / "master.json"
        file = msgspec.json.decode(master.read_bytes(), type=MasterFile)
        ids = SystemIds()
        newer = MasterKey(id=ids.random(4), key=ids.random(32))
        both = MasterFile(format=file.format, keys=(*file.keys, newer))
        master.write_bytes(msgspec.json.encode(both))
        assert open_keystore(master.parent, ids)
        cloud.start()
        assert use(cloud, token) == {200}
        _, later = login(cloud)
        assert use(cloud, later) == {200}


def test_no_password_and_no_token_is_in_what_the_cloud_writes(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as cloud:
        _, token = login(cloud)
        login(cloud, password="a-wrong-password")
        password = cloud.credentials["OS_PASSWORD"]
        pids = [cloud.pid, *descendants(cloud.pid)]
        told = cloud.log.read_text() + cloud.cli("log", "tail", "--json").stdout
        told += "".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in pids)
        stored = b"".join(path.read_bytes() for path in cloud.data.glob("log.db*"))
        for secret in (password, "a-wrong-password", token):
            assert secret not in told
            assert secret.encode() not in stored
