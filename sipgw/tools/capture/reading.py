"""Reads a capture once, from its first packet to its last, into calls, streams and problems; memory is bounded."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sipgw.flow import Endpoint
from sipgw.tools.capture.call import CallBuilder
from sipgw.tools.capture.datagrams import refuse_unknown
from sipgw.tools.capture.ip import Datagram, IpReader, Packet, Segment, Unreachable
from sipgw.tools.capture.media import Media
from sipgw.tools.capture.model import CallTrace, Capture, Problem, Stream
from sipgw.tools.capture.opened import Opened, opened
from sipgw.tools.capture.problems import Surroundings, problems_of
from sipgw.tools.capture.records import Records
from sipgw.tools.capture.signalling import Signalling
from sipgw.tools.capture.sip_text import is_sip

_MOST_UNREACHABLE = 10_000


def read(path: Path, progress: Callable[[int], None] | None = None, keylog: Path | None = None) -> Capture:
    """What is in a capture.

    Args:
        path: pcap or pcapng, plain or gzipped.
        progress: told, now and then, how many bytes of the file were read.
        keylog: secrets of its TLS connections; opening them takes tshark.

    Raises:
        CaptureError: it cannot be opened, is no capture, or holds only packets of interfaces that are not known here.
    """
    records = Records(path, progress)
    reader = Reader(opened(path, keylog) if keylog is not None else [])
    for record in records:
        reader.receive(record.number, record.when, record.link, record.frame)
    refuse_unknown(path, reader.ip)
    return reader.finish(path, records.broken)


class Reader:
    """Takes packets, keeps calls and streams.

    Args:
        decrypted: messages from the capture's TLS, which come in at their time.
    """

    def __init__(self, decrypted: Sequence[Opened] = ()) -> None:
        self._decrypted = deque(decrypted)
        self.ip = IpReader()
        self._signalling = Signalling()
        self._media = Media(self._signalling.book)
        self._unreachable: dict[Endpoint, float] = {}
        self._number = 0
        self._first: float | None = None
        self._last = 0.0

    def receive(self, number: int, when: float, link: int, frame: bytes) -> None:
        """Take the next packet of the file."""
        self._number, self._last = number, when
        if self._first is None:
            self._first = when
        self._open(number)
        packet = self.ip.read(when, link, frame)
        if packet is not None:
            self._sort(packet)

    def finish(self, path: Path, broken: str = "") -> Capture:
        """Everything that was in it."""
        self._signalling.finish(self._last, self._number)
        streams, orphans = self._media.by_call()
        surroundings = Surroundings(self._last, self._unreachable, orphans, bool(streams or orphans))
        calls = [
            self._call(builder, streams.get(builder.call_id, []), surroundings) for builder in self._signalling.calls()
        ]
        return Capture(
            path,
            self._number,
            self._first or 0.0,
            self._last,
            tuple(sorted(calls, key=lambda call: call.first)),
            tuple(orphans),
            dict(self._signalling.requests),
            dict(self._signalling.responses),
            tuple(self._file_problems(broken)),
        )

    def _open(self, number: int) -> None:
        """Take the decrypted messages up to this packet."""
        while self._decrypted and self._decrypted[0].number <= number:
            message = self._decrypted.popleft()
            path = (message.source, message.destination)
            self._signalling.receive(message.when, path, "tls", message.data, message.number)

    def _sort(self, packet: Packet) -> None:
        match packet:
            case Datagram(when, source, destination, payload):
                if is_sip(payload):
                    self._signalling.receive(when, (source, destination), "udp", payload, self._number)
                else:
                    self._media.receive(when, source, destination, payload)
            case Segment():
                self._signalling.receive_segment(packet, self._number)
            case Unreachable(when, _, destination):
                if len(self._unreachable) < _MOST_UNREACHABLE:
                    self._unreachable.setdefault(destination, when)

    def _call(self, builder: CallBuilder, streams: list[Stream], surroundings: Surroundings) -> CallTrace:
        trace = replace(builder.trace(), streams=tuple(streams))
        return replace(trace, problems=tuple(problems_of(trace, builder, surroundings)))

    def _file_problems(self, broken: str) -> list[Problem]:
        found = []
        if broken:
            found.append(Problem("broken_file", self._last, f"The file cannot be read to its end: {broken}."))
        for link, count in self.ip.unknown_links.items():
            sentence = f"{count} packets came from an interface of link type {link}, which is not known here."
            found.append(Problem("unknown_link", self._last, sentence))
        if self.ip.cut_off:
            sentence = f"{self.ip.cut_off} datagrams were captured only in part: the snap length was too short."
            found.append(Problem("cut_off", self._last, sentence))
        return found + self._signalling.problems(self._last) + self._media.problems(self._last)
