"""`cumulog config`: the effective configuration, as a file that --config takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from computelite.cli.command import GOOD, add_common, parser, run
from computelite.config import load_config, render_config
from computelite.folder import Folder, new_record

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
        print(
            json.dumps(msgspec.to_builtins(config), indent=2)
            if args.json
            else render_config(config)
        )
        return GOOD

    return run(args, work)
