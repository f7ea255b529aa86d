"""`log tail`, `log show`, `log grep`: events, one line each."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from pathlib import Path

from eventlog.cli.common import DAMAGED, GOOD, WRONG, FindViews, refuse, unknown_type
from eventlog.errors import Unreadable
from eventlog.event import type_named
from eventlog.log import Recorded
from eventlog.shown import When, escaped, json_text, line, record
from eventlog.sqlite import SqliteLog


def tail(args: argparse.Namespace, path: Path, views: FindViews) -> int:
    """Print the last events; with --follow, go on."""

    async def work() -> int:
        views()  # registers the events
        if wrong := unknown_type(args.type):
            return refuse(args, wrong, WRONG)
        log = await SqliteLog.open(path, read_only=True)
        try:
            head = log.head()
            last: list[Recorded] = []
            # Backwards in growing steps: the last few of a rare type may be far back.
            start, step = head, 4 * args.n + 100
            while start > 0 and len(last) < args.n:
                start, before = max(0, start - step), start
                found = log.read(after=start, until=before, streams=args.stream, types=args.type)
                last = [rec async for rec in found][-args.n :] + last
                step *= 2
            code = _print(args, last[-args.n :])
            if args.follow:
                newer = log.follow(after=head, streams=args.stream, types=args.type)
                async with aclosing(newer):
                    async for rec in newer:
                        code = max(code, _print(args, [rec]))
            return code
        finally:
            await log.close()

    return asyncio.run(work())


def show(args: argparse.Namespace, path: Path, views: FindViews) -> int:
    """Print all that is known of one event."""

    async def work() -> int:
        views()
        log = await SqliteLog.open(path, read_only=True)
        try:
            after = args.position - 1
            async for rec in log.read(after=after, until=args.position):
                fields = record(rec)
                if args.json:
                    print(json_text(fields, indent=2))
                else:
                    width = max(map(len, fields))
                    for name, value in fields.items():
                        text = value if isinstance(value, str) else json_text(value)
                        print(f"{name:<{width}}  {escaped(text)}")
                return GOOD
            return refuse(
                args, f"there is no event {args.position}; the last is {log.head()}", DAMAGED
            )
        finally:
            await log.close()

    return asyncio.run(work())


def grep(args: argparse.Namespace, path: Path, views: FindViews) -> int:
    """Print the events that match."""

    async def matching(
        log: SqliteLog, actors: Collection[str] | None
    ) -> AsyncGenerator[Recorded, None]:
        after = 0 if args.since is None else await _before(log, args.since)
        until = None if args.until is None else await _position(log, args.until)
        async for rec in log.read(after=after, until=until, streams=args.stream, types=args.type):
            if actors is not None and rec.actor not in actors:
                continue
            if args.text is not None and args.text not in line(rec, whole=True):
                continue
            yield rec

    async def work() -> int:
        known = views()
        if wrong := unknown_type(args.type):
            return refuse(args, wrong, WRONG)
        # Tables that are behind must not stand in the way of who does not ask them.
        asks = args.actor is not None and args.find_actor is not None
        log = await SqliteLog.open(path, views=known if asks else (), read_only=True)
        try:
            actors = None if args.actor is None else {args.actor}
            if asks:
                actors = await args.find_actor(log, args.actor)
            code, found = GOOD, 0
            async with aclosing(matching(log, actors)) as events:
                async for rec in events:
                    code = max(code, _print(args, [rec]))
                    found += 1
                    if found == args.n:
                        break
            return code
        finally:
            await log.close()

    return asyncio.run(work())


def _print(args: argparse.Namespace, events: Sequence[Recorded]) -> int:
    """Print events, one line each; 1 if one could not be read."""
    code = GOOD
    for rec in events:
        try:
            text = json_text(record(rec)) if args.json else line(rec)
            if rec.data is not None and type_named(rec.type) is None:
                code = DAMAGED
        except Unreadable as error:
            code = DAMAGED
            text = json_text({"position": rec.position, "unreadable": error.reason})
        print(text, flush=args.follow if "follow" in args else False)
    return code


async def _before(log: SqliteLog, when: When) -> int:
    """Return the position after which events are not before `when`."""
    if when.us is None:
        return max(0, (when.position or 0) - 1)
    return await log.position_at(when.us - 1)


async def _position(log: SqliteLog, when: When) -> int:
    if when.us is None:
        return when.position or 0
    return await log.position_at(when.us)
