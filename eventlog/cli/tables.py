"""`log verify`, `log replay`, `log views`, `log rebuild`: the log as a whole, and its tables."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from eventlog.cli.common import DAMAGED, GOOD, WRONG, FindViews, refuse
from eventlog.database import open_database, run, sql_tables
from eventlog.meter import Meter
from eventlog.reader import Reader
from eventlog.rebuild import rebuild as rebuild_views
from eventlog.refold import Difference, Refold
from eventlog.shown import brief, escaped, json_text, key_text, plain
from eventlog.verify import verify as verify_log


def verify(args: argparse.Namespace, path: Path, find_views: FindViews) -> int:
    """Check everything and print what is wrong."""
    meter = Meter("verified")
    try:
        found = verify_log(path, find_views(), progress=meter)
    finally:
        meter.close()
    if args.json:
        faults = [{"position": fault.position, "what": fault.what} for fault in found.faults]
        print(json_text(found._asdict() | {"faults": faults}, indent=2))
    else:
        for fault in found.faults:
            where = f"event {fault.position}" if fault.position else "log"
            print(escaped(f"{where}: {fault.what}"))
        told = len(found.faults)
        if found.fault_count > told:
            print(f"... and {found.fault_count - told:,} more")
        state = f"{found.fault_count:,} faults" if found.fault_count else "all good"
        print(f"{found.events:,} events, views {', '.join(found.views) or 'none'}: {state}")
    return DAMAGED if found.fault_count else GOOD


def replay(args: argparse.Namespace, path: Path, find_views: FindViews) -> int:
    """Fold the log up to a point and print the rows."""
    chosen = [view for view in find_views() if args.view in (None, view.name)]
    if args.view is not None and not chosen:
        return refuse(args, f"there is no view {escaped(args.view)!r}", WRONG)
    connection = open_database(path, read_only=True)
    meter = Meter("replayed")
    try:
        run(connection, "BEGIN")
        reader = Reader(connection)
        until = reader.head()
        if args.as_of is not None:
            at = args.as_of
            until = min(until, at.position if at.us is None else reader.position_at(at.us))
        refold = Refold.temporary(connection, chosen)
        refold.fold(until, progress=meter)
        meter.close()
        for view in chosen:
            for table, row_type in view.tables.items():
                for key, row in refold.rows(table, row_type):
                    if args.json:
                        print(json_text({"table": table, "key": key.hex(), "row": plain(row)}))
                    else:
                        print(f"{table} {key_text(key)} {escaped(json_text(brief(row)))}")
        return GOOD
    finally:
        meter.close()
        connection.close()


def views(args: argparse.Namespace, path: Path, find_views: FindViews) -> int:
    """Print the state of every table view."""
    known = {view.name: view for view in find_views()}
    connection = open_database(path, read_only=True)
    try:
        run(connection, "BEGIN")
        head = Reader(connection).head()
        found = []
        for name, version, position in run(connection, "SELECT * FROM view ORDER BY name"):
            view = known.pop(name, None)
            current = view is not None and view.version == version
            rows = None
            if view is not None and current:
                counts = (f"SELECT count(*) FROM {sql}" for sql in sql_tables([view]).values())
                rows = sum(run(connection, count)[0][0] for count in counts)
            found.append(
                {
                    "view": name, "version": version, "position": position,
                    "lag": head - position, "rows": rows,
                    "state": "live" if current else "rebuild it",
                }
            )  # fmt: skip
        for name, view in known.items():
            found.append(
                {
                    "view": name, "version": view.version, "position": 0,
                    "lag": head, "rows": None, "state": "rebuild it",
                }
            )  # fmt: skip
    finally:
        connection.close()
    if args.json:
        print(json_text(found, indent=2))
    else:
        print(f"{'VIEW':<16}{'VERSION':>8}{'POSITION':>14}{'LAG':>12}{'ROWS':>14}  STATE")
        for one in found:
            rows = "-" if one["rows"] is None else f"{one['rows']:,}"
            print(
                f"{one['view']:<16}{one['version']:>8}{one['position']:>14,}"
                f"{one['lag']:>12,}{rows:>14}  {one['state']}"
            )
    return GOOD if all(one["state"] == "live" for one in found) else DAMAGED


def rebuild(args: argparse.Namespace, path: Path, find_views: FindViews) -> int:
    """Rebuild table views and switch to them."""
    known = find_views()
    unknown = set(args.view) - {view.name for view in known}
    if unknown:
        return refuse(args, f"there is no view {escaped(', '.join(sorted(unknown)))!r}", WRONG)
    meter = Meter("rebuilt")
    try:
        done = rebuild_views(path, known, only=args.view, compare=args.compare, progress=meter)
    finally:
        meter.close()
    if args.json:
        print(
            json_text(
                [
                    one._asdict() | {"differences": [_difference(d) for d in one.differences]}
                    for one in done
                ],
                indent=2,
            )
        )
    else:
        for one in done:
            said = ", not compared"
            if one.compared:
                said = ", was equal" if not one.differences else ", was NOT what the log says"
            print(f"{one.view} v{one.version}: rebuilt to position {one.position:,}{said}")
            for difference in one.differences:
                print(f"  table {difference.table}, key {key_text(difference.key)}")
    return DAMAGED if any(one.differences for one in done) else GOOD


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "table": one.table,
        "key": one.key.hex(),
        "stored": None if one.stored is None else one.stored.hex(),
        "folded": None if one.folded is None else one.folded.hex(),
    }
