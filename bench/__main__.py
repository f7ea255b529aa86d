"""python -m bench: the figures, one benchmark at a time or all of them."""

from __future__ import annotations

import argparse
import importlib
import sys

from bench import report

BENCHMARKS = {
    "append": "durable appends to the log, beside a bare batched insert of the same rows",
    "replay": "folding and rebuilding views, beside a bare upsert of the same rows",
    "coding": "erasure coding, every codec that is there",
    "put-get": "small and large objects through S3, beside nginx and bare grouped syncs",
    "listing": "a page of a listing at growing numbers of keys",
    "tokens": "logins of many clients at once, beside bare Argon2id and nginx",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks that were asked for and show what they measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    asked = sys.argv[1:] if arguments is None else arguments
    for name, caption in BENCHMARKS.items():
        command = commands.add_parser(name, help=caption, description=caption)
        report.add_arguments(command)
        if name in asked:  # the others need not even be importable
            _module(name).add_arguments(command)
    everything = commands.add_parser("all", help="each of them with its defaults")
    report.add_arguments(everything)
    chosen = parser.parse_args(asked)

    results: list[report.Result] = []
    for name in BENCHMARKS if chosen.benchmark == "all" else [chosen.benchmark]:
        options = chosen
        if chosen.benchmark == "all":
            print(f"{name} ...", file=sys.stderr)
            defaults = argparse.ArgumentParser()
            _module(name).add_arguments(defaults)
            options = defaults.parse_args([])
        results += _module(name).run(options)
    report.show(results, as_json=chosen.json, plot=chosen.plot)
    return 0


def _module(name: str):  # type: ignore[no-untyped-def]
    return importlib.import_module(f"bench.{name.replace('-', '_')}")


if __name__ == "__main__":
    sys.exit(main())
