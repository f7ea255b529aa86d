"""What the log's commands share: exit codes, and how a refusal is told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from eventlog.shown import json_text
from eventlog.view import TableView

GOOD, DAMAGED, WRONG = 0, 1, 2

FindViews = Callable[[], Sequence[TableView]]


def refuse(args: argparse.Namespace, text: str, code: int) -> int:
    """Say why there is nothing to show, in JSON where that was asked for; return the exit code."""
    if args.json:
        print(json_text({"error": "Refused", "text": text}))
    else:
        print(text, file=sys.stderr)
    return code
