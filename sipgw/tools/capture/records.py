"""The packets in a capture file, one at a time: pcap and pcapng, plain or gzipped, of either byte order.

Of our own and not dpkt's: a pcapng file may hold interfaces of several kinds, and a broken file must be read up to
where it breaks, with the reason. Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sipgw.tools.capture.errors import CaptureError

MAX_FRAME_BYTES = 1 << 18
"""Wireshark's own limit; a larger length is a broken file."""
_MAX_BLOCK_BYTES = 1 << 24
_GZIP = b"\x1f\x8b"
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
}
"""Of pcap: byte order and the unit of the second half of a time."""
_OTHERS = {b"GMBU": "Network Monitor", b"RTSS": "Network Monitor", b"snoo": "snoop", b"TRSN": "Sniffer"}
_SECTION, _INTERFACE, _OLD, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_RESOLUTION, _OFFSET = 9, 14


class Record(NamedTuple):
    """One packet as it was captured."""

    number: int
    """From 1, as Wireshark counts."""
    when: float
    """Seconds since 1970."""
    link: int
    """Link-layer type (LINKTYPE_…) of its interface."""
    frame: bytes


class _Interface(NamedTuple):
    link: int
    unit: float = 1e-6
    """Seconds a tick of its clock."""
    offset: int = 0
    """Seconds to add."""
    snap_bytes: int = 0


class _BrokenFile(Exception):
    """Nothing after this point can be read."""


class Records:
    """A capture file to go through once.

    Args:
        path: the file.
        progress: told, now and then, how many bytes of the file were read.
    """

    def __init__(self, path: Path, progress: Callable[[int], None] | None = None) -> None:
        self._path = path
        self._progress = progress
        self.broken = ""
        """Why it could not be read to its end, once that is so."""

    def __iter__(self) -> Iterator[Record]:
        """The packets to the end of the file, or to where it is broken.

        Raises:
            CaptureError: it cannot be opened or is no capture.
        """
        try:
            with self._path.open("rb") as raw:
                zipped = raw.read(2) == _GZIP
                raw.seek(0)
                file: BinaryIO = gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[assignment]
                yield from self._told(raw, self._packets(file))
        except OSError as error:
            raise CaptureError(f"{self._path} cannot be read: {error.strerror or error}") from None

    def _told(self, raw: BinaryIO, records: Iterator[Record]) -> Iterator[Record]:
        """The same, telling how far the file has been read."""
        for record in records:
            if self._progress is not None and record.number % 4096 == 0:
                self._progress(raw.tell())
            yield record

    def _packets(self, file: BinaryIO) -> Iterator[Record]:
        packets = self._kind(file)
        try:
            for number, (when, link, frame) in enumerate(packets, 1):
                yield Record(number, when, link, frame)
        except _BrokenFile as error:
            self.broken = str(error)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.broken = "its compressed data breaks off"

    def _kind(self, file: BinaryIO) -> Iterator[tuple[float, int, bytes]]:
        """The reader for what the file begins with."""
        try:
            magic = file.read(4)
            head = file.read(20) if magic in _MAGIC else b""
        except (EOFError, zlib.error):
            magic = head = b""
        if magic == _PCAPNG:
            return _pcapng(file)
        if len(head) == 20:
            order, unit = _MAGIC[magic]
            return _pcap(file, order, unit, struct.unpack(order + "16xI", head)[0] & 0x0FFFFFFF)
        kind = _OTHERS.get(magic)
        hint = f": it is a capture of {kind}; `editcap {self._path.name} new.pcapng` converts it" if kind else ""
        raise CaptureError(f"{self._path} is neither pcap nor pcapng{hint}")


def _pcap(file: BinaryIO, order: str, unit: float, link: int) -> Iterator[tuple[float, int, bytes]]:
    """Time, link type and frame of each packet."""
    header = struct.Struct(order + "IIII")
    while head := file.read(16):
        if len(head) < 16:
            raise _BrokenFile("it is cut off in the middle of a packet")
        seconds, fraction, size, _ = header.unpack(head)
        if size > MAX_FRAME_BYTES:
            raise _BrokenFile(f"it is corrupt: a packet of {size} bytes")
        frame = file.read(size)
        if len(frame) < size:
            raise _BrokenFile("it is cut off in the middle of a packet")
        yield seconds + fraction * unit, link, frame


