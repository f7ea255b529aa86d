"""Results and how they are shown: table, JSON, plot."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """One figure; `ratio` is its value over that of `limit`, measured in the same run.

    A limit is what the machine does when only the bare work is done. `held_to` is the ratio that
    the design promises, where it promises one.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    limit: str = ""
    held_to: float | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that every benchmark shares."""
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the results (matplotlib)")


def show(results: Sequence[Result], *, as_json: bool, plot: Path | None) -> None:
    """Print the results, and draw them if a file was named."""
    if as_json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        print(table(results))
    if plot is not None:
        draw(results, plot)


def table(results: Sequence[Result]) -> str:
    """Return the results as aligned text."""
    rows = [("what", "figure", "unit", "ratio", "held to", "limit")]
    for result in results:
        rows.append(
            (
                result.name,
                _figure(result.value),
                result.unit,
                "" if result.ratio is None else f"{result.ratio:.2f}",
                "" if result.held_to is None else f"{result.held_to:.2f}",
                result.limit,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in (1, 3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def draw(results: Sequence[Result], path: Path) -> None:
    """Draw the results as bars, those with a ratio beside what they are held to."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    units = list(dict.fromkeys(result.unit for result in results))
    height = 1 + 0.4 * len(results) + 0.6 * len(units)
    figure, axes = pyplot.subplots(len(units), 1, figsize=(9, height), squeeze=False)
    for axis, unit in zip(axes[:, 0], units, strict=True):
        shown = [result for result in results if result.unit == unit][::-1]
        bars = axis.barh([result.name for result in shown], [result.value for result in shown])
        axis.bar_label(
            bars,
            [
                _figure(result.value)
                + ("" if result.ratio is None else f"  ({result.ratio:.2f} of {result.limit})")
                for result in shown
            ],
            padding=3,
        )
        axis.set_xlabel(unit)
        axis.margins(x=0.4)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def interleaved(rounds: int, runs: Sequence[Callable[[], float]]) -> list[float]:
    """Return the median of what each of `runs` returned in `rounds`, run turn by turn.

    A noisy machine is noisy for all of them alike, so that their ratios mean something.
    """
    measured: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, values in zip(runs, measured, strict=True):
            values.append(run())
    return [statistics.median(values) for values in measured]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
