"""`cumulog config`: the effective configuration, as a file that --config takes."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from computelite.cli.command import GOOD, add_common, parser, run
from computelite.config import load_config, render_config
from computelite.folder import Folder, new_record, read_record
from eventlog.shown import escaped

# What is no knob any more, or never was: comments, so that --config still takes the file.
_ENDPOINTS = {"s3": "AWS_ENDPOINT_URL_S3", "api": "OS_AUTH_URL"}

EXAMPLES = """
cumulog config > cumulog.toml
cumulog config --config cumulog.toml --json
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    top = parser("config", "Print every knob: what it does, its unit, its value.", EXAMPLES)
    top.add_argument("--config", type=Path, metavar="FILE", help="the file in use")
    add_common(top)
    args = top.parse_args(argv)

    def work() -> int:
        config = load_config(args.config, {"log.url": args.log})
        storage = config.storage
        new_record(
            Folder(args.data),
            cloud_id="",
            devices=storage.devices,
            code=storage.code,
            log=config.log.url,
        )
        facts = _facts(Folder(args.data))
        if args.json:
            shown = {**msgspec.to_builtins(config), **({"cloud": facts} if facts else {})}
            print(json.dumps(shown, indent=2))
        else:
            print("".join(f"# {name}: {_said(value)}\n" for name, value in facts.items()), end="")
            print(render_config(config))
        return GOOD

    return run(args, work)


def _facts(folder: Folder) -> dict[str, Any]:
    """Return what is recorded of the cloud in a data folder, and where it last listened."""
    if not folder.record.exists():
        return {}
    record = read_record(folder)
    facts: dict[str, Any] = {
        "recorded in": str(folder.record),
        "recorded devices": list(record.devices),
        "recorded code": record.code,
    }
    # Rewritten at each start with the real ports; of a stopped cloud they are the last ones.
    with contextlib.suppress(OSError):
        lines = folder.credentials.read_text(encoding="utf-8").splitlines()
        words = dict(line.split("=", 1) for line in lines if "=" in line)
        for name, variable in _ENDPOINTS.items():
            if variable in words:
                url = "".join(shlex.split(words[variable])).removesuffix("/identity/v3")
                facts[f"{name} at the last start"] = url
    return facts


def _said(value: object) -> str:
    return escaped(",".join(value) if isinstance(value, list) else str(value))
