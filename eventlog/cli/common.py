"""What the log's commands share: exit codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eventlog.view import TableView

GOOD, DAMAGED, WRONG = 0, 1, 2

FindViews = Callable[[], Sequence[TableView]]