def _pcapng(file: BinaryIO) -> Iterator[tuple[float, int, bytes]]:
    """The same of pcapng, whose sections and interfaces each have their own ways."""
    order, interfaces = _section(file, file.read(4)), list[_Interface]()
    while head := file.read(8):
        if head.startswith(_PCAPNG):
            order, interfaces = _section(file, head[4:]), []
            continue
        kind, body = _block(file, head, order)
        if kind == _INTERFACE and len(interfaces) < 65_536:
            interfaces.append(_interface(body, order))
        elif kind in (_ENHANCED, _OLD, _SIMPLE) and (packet := _packet(kind, body, order, interfaces)):
            yield packet


def _section(file: BinaryIO, length: bytes) -> str:
    """Byte order of a section, whose header of that length is read past."""
    order = _ORDERS.get(file.read(4))
    if order is None:
        raise _BrokenFile("it is corrupt: a section without byte order")
    size = struct.unpack(order + "I", length)[0]
    if not 16 <= size <= _MAX_BLOCK_BYTES:
        raise _BrokenFile(f"it is corrupt: a block of {size} bytes")
    if len(file.read(size - 12)) < size - 12:
        raise _BrokenFile("it is cut off in the middle of a block")
    return order


def _block(file: BinaryIO, head: bytes, order: str) -> tuple[int, bytes]:
    """Kind and body of a block."""
    if len(head) < 8:
        raise _BrokenFile("it is cut off in the middle of a block")
    kind, size = struct.unpack(order + "II", head)
    if not 12 <= size <= _MAX_BLOCK_BYTES:
        raise _BrokenFile(f"it is corrupt: a block of {size} bytes")
    rest = -(-size // 4) * 4 - 8
    body = file.read(rest)
    if len(body) < rest:
        raise _BrokenFile("it is cut off in the middle of a block")
    return kind, body[:-4]


def _interface(body: bytes, order: str) -> _Interface:
    """An interface's link type, and what its times mean."""
    if len(body) < 8:
        raise _BrokenFile("it is corrupt: an interface without a type")
    link, _, snap_bytes = struct.unpack_from(order + "HHI", body)
    unit, offset = 1e-6, 0
    for code, value in _options(body[8:], order):
        if code == _RESOLUTION and value:
            unit = 2.0 ** -(value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** -value[0]
        elif code == _OFFSET and len(value) == 8:
            offset = struct.unpack(order + "q", value)[0]
    return _Interface(link, unit, offset, snap_bytes)


def _options(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        code, size = struct.unpack_from(order + "HH", data, at)
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + (size + 3) // 4 * 4


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> tuple[float, int, bytes] | None:
    """A packet block; None where it belongs to no interface."""
    start = 4 if kind == _SIMPLE else 20
    if len(body) < start:
        raise _BrokenFile("it is corrupt: a packet without a header")
    if kind == _SIMPLE:  # the first interface's, without a time
        index, ticks, size = 0, 0, struct.unpack_from(order + "I", body)[0]
        size = min(size, len(body) - start)
    else:
        index, high, low, size = struct.unpack_from(order + "IIII", body)
        index, ticks = index & 0xFFFF if kind == _OLD else index, high << 32 | low
    if index >= len(interfaces):
        raise _BrokenFile("it is corrupt: a packet of an interface that was never named")
    if size > len(body) - start:
        raise _BrokenFile(f"it is corrupt: a packet of {size} bytes")
    interface = interfaces[index]
    when = _when(ticks, interface)
    return when, interface.link, body[start : start + size]


def _when(ticks: int, interface: _Interface) -> float:
    if interface.unit >= 1e-9:
        # Whole seconds apart from the rest: 64 bits of nanoseconds are more than a float holds.
        seconds, rest = divmod(ticks, round(1 / interface.unit))
        return interface.offset + seconds + rest * interface.unit
    return interface.offset + ticks * interface.unit
