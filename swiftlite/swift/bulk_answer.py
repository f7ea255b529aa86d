"""What bulk operations answer: a report in the client's format, with signs of life before it.

The status line is 200 before the outcome is known; the report says how it went.
Source: Swift's "Bulk Operations" (2026-08).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from xml.sax.saxutils import escape

import msgspec

from swiftlite.http.replies import UNKNOWN, Buffer, Reply

FORMATS = ("text/plain", "application/json", "application/xml", "text/xml")
BEAT_S = 10.0

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_ACCEPT_MAX = 1000  # characters of an Accept header that are looked at


class Report(msgspec.Struct, kw_only=True):
    """How an operation went. `facts`: its counters, in Swift's spelling, beside the status."""

    status: str
    body: str = ""
    facts: dict[str, object]
    errors: list[tuple[str, str]]  # quoted name, status


def status_line(code: int) -> str:
    """Return `404 Not Found` for 404."""
    return f"{code} {HTTPStatus(code).phrase}"


def format_of(accept: str | None) -> str | None:
    """Return the format that an Accept header prefers; None if it takes none of them."""
    if not accept:
        return FORMATS[0]
    wanted: list[tuple[float, str]] = []
    for each in accept[:_ACCEPT_MAX].split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                with suppress(ValueError):
                    quality = float(parameter[2:6])
        if quality > 0:
            wanted.append((quality, kind))
    for _, kind in sorted(wanted, key=lambda pair: -pair[0]):
        for known in FORMATS:
            if kind in (known, "*/*", f"{known.partition('/')[0]}/*"):
                return known
    return None


def rendered(report: Report, kind: str | None, root: str) -> bytes:
    """Return the report; `root`: the element around it where it is XML."""
    facts = {"Response Status": report.status, "Response Body": report.body} | report.facts
    if kind == "application/json":
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
) -> Reply:
    """Do the work and return its report; where it takes long, a reply that shows signs of life.

    `at_once`: the client asked for them from the beginning. The request's body must have been read,
    since the connection takes what is left of it for something that nobody wants.
    """
    headers = {"Content-Type": f"{kind or FORMATS[0]}; charset=UTF-8"} | dict(headers)
    task = asyncio.ensure_future(_report(work))
    if not at_once:
        try:
            await asyncio.wait({task}, timeout=beat_s)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done():
            return Reply(status, headers, rendered(task.result(), kind, root))
    stream = _beats(task, kind=kind, root=root, beat_s=beat_s)
    return Reply(status, headers, stream=stream, length=UNKNOWN)


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
