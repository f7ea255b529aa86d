"""Disk images for tests, made by hand: small, whole, and bad ones of every kind."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLUSTER = 1 << 16


def qcow2(
    size: int = 1 << 20,
    *,
    version: int = 3,
    backing: bytes = b"",
    incompatible: int = 0,
    extensions: tuple[tuple[int, bytes], ...] = (),
    crypt: int = 0,
    cluster_bits: int = 16,
    l1_size: int | None = None,
) -> bytes:
    """Return an empty disk of `size` bytes as QEMU would write it, four clusters long."""
    cluster = 1 << cluster_bits
    length = 104 if version == 3 else 72
    area = b"".join(
        struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)
        for kind, data in extensions
    ) + bytes(8)
    needed = -(-size // (cluster * cluster // 8))
    head = struct.pack(
        ">4sIQIIQIIQQIIQ",
        b"QFI\xfb",
        version,
        length + len(area) if backing else 0,
        len(backing),
        cluster_bits,
        size,
        crypt,
        needed if l1_size is None else l1_size,
        3 * cluster,
        cluster,
        1,
        0,
        0,
    )
    if version == 3:
        head += struct.pack(">QQQII", incompatible, 0, 0, 4, 104)
    first = (head + area + backing).ljust(cluster, b"\0")
    table = struct.pack(">Q", 2 * cluster).ljust(cluster, b"\0")
    counts = struct.pack(">HHHH", 1, 1, 1, 1).ljust(cluster, b"\0")
    return first + table + counts + bytes(cluster)


def vmdk(
    size: int = 1 << 20,
    *,
    kind: str = "monolithicSparse",
    extent: str = 'RW 2048 SPARSE "disk.vmdk"',
    more: str = "",
) -> bytes:
    """Return a sparse VMDK's header and descriptor."""
    text = (
        f"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
        f'createType="{kind}"\n{more}\n{extent}\n'
    ).encode()
    head = struct.pack("<4sIIQQQQ", b"KDMV", 1, 3, size // 512, 128, 1, 20)
    return head.ljust(512, b"\0") + text.ljust(20 * 512, b"\0") + bytes(CLUSTER)


def iso() -> bytes:
    """Return as much of an ISO 9660 file system as shows what it is."""
    return bytes(0x8000) + b"\x01CD001\x01".ljust(2048, b"\0") + bytes(2048)


def vhd_footer(size: int = 1 << 20, *, kind: int = 2) -> bytes:
    """Return the footer of a VHD; `kind` 2 is fixed, 3 dynamic, 4 a difference."""
    head = b"conectix".ljust(0x28, b"\0") + struct.pack(">QQII", size, size, 0, kind)
    return head.ljust(512, b"\0")


def vdi(size: int = 1 << 20, *, kind: int = 1) -> bytes:
    """Return the header of a VDI; `kind` 4 is a difference to another one."""
    head = b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(0x40, b"\0")
    head += struct.pack("<IIII", 0xBEDA107F, 0x00010001, 0x190, kind)
    return head.ljust(0x170, b"\0") + struct.pack("<Q", size) + bytes(CLUSTER)


@contextmanager
def served(answer: Callable[[str], tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """Run a web server of which `answer` tells status, headers, body of a path; yield HOST:PORT."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
