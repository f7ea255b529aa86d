"""`cumulog serve` as an operator meets it: starts, refusals, deaths, ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cloud import Cloud, descendants, pss_bytes, running
from tests.swiftlite.s3.edge import tls_context


def serve(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a `serve` that is expected to refuse."""
    return subprocess.run(
        [sys.executable, "-m", "computelite", "serve", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | (env or {}),
        check=False,
    )


def processes(cloud: Cloud) -> dict[str, int]:
    """Return the children by name: w1, w2, keeper."""
    found = {}
    for pid in descendants(cloud.pid):
        with contextlib.suppress(FileNotFoundError):
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            found[name.removeprefix("cumulog-")] = pid
    return found


def wait_until(true: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


FREE = ("--s3", "127.0.0.1:0", "--api", "127.0.0.1:0")


def test_the_ready_line_names_the_real_ports_and_credentials_follow(cloud: Cloud) -> None:
    _, s3, api = cloud.ready.split()
    assert cloud.credentials["AWS_ENDPOINT_URL_S3"] == s3.removeprefix("s3=")
    assert cloud.credentials["OS_AUTH_URL"] == api.removeprefix("api=") + "/identity/v3"
    assert not s3.endswith(":0")
    assert f'"{cloud.credentials["OS_AUTH_URL"]}"' in (cloud.data / "clouds.yaml").read_text()


def test_it_says_which_losses_are_survived(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--devices", "3", "--code", "4+2", "--workers", "1") as cloud:
        said = "code 4+2 on 3 devices: with every device up, it survives the loss of any 1 device"
        assert said in cloud.log.read_text()


def test_a_ring_that_survives_no_loss_is_warned_of(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--devices", "1", "--code", "1+1", "--workers", "1") as cloud:
        assert "NO DEVICE MAY BE LOST" in cloud.log.read_text()
        assert "NO DEVICE MAY BE LOST" in cloud.cli("status").stdout


def test_what_holds_a_secret_is_its_owner_s_only(cloud: Cloud) -> None:
    assert stat.S_IMODE(cloud.data.stat().st_mode) == 0o700
    for name in ("credentials.env", "clouds.yaml", "cumulog.json", "control.sock", "log.db"):
        assert stat.S_IMODE((cloud.data / name).stat().st_mode) & 0o077 == 0, name


def test_a_second_serve_on_the_folder_is_refused_and_the_first_goes_on(cloud: Cloud) -> None:
    done = serve("--data", str(cloud.data), *FREE)
    assert done.returncode == 1
    assert f"in use by another cumulog process (process {cloud.pid})" in done.stderr
    cloud.client().list_buckets()


def test_a_second_cloud_on_the_ports_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    taken = urlsplit(cloud.endpoint).netloc
    done = serve("--data", str(tmp_path / "data"), "--s3", taken, "--api", "127.0.0.1:0")
    assert done.returncode == 2
    assert f"--s3: cannot listen on {taken}: Address already in use" in done.stderr
    assert "choose another with --s3" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_cannot_be_made_is_one_line_and_no_traceback() -> None:
    done = serve("--data", "/proc/nope", *FREE)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["cumulog: /proc/nope: No such file or directory"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--log", "postgresql://localhost/cumulog"), "not yet"),
        (("--code", "4-2"), "--code 4-2: K+M"),
        (("--devices", "0"), "--devices 0: a number from 1 to 1000"),
        (("--devices", "-1"), "--devices -1"),
        (("--devices", __file__), "is no folder"),
        (("--s3", "9000"), "--s3 9000: an address is HOST:PORT"),
        (("--tls", "cert.pem"), "two files, CERT,KEY"),
        (("--tls", "nowhere.pem,nowhere.key"), "--tls: nowhere.pem: No such file"),
        (("--tls", f"{__file__},{__file__}"), f"--tls: {__file__} has no certificate"),
        (("--s3", "127.0.0.1:1", "--api", "127.0.0.1:1"), "the same address"),
        (("--s3", "0.0.0.0:7999", "--api", "localhost:7999"), "the same address"),
        (("--workers", "-1"), "--workers -1: a number from 1 to 256"),
        (("--config", "nowhere.toml"), "nowhere.toml"),
        (("--bogus",), "--bogus"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = serve("--data", str(tmp_path / "data"), *words)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "data").exists()
    assert "Traceback" not in done.stderr


def test_a_key_under_a_passphrase_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    tls_context(tmp_path)
    chain = (tmp_path / "tls.pem").read_bytes()
    locked = serialization.load_pem_private_key(chain, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "locked.pem").write_bytes(locked)
    pair = f"{tmp_path / 'ca.pem'},{tmp_path / 'locked.pem'}"
    done = serve("--data", str(tmp_path / "data"), "--tls", pair)
    assert (done.returncode, "--tls" in done.stderr) == (2, True), done.stderr
    assert "pass phrase" not in done.stderr


def test_a_low_limit_of_open_files_is_raised_to_what_the_connections_need(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        with running(tmp_path / "data", "--workers", "1") as cloud:
            limit, _ = resource.prlimit(processes(cloud)["w1"], resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limit >= min(hard, 1000 + 1024)


def test_a_first_start_that_gets_no_port_binds_nobody_to_its_flags(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        s3 = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ("--data", str(tmp_path / "data"), "--devices", "3", "--code", "2+1")
        assert serve(*words, "--s3", s3, "--api", "127.0.0.1:0").returncode == 2
    with running(tmp_path / "data", "--devices", "2", "--code", "1+1", "--workers", "1"):
        pass


def test_a_flag_that_contradicts_the_record_is_an_error(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--devices", "3", "--code", "2+1", "--workers", "1"):
        pass
    for flag, value, recorded in (("--devices", "4", "devices/d3"), ("--code", "3+1", "2+1")):
        done = serve("--data", str(data), flag, value, *FREE)
        assert done.returncode == 2
        assert recorded in done.stderr
        assert "cumulog.json" in done.stderr
    with running(data, "--devices", "3", "--workers", "1"):
        pass


def test_the_environment_chooses_the_root_key(tmp_path: Path) -> None:
    env = {
        "CUMULOG_ROOT_ACCESS_KEY": "minister",
        "CUMULOG_ROOT_SECRET_KEY": "a'b\"c$d`e\\f-secret",
        "CUMULOG_ADMIN_PASSWORD": "correct-horse",
    }
    data = tmp_path / "data"
    with running(data, "--workers", "1", env=env) as cloud:
        text = (data / "credentials.env").read_text()
        shell = f". {data}/credentials.env; printf '%s\\n' \"$AWS_SECRET_ACCESS_KEY\" $OS_PASSWORD"
        read = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
        assert read.stdout.split() == [env["CUMULOG_ROOT_SECRET_KEY"], "correct-horse"], text
        keys = {
            "aws_access_key_id": "minister",
            "aws_secret_access_key": env["CUMULOG_ROOT_SECRET_KEY"],
        }
        cloud.client(**keys).create_bucket(Bucket="chosen")
    with running(data, "--workers", "1") as cloud:
        assert "minister" in (data / "credentials.env").read_text()
        assert "correct-horse" in (data / "credentials.env").read_text()
        cloud.client(**keys).head_bucket(Bucket="chosen")
    done = serve("--data", str(data), *FREE, env=env | {"CUMULOG_ROOT_SECRET_KEY": "another-one"})
    assert done.returncode == 2
    assert "CUMULOG_ROOT_SECRET_KEY" in done.stderr
    assert "another-one" not in done.stderr


@pytest.mark.parametrize("victim", ["w1", "w2"])
def test_a_killed_worker_is_replaced_and_service_goes_on(cloud: Cloud, victim: str) -> None:
    client = cloud.client()
    bucket = f"killed-{victim}"
    client.create_bucket(Bucket=bucket)
    before = processes(cloud)
    os.kill(before[victim], signal.SIGKILL)
    for number in range(20):
        client.put_object(Bucket=bucket, Key=str(number), Body=b"x" * 5000)
    wait_until(lambda: processes(cloud).get(victim, before[victim]) != before[victim])
    assert len(client.list_objects_v2(Bucket=bucket)["Contents"]) == 20
    assert {k: v for k, v in processes(cloud).items() if k != victim} == {
        k: v for k, v in before.items() if k != victim
    }


def test_a_killed_keeper_is_replaced_and_answers_again(cloud: Cloud) -> None:
    before = processes(cloud)["keeper"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: processes(cloud).get("keeper", before) != before)
    wait_until(lambda: cloud.cli("status", check=None).returncode == 0)


def test_after_a_killed_supervisor_it_starts_again_at_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--workers", "2") as cloud:
        cloud.client().create_bucket(Bucket="survivor")
        children = descendants(cloud.pid)
        os.kill(cloud.pid, signal.SIGKILL)
        assert cloud.process is not None
        cloud.process.wait()
        assert cloud.process.stdout is not None
        cloud.process.stdout.close()
        again = Cloud(data, "--s3", urlsplit(cloud.endpoint).netloc).start()
        assert not any(lives(pid) for pid in children)
        again.client().head_bucket(Bucket="survivor")
        assert again.stop() == 0


def test_sigterm_finishes_the_upload_in_flight_and_exits_with_0(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--workers", "1") as cloud:
        client = cloud.client()
        client.create_bucket(Bucket="drained")
        url = urlsplit(
            client.generate_presigned_url("put_object", {"Bucket": "drained", "Key": "slow"})
        )
        upload = http.client.HTTPConnection(url.netloc, timeout=20)
        upload.putrequest("PUT", f"{url.path}?{url.query}")
        upload.putheader("Content-Length", "200000")
        upload.endheaders(b"a" * 100_000)
        time.sleep(0.3)
        ended: list[int] = []
        ending = threading.Thread(target=lambda: ended.append(cloud.stop()))
        ending.start()
        wait_until(lambda: "no new connections" in cloud.log.read_text())
        time.sleep(0.3)
        with pytest.raises(OSError, match="refused"):
            http.client.HTTPConnection(url.netloc, timeout=5).request("GET", "/")
        upload.send(b"b" * 100_000)
        assert upload.getresponse().status == 200
        upload.close()
        ending.join()
        assert ended == [0]
    with running(data, "--workers", "1") as cloud:
        body = cloud.client().get_object(Bucket="drained", Key="slow")["Body"].read()
        assert body == b"a" * 100_000 + b"b" * 100_000


def test_a_log_without_its_key_store_is_refused_not_given_a_new_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--workers", "1"):
        pass
    (data / "keystore").rename(tmp_path / "kept")
    done = serve("--data", str(data), *FREE)
    assert done.returncode == 1
    assert "key store" in done.stderr
    assert not (data / "keystore").exists()
    (tmp_path / "kept").rename(data / "keystore")
    with running(data, "--workers", "1"):
        pass


def test_devices_without_their_log_are_refused_not_given_a_new_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--workers", "1"):
        pass
    (data / "log.db").rename(tmp_path / "log.db")
    done = serve("--data", str(data), *FREE)
    assert done.returncode == 1
    assert "log.db is missing" in done.stderr
    assert not (data / "log.db").exists()


def test_devices_of_another_cloud_are_named_so_and_nothing_is_begun(tmp_path: Path) -> None:
    with running(tmp_path / "theirs", "--devices", "2", "--code", "1+1", "--workers", "1"):
        pass
    record = json.loads((tmp_path / "theirs" / "cumulog.json").read_text())
    words = ("--devices", f"{tmp_path / 'new'},{tmp_path / 'theirs' / 'devices' / 'd1'}")
    done = serve("--data", str(tmp_path / "data"), *words, "--code", "1+1", *FREE)
    assert done.returncode == 2
    assert f"belongs to cloud {record['cloud_id']}; give an empty folder" in done.stderr
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "new").exists()


def test_tls_serves_both_ports_to_a_client_that_verifies(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} "
        f"-out {cert} -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    with running(tmp_path / "data", "--workers", "1", "--tls", f"{cert},{key}") as cloud:
        assert cloud.endpoint.startswith("https://")
        client = cloud.client(verify=str(cert))
        client.create_bucket(Bucket="sealed")
        client.put_object(Bucket="sealed", Key="k", Body=b"over tls" * 1000)
        assert client.get_object(Bucket="sealed", Key="k")["Body"].read() == b"over tls" * 1000
        health = subprocess.run(
            [
                "curl",
                "-s",
                "--cacert",
                str(cert),
                cloud.ready.split("api=")[1].strip() + "/healthz",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"status": "ok"' in health.stdout
        old = subprocess.run(
            ["curl", "-s", "--tls-max", "1.1", "--cacert", str(cert), cloud.endpoint], check=False
        )
        assert old.returncode == 35


def test_the_connection_after_the_last_place_is_refused_and_active_clients_go_on(
    tmp_path: Path,
) -> None:
    config = tmp_path / "cumulog.toml"
    config.write_text("[http]\nconnections = 20\n")
    words = ("--workers", "2", "--config", str(config))
    with running(tmp_path / "data", *words) as cloud, contextlib.ExitStack() as stack:
        place = urlsplit(cloud.endpoint)
        held = []
        for _ in range(20):
            connection = http.client.HTTPConnection(place.netloc, timeout=10)
            stack.callback(connection.close)
            connection.request("GET", "/")
            assert connection.getresponse().read().startswith(b"<?xml")
            held.append(connection)
        one_more = http.client.HTTPConnection(place.netloc, timeout=10)
        stack.callback(one_more.close)
        one_more.request("GET", "/")
        refused = one_more.getresponse()
        assert (refused.status, b"SlowDown" in refused.read()) == (503, True)
        for connection in held:
            connection.request("GET", "/")
            assert connection.getresponse().status == 403
        os.kill(processes(cloud)["w1"], signal.SIGKILL)
        os.kill(processes(cloud)["w2"], signal.SIGKILL)
        wait_until(lambda: answers(place.netloc))


def answers(netloc: str) -> bool:
    connection = http.client.HTTPConnection(netloc, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 403
    except OSError:
        return False
    finally:
        connection.close()


def test_views_are_rebuilt_under_a_running_cloud(cloud: Cloud) -> None:
    client = cloud.client()
    client.create_bucket(Bucket="rebuilt")
    client.put_object(Bucket="rebuilt", Key="before", Body=b"x")
    cloud.cli("log", "rebuild", "--compare")
    client.put_object(Bucket="rebuilt", Key="after", Body=b"y")
    keys = [each["Key"] for each in client.list_objects_v2(Bucket="rebuilt")["Contents"]]
    assert keys == ["after", "before"]
    assert "all good" in cloud.cli("log", "verify").stdout


def test_at_rest_all_processes_together_fit_in_120_mb(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as cloud:
        time.sleep(1.0)
        assert pss_bytes(cloud.pid) <= 120_000_000
