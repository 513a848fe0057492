"""The callers' sound: one process that sends and receives the RTP of all calls.

It sends in steps of a millisecond, each call at its own place in the 20 ms, by absolute deadlines, and keeps how late
it was itself. Arrivals are the kernel's own stamps (SO_TIMESTAMPNS): reading them late costs nothing.
"""

import gc
import os
import select
import socket
import struct
import time
from array import array
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from sipgw.errors import UsageError
from sipgw.flow import Endpoint
from sipgw.io.ports import PortPair, PortPool
from sipgw.options import MediaOptions
from sipgw.rtp.packet import HEADER_BYTES, pack
from sipgw.rtp.rtcp import SenderReport, SourceDescription, compound, ntp_time
from sipgw.rtp.srtp import Protection
from sipgw.sdp.crypto import Keys
from sipgw.tools.bench.marks import SILENCE, Marks, begins_mark, said
from sipgw.tools.bench.plan import HOST

PORTS = (30_000, 32_767)
"""Outside the gateway's own range and the system's."""
PTIME = 0.02
_STEPS = 20
_RTCP_EVERY = 250
"""Packets between two reports of a call: five seconds."""
_DRAINED_EVERY = 4
"""Steps between two looks at what came."""
_STAMPS = 35
"""SO_TIMESTAMPNS on Linux; the socket module has no name for it."""
_LARGEST = 2048
_REALTIME_PRIORITY = 20


@dataclass(slots=True)
class Stream:
    """What one call received, and when its marks left."""

    stamps: "array[int]" = field(default_factory=lambda: array("q"))
    """Nanoseconds of the real-time clock, as all times here."""
    sequences: "array[int]" = field(default_factory=lambda: array("H"))
    marks: Marks = field(default_factory=lambda: Marks(SILENCE))
    marked: "array[int]" = field(default_factory=lambda: array("q"))


@dataclass(slots=True)
class Traffic:
    """What a run of the generator saw."""

    streams: list[Stream]
    sent: "array[int]" = field(default_factory=lambda: array("q"))
    """When each packet left."""
    late_ns: "array[int]" = field(default_factory=lambda: array("q"))
    """How late the generator was with each step that had something to send."""
    errors: int = 0
    """Packets that could not be sent."""


def become_realtime() -> None:
    """Take precedence over everything else on the machine, as a real caller's phone does by being elsewhere.

    Raises:
        PermissionError: that needs CAP_SYS_NICE.
    """
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_REALTIME_PRIORITY))


def may_be_realtime() -> None:
    """Raises UsageError where `become_realtime` would fail in a process of ours."""
    try:
        become_realtime()
    except PermissionError:
        raise UsageError("real-time priority is not allowed here: it takes CAP_SYS_NICE, or root") from None
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def generate(calls: int, realtime: bool, parent: Connection) -> None:
    """The process: tells its RTP ports, is told where to send to, sends until told to stop, and tells what it saw."""
    if realtime:
        become_realtime()
    pool = PortPool(MediaOptions(HOST, first_port=PORTS[0], last_port=PORTS[1]))
    pairs = [pool.take(0.0) for _ in range(calls)]
    parent.send([pair.port for pair in pairs])
    destinations: list[Endpoint | None]
    keys: list[Keys | None]
    destinations, keys = parent.recv()
    gc.collect()
    gc.disable()
    generator = Generator(pairs, destinations, keys)
    generator.run(parent)
    parent.send(generator.traffic)


class Generator:
    """The sockets of all calls, and the wheel that says which sends when.

    Args:
        pairs: RTP and RTCP sockets by call.
        destinations: where each call's RTP goes; None for one that is not up.
        keys: by which each call's RTP is protected; None for one that is plain.
    """

    def __init__(self, pairs: list[PortPair], destinations: list[Endpoint | None], keys: list[Keys | None]) -> None:
        self._pairs = pairs
        self._protections = [
            Protection(one.suite, one.ours, one.theirs, call + 1) if one else None for call, one in enumerate(keys)
        ]
        self.traffic = Traffic([Stream() for _ in pairs])
        self._readers: dict[int, tuple[socket.socket, Stream, Protection | None]] = {}
        self._epoll = select.epoll()
        self._wheel: list[list[tuple[int, socket.socket, Endpoint]]] = [[] for _ in range(_STEPS)]
        for call, (pair, destination) in enumerate(zip(pairs, destinations, strict=True)):
            if destination is not None:
                self._wheel[call * _STEPS // len(pairs)].append((call, pair.rtp, destination))
            pair.rtp.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
            self._readers[pair.rtp.fileno()] = pair.rtp, self.traffic.streams[call], self._protections[call]
            self._epoll.register(pair.rtp.fileno(), select.EPOLLIN)

    def run(self, parent: Connection) -> None:
        """Until the parent says something."""
        began = time.monotonic_ns() + 1_000_000
        interval = int(PTIME * 1e9) // _STEPS
        step = 0
        while True:
            due = began + step * interval
            if (ahead := due - time.monotonic_ns()) > 0:
                time.sleep(ahead / 1e9)
            if slot := self._wheel[step % _STEPS]:
                self._send(slot, step // _STEPS)
                self.traffic.late_ns.append(time.monotonic_ns() - due)
            if not step % _DRAINED_EVERY:
                self._drain()
            if not step % _STEPS and parent.poll():
                parent.recv()
                return
            step += 1

    def _send(self, slot: list[tuple[int, socket.socket, Endpoint]], packet: int) -> None:
        traffic = self.traffic
        for call, sock, destination in slot:
            datagram = pack(0, packet == 0, packet, packet * 160, call + 1) + said(call, packet)
            if protection := self._protections[call]:
                datagram = protection.protect(datagram)
            now = time.time_ns()
            try:
                sock.sendto(datagram, destination)
            except OSError:
                traffic.errors += 1
                continue
            traffic.sent.append(now)
            if begins_mark(call, packet):
                traffic.streams[call].marked.append(now)
            if packet % _RTCP_EVERY == call % _RTCP_EVERY:
                self._report(call, packet, destination)

    def _report(self, call: int, packet: int, destination: Endpoint) -> None:
        """RTCP of a caller that sends: the gateway has it to read."""
        report = SenderReport(call + 1, ntp_time(time.time()), packet * 160, packet, packet * 160, ())
        data = compound((report, SourceDescription(call + 1, f"bench-{call}")))
        if protection := self._protections[call]:
            data = protection.protect_rtcp(data)
        self._pairs[call].rtcp.sendto(data, (destination[0], destination[1] + 1))

    def _drain(self) -> None:
        """Read everything that came, by the kernel's stamps."""
        while ready := self._epoll.poll(0, 1024):
            for descriptor, _ in ready:
                sock, stream, protection = self._readers[descriptor]
                try:
                    data, ancillary, _, _ = sock.recvmsg(_LARGEST, 64)
                except OSError:
                    continue
                came = _stamp(ancillary)
                stream.stamps.append(came)
                stream.sequences.append(data[2] << 8 | data[3])
                if protection is not None:
                    data = protection.unprotect(data)
                stream.marks.take(data[HEADER_BYTES:], came)


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> int:
    """When the kernel took the datagram."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _STAMPS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()
