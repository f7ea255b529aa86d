"""What bulk operations answer: a report in the client's format, with signs of life before it.

The status line is 200 before the outcome is known; the report says how it went.
Source: Swift's "Bulk Operations" (2026-08).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from xml.sax.saxutils import escape

import msgspec

from swiftlite.http.replies import UNKNOWN, Buffer, Reply
from swiftlite.swift.errors import Declined
from swiftlite.swift.formats import JSON, PLAIN, best

BEAT_S = 10.0

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


class Report(msgspec.Struct, kw_only=True):
    """How an operation went. `facts`: its counters, in Swift's spelling, beside the status."""

    status: str = ""  # "": the reply's own says it
    body: str = ""
    facts: dict[str, object]
    errors: list[tuple[str, str]]  # quoted name, status


def status_line(code: int) -> str:
    """Return `404 Not Found` for 404."""
    return f"{code} {HTTPStatus(code).phrase}"


def format_of(accept: str) -> str | None:
    """Return the format that an Accept header prefers; None if it takes none of them."""
    if not accept.strip():
        return PLAIN
    try:
        return best(accept)
    except Declined:
        return None


def rendered(report: Report, kind: str | None, root: str) -> bytes:
    """Return the report; `root`: the element around it where it is XML."""
    facts = dict(report.facts)
    if report.status:
        facts |= {"Response Status": report.status, "Response Body": report.body}
    if kind == JSON:
        return json.dumps(facts | {"Errors": report.errors}).encode()
    if kind is not None and kind.endswith("/xml"):
        lines = [f"<{root}>\n"]
        for key in sorted(facts):
            name = key.replace(" ", "_").lower()
            lines.append(f"<{name}>{escape(str(facts[key]))}</{name}>\n")
        lines.append("<errors>\n")
        for name, status in report.errors:
            told = f"<name>{escape(name)}</name><status>{escape(status)}</status>"
            lines.append(f"<object>{told}</object>\n")
        lines.append(f"</errors>\n</{root}>\n")
        return "".join(lines).encode()
    lines = [f"{key}: {facts[key]}\n" for key in sorted(facts)]
    lines.append("Errors:\n")
    lines += [f"{name}, {status}\n" for name, status in report.errors]
    return "".join(lines).encode()


async def answered(
    work: Callable[[], Awaitable[Report]],
    *,
    kind: str | None,
    root: str,
    status: int = 200,
    headers: Mapping[str, str] = {},
    beat_s: float = BEAT_S,
    at_once: bool = False,
    ready: asyncio.Event | None = None,
) -> Reply:
    """Do the work and return its report; where it takes long, a reply that shows signs of life.

    `at_once`: the client asked for them from the beginning. `ready` is set when the request's body
    was read, without it that is so before: the connection takes what is left of a body, when it has
    a reply, for something that nobody wants.
    """
    headers = {"Content-Type": f"{kind or PLAIN}; charset=UTF-8"} | dict(headers)
    task = asyncio.ensure_future(_report(work))
    if not at_once:
        try:
            if ready is not None:
                await _either(task, ready)
            await asyncio.wait({task}, timeout=beat_s)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done():
            return Reply(status, headers, rendered(task.result(), kind, root))
    stream = _beats(task, kind=kind, root=root, beat_s=beat_s)
    return Reply(status, headers, stream=stream, length=UNKNOWN)


async def _either(task: asyncio.Task[Report], ready: asyncio.Event) -> None:
    """Return when the work is done, or its event is set."""
    waiting = asyncio.ensure_future(ready.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _report(work: Callable[[], Awaitable[Report]]) -> Report:
    return await work()


async def _beats(
    task: asyncio.Task[Report], *, kind: str | None, root: str, beat_s: float
) -> AsyncGenerator[Buffer, None]:
    try:
        yield _DECLARATION if kind is not None and kind.endswith("/xml") else b" "
        while True:
            done, _ = await asyncio.wait({task}, timeout=beat_s)
            if done:
                break
            yield b" "
        yield b"\r\n\r\n" + rendered(task.result(), kind, root)
    finally:
        task.cancel()


def worst(statuses: Sequence[int]) -> int:
    """Return the status of a report of which some items failed."""
    return 502 if any(status >= 500 for status in statuses) else 400
