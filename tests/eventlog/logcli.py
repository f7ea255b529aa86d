"""The log's commands on a log of the tests: python -m tests.eventlog.logcli VERB ... --data LOG."""

import argparse
import sys
from pathlib import Path

from eventlog.cli import register
from eventlog.testing import Counter


def main(words):
    parser = argparse.ArgumentParser(prog="cumulog log")
    verbs = parser.add_subparsers(required=True)
    register(verbs, add_common=add_common, path=lambda args: args.data, views=lambda: [Counter()])
    args = parser.parse_args(words)
    return args.run(args)


def add_common(parser):
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
