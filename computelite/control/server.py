"""The control socket, the keeper's end: who may open DATA/control.sock (0600) is an operator."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
import traceback
from pathlib import Path

import msgspec

from computelite.cloud import Cloud
from computelite.control.messages import MAX_LINE, Failure, Progress, Reply, Request
from computelite.control.operations import perform
from computelite.control.place import operator_id, short_path
from computelite.errors import WrongUsage
from eventlog.errors import CloudError
from eventlog.log import Actor

_REQUEST_S = 10.0
_PROGRESS_S = 0.2
_MAX_CLIENTS = 32


class ControlServer:
    """Answers operators for as long as it is open."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, path: Path) -> None:
        """Listen; what a killed keeper left at the path is replaced."""
        listener = _bound(path)
        self._server = await asyncio.start_unix_server(
            self._answer, sock=listener, limit=MAX_LINE, backlog=_MAX_CLIENTS
        )
        self._path = path

    async def close(self) -> None:
        """Stop listening and break off what is under way; it can be started again."""
        if self._server is not None:
            self._path.unlink(missing_ok=True)
            self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            if len(self._clients) > _MAX_CLIENTS:
                return
            async with asyncio.timeout(_REQUEST_S):
                line = await reader.readline()
            if line:
                await self._serve(line, reader, writer)
        except (OSError, TimeoutError, ValueError):
            pass  # the operator's side broke off; nobody is left to tell
        finally:
            self._clients.discard(task)
            writer.close()

    async def _serve(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        newest: list[Progress] = []

        async def stream_progress() -> None:
            while True:
                await asyncio.sleep(_PROGRESS_S)
                if newest:
                    _write(writer, Reply(progress=newest.pop()))
                    newest.clear()
                    await writer.drain()

        async def work() -> Reply:
            try:
                request = msgspec.json.decode(line, type=Request)
                result = await perform(
                    self._cloud, request, newest.append, _peer(writer), running=True
                )
                return Reply(result=result)
            except (CloudError, msgspec.MsgspecError) as error:
                usage = isinstance(error, WrongUsage | msgspec.MsgspecError)
                return Reply(error=Failure(type(error).__name__, str(error), usage))
            except Exception as error:  # the edge: an operator's request must not end the keeper
                traceback.print_exc(file=sys.stderr)
                return Reply(error=Failure(type(error).__name__, "an internal error; see the log"))

        doing = asyncio.create_task(work())
        showing = asyncio.create_task(stream_progress())
        gone = asyncio.create_task(reader.read(1))
        try:
            # Ctrl-C at the operator's side ends the work, not only the waiting.
            await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                showing.cancel()
                _write(writer, doing.result())
                await writer.drain()
        finally:
            for task in (doing, showing, gone):
                task.cancel()
            await asyncio.gather(doing, showing, gone, return_exceptions=True)


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        with short_path(path) as place:
            listener.bind(place)
    finally:
        os.umask(mask)
    return listener


def _write(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(msgspec.json.encode(reply) + b"\n")


def _peer(writer: asyncio.StreamWriter) -> Actor:
    peer = writer.get_extra_info("socket")
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return Actor(id=operator_id(uid))
