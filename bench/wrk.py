"""Load from wrk, a C generator that is never the bottleneck, with requests signed beforehand."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
local heads, body, at, step = {}, "", 0, 1
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end
function init(args)
  local file = assert(io.open(args[1]))
  local index = 0
  for line in file:lines() do
    if index % tonumber(args[3]) == number then
      heads[#heads + 1] = (line:gsub("|", "\\r\\n")) .. "\\r\\n\\r\\n"
    end
    index = index + 1
  end
  file:close()
  if args[2] then
    local payload = assert(io.open(args[2], "rb"))
    body = payload:read("*a")
    payload:close()
  end
end
function request()
  at = at % #heads + 1
  return heads[at] .. body
end
function done(summary, latency, requests)
  io.write(string.format(
    '\\nJSON {"requests": %d, "us": %d, "failed": %d, "p50_us": %d, "p99_us": %d}\\n',
    summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read
      + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What one run of the generator saw."""

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Requests answered well, per second."""
        return max(self.requests - self.failed, 0) / self.seconds


@dataclass(frozen=True)
class Target:
    """An S3 endpoint and a key that may use it."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.endpoint).netloc


def signed_heads(
    target: Target, method: str, paths: Iterable[str], *, now: str, body: bytes
) -> list[str]:
    """Return request heads, lines joined by `|`, signed with SigV4; `now` is YYYYMMDDTHHMMSSZ.

    Source: AWS Signature Version 4, header form. Paths must need no escaping; a query, its
    parameters sorted and escaped.
    """
    day, digest = now[:8], hashlib.sha256(body).hexdigest()
    scope = f"{day}/{target.region}/s3/aws4_request"
    key = b"AWS4" + target.secret_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signed = "host;x-amz-content-sha256;x-amz-date"
    heads = []
    for path in paths:
        resource, _, query = path.partition("?")
        canonical = (
            f"{method}\n{resource}\n{query}\nhost:{target.host}\nx-amz-content-sha256:{digest}\n"
            f"x-amz-date:{now}\n\n{signed}\n{digest}"
        )
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashed}"
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        heads.append(
            f"{method} {path} HTTP/1.1|Host: {target.host}|x-amz-date: {now}|"
            f"x-amz-content-sha256: {digest}|Authorization: AWS4-HMAC-SHA256 "
            f"Credential={target.access_key}/{scope}, SignedHeaders={signed}, "
            f"Signature={signature}" + (f"|Content-Length: {len(body)}" if body else "")
        )
    return heads


def drive(
    endpoint: str, heads: list[str], *, body: bytes, clients: int, seconds: float, threads: int = 1
) -> Load:
    """Send the heads in turn, each followed by the body, over `clients` kept-alive connections.

    Raises: RuntimeError with wrk's own words where it does not run.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is missing; install it with: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="cumulog-bench-") as folder:
        script, lines, payload = (Path(folder, name) for name in ("s.lua", "heads", "body"))
        script.write_text(SCRIPT)
        lines.write_text("\n".join(heads))
        payload.write_bytes(body)
        arguments = [str(lines), str(payload), str(threads)]
        command = [wrk, "-t", str(threads), "-c", str(clients), "-d", f"{max(1, round(seconds))}s"]
        command += ["--timeout", "30s", "--latency", "-s", str(script), endpoint, "--", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("JSON "):
            seen = json.loads(line[5:])
            return Load(
                requests=seen["requests"],
                seconds=seen["us"] / 1e6,
                failed=seen["failed"],
                p50_ms=seen["p50_us"] / 1e3,
                p99_ms=seen["p99_us"] / 1e3,
            )
    raise RuntimeError(f"wrk failed: {done.stdout[-500:]}{done.stderr[-500:]}")
