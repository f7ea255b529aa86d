"""The one command: `cumulog COMMAND ...`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

# Each module is imported only when its command is called: `cumulog --help` answers at once.
COMMANDS = {
    "serve": "run a cloud",
    "status": "is the cloud well: processes, log, devices",
    "ring": "where objects go, and which losses are survived",
    "device": "the devices and their states",
    "scrub": "read everything and find what is damaged or missing",
    "repair": "bring damaged, missing and replaced fragments back",
    "key": "access keys: create, list, disable, enable",
    "admin": "a way in for those who have none: reset-password",
    "log": "the event log: tail, show, grep, verify, replay, views, rebuild",
    "access": "who was refused what and why, who logged in, who read: tail, grep",
    "config": "print the effective configuration",
}

USAGE = """usage: cumulog COMMAND [...]

A private cloud on one append-only event log.

{commands}

cumulog COMMAND --help explains a command, with examples. Every command takes --data DIR
(default ./cumulog-data), --log URL and --json; it exits with 0 if all is good, 1 if it found damage
or was refused, 2 if it was called wrongly.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] in (["--version"], ["-V"]):
        from importlib.metadata import version

        print(f"cumulog {version('cumulog')}")
        return 0
    if not words or words[0] in ("-h", "--help", "help"):
        print(_usage(), end="", file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] not in COMMANDS:
        print(f"cumulog: there is no command {words[0]!r}\n\n{_usage()}", end="", file=sys.stderr)
        return 2
    module = importlib.import_module(f"computelite.cli.{words[0]}")
    status: int = module.main(words[1:])
    return status


def _usage() -> str:
    lines = [f"  {name:<10}{what}" for name, what in COMMANDS.items()]
    return USAGE.format(commands="\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
