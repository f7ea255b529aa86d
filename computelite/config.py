"""Every knob of a cloud: what it does, its unit, its default.

One TOML file (`--config`), flags above it, defaults below. Decoded once, unknown keys refused,
passed on explicitly. What a person would never turn is a constant in the module that uses it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from computelite.errors import WrongUsage

DAY_S = 86_400
MAX_WORKERS = 256

Seconds = Annotated[float, Meta(gt=0)]


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of the file."""


class Listen(Knobs, frozen=True, kw_only=True):
    """Where it listens; HOST:PORT, port 0 takes a free one."""

    s3: Annotated[str, Meta(description="the S3 protocol, alone on its port")] = "127.0.0.1:9000"
    domains: Annotated[
        tuple[str, ...],
        Meta(description="host names under which a bucket may be the first label: bucket.DOMAIN"),
    ] = ("localhost",)
    api: Annotated[
        str, Meta(description="everything else: identity, Swift, health; later the dashboard")
    ] = "127.0.0.1:9001"
    tls_cert: Annotated[
        str,
        Meta(description="PEM file: certificate and its chain, for both listeners; empty: HTTP"),
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file: the certificate's private key")] = ""
    metrics: Annotated[
        bool, Meta(description="answer /metrics on the API port, to whoever can reach it")
    ] = False


class Storage(Knobs, frozen=True, kw_only=True):
    """Devices and code are chosen at the first start and recorded in the data folder."""

    devices: Annotated[
        str, Meta(description="first start: how many folders to make, or DIR,DIR,... one per disk")
    ] = ""
    code: Annotated[
        str,
        Meta(description="first start: K+M, data and parity fragments"),
    ] = ""
    retention_s: Annotated[
        int, Meta(ge=0, description="seconds that replaced and deleted bytes stay, for going back")
    ] = 7 * DAY_S
    stale_upload_s: Annotated[
        int,
        Meta(ge=60, description="seconds after which an unfinished multipart upload is aborted"),
    ] = 7 * DAY_S
    sweep_s: Annotated[
        Seconds, Meta(description="seconds between two looks for bytes whose retention is over")
    ] = 60.0
    scrub_s: Annotated[
        Seconds, Meta(description="seconds in which the scrub reads everything once")
    ] = 30.0 * DAY_S


class Http(Knobs, frozen=True, kw_only=True):
    """What one client can make the cloud hold; for both listeners."""

    connections: Annotated[
        int, Meta(ge=1, description="open connections over all workers; the next one is refused")
    ] = 1000
    header_s: Annotated[
        Seconds, Meta(description="seconds for a request's line and headers to arrive")
    ] = 30.0
    body_s: Annotated[
        Seconds, Meta(description="seconds that a request's body may stall, and a reader may")
    ] = 60.0
    keepalive_s: Annotated[
        Seconds, Meta(description="seconds that an idle connection stays open")
    ] = 75.0


class Identity(Knobs, frozen=True, kw_only=True):
    """Who gets in, and for how long."""

    token_s: Annotated[int, Meta(ge=60, le=DAY_S, description="seconds that a token lives")] = 3600
    password_days: Annotated[
        int,
        Meta(ge=0, le=36_500, description="days after which a new password ends; 0: never"),
    ] = 0
    lockout_attempts: Annotated[
        int,
        Meta(ge=0, description="wrong passwords in a row after which a user is locked; 0: never"),
    ] = 10
    lockout_s: Annotated[
        int, Meta(ge=1, le=DAY_S, description="seconds that a user stays locked")
    ] = 300
    tempauth: Annotated[
        bool, Meta(description="answer /auth/v1.0 on the API port, for old Swift clients")
    ] = True


class Images(Knobs, frozen=True, kw_only=True):
    """Images that servers begin from."""

    count: Annotated[int, Meta(ge=0, description="images that a project has at most")] = 10_000
    bytes: Annotated[
        int, Meta(ge=0, description="bytes of all images of a project; 0: as storage goes")
    ] = 0
    image_bytes: Annotated[int, Meta(ge=1, description="bytes of one image")] = 1 << 40
    import_from: Annotated[
        tuple[str, ...],
        Meta(
            description="HOST:PORT that images may be fetched from although they are inside, or "
            "on another port than 80 and 443"
        ),
    ] = ()


class Processes(Knobs, frozen=True, kw_only=True):
    """How the work is spread."""

    workers: Annotated[
        int, Meta(ge=0, le=MAX_WORKERS, description="gateway processes; 0: one for each core")
    ] = 0
    drain_s: Annotated[
        Seconds, Meta(description="seconds for requests in flight to end after SIGTERM")
    ] = 30.0


class Log(Knobs, frozen=True, kw_only=True):
    """The event log."""

    url: Annotated[
        str, Meta(description="empty: SQLite in the data folder; recorded at the first start")
    ] = ""
    checkpoint_bytes: Annotated[
        int, Meta(ge=1 << 20, description="write-ahead bytes after which the keeper checkpoints")
    ] = 16 << 20


class Access(Knobs, frozen=True, kw_only=True):
    """Access records: what changes nothing, in a log of its own (cumulog access)."""

    reads: Annotated[bool, Meta(description="record what was read, by whom")] = False
    refusals: Annotated[bool, Meta(description="record who was refused what, and why")] = True
    logins: Annotated[bool, Meta(description="record logins, and those that failed")] = True
    retention_s: Annotated[
        Seconds, Meta(description="seconds that records stay; the hour that is on stays anyway")
    ] = 90.0 * DAY_S
    bytes: Annotated[
        int, Meta(ge=1 << 20, description="size of all records, beyond which the oldest go")
    ] = 1 << 30


class Config(Knobs, frozen=True, kw_only=True):
    """The whole file."""

    listen: Listen = Listen()
    storage: Storage = Storage()
    http: Http = Http()
    identity: Identity = Identity()
    images: Images = Images()
    processes: Processes = Processes()
    log: Log = Log()
    access: Access = Access()


def load_config(path: Path | None, flags: Mapping[str, object]) -> Config:
    """Return the defaults, overlaid by the file, overlaid by the flags that were given.

    `flags` are named by section and knob: {"listen.s3": "0.0.0.0:9000"}; None means not given.
    Raises:  WrongUsage that names the file, the section and the knob.
    """
    tree: dict[str, Any] = {}
    where = "the flags"
    if path is not None:
        where = str(path)
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise WrongUsage(reason=f"--config {path}: {error}") from None
    for name, value in flags.items():
        if value is None:
            continue
        section, knob = name.split(".")
        inner = tree.setdefault(section, {})
        if isinstance(inner, dict):
            inner[knob] = value
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise WrongUsage(reason=f"{where}: {error}") from None
    if bool(config.listen.tls_cert) != bool(config.listen.tls_key):
        raise WrongUsage(reason="TLS needs both a certificate and its key")
    return config


def render_config(config: Config) -> str:
    """Return the file that says the same, each knob under its explanation."""
    lines = ["# The effective configuration of this cloud; give it to --config.", ""]
    for section in msgspec.structs.fields(Config):
        knobs: Knobs = getattr(config, section.name)
        lines.append(f"[{section.name}]  # {(type(knobs).__doc__ or '').strip()}")
        for knob in msgspec.structs.fields(type(knobs)):
            lines.append(f"# {_explanation(knob.type)}; default {_toml(knob.default)}")
            lines.append(f"{knob.name} = {_toml(getattr(knobs, knob.name))}")
        lines.append("")
    return "\n".join(lines)


def _explanation(annotated: Any) -> str:
    return next(
        (m.description for m in reversed(annotated.__metadata__) if m.description is not None), ""
    )


def _toml(value: object) -> str:
    # JSON's booleans, numbers and strings are TOML's too.
    return json.dumps(value, ensure_ascii=False)
