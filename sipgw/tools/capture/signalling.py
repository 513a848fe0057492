"""Finds the SIP messages of a capture, on whatever transport, and gathers them by Call-ID; memory is bounded."""

from collections import Counter

from sipgw.errors import PeerError
from sipgw.sip.message import Request
from sipgw.sip.parser import parse
from sipgw.tools.capture.call import OF_CALLS, CallBuilder
from sipgw.tools.capture.descriptions import Book
from sipgw.tools.capture.ip import Segment
from sipgw.tools.capture.model import Problem
from sipgw.tools.capture.sip_text import SipOnStream
from sipgw.tools.capture.tcp import Chunk, Flows, Path

_MOST_CALLS = 20_000
_MOST_SIP_BYTES = 64 << 20
"""Of messages that are kept; others are counted."""


class Signalling:
    """Finds SIP messages and gathers them by Call-ID."""

    def __init__(self) -> None:
        self.book = Book()
        self.requests: Counter[str] = Counter()
        self.responses: Counter[int] = Counter()
        self._calls: dict[str, CallBuilder] = {}
        self._flows = Flows()
        self._streams: dict[Path, SipOnStream] = {}
        self._kept_bytes = 0
        self._opened = 0
        self._left_out = self._unreadable = self._tls = self._holes = 0

    def receive(self, when: float, path: Path, transport: str, data: bytes, number: int) -> None:
        """Take a message."""
        self._opened += transport == "tls"
        try:
            message = parse(data)
            call_id, method = message.call_id, message.cseq.method.upper()
        except PeerError:
            self._unreadable += 1
            self._count(data)
            return
        if isinstance(message, Request):
            self.requests[message.method] += 1
        else:
            self.responses[message.status] += 1
        builder = self._calls.get(call_id)
        if builder is None and method not in OF_CALLS:
            return
        if self._kept_bytes > _MOST_SIP_BYTES or (builder is None and len(self._calls) >= _MOST_CALLS):
            self._left_out += 1
            return
        builder = builder or self._calls.setdefault(call_id, CallBuilder(call_id))
        try:
            found = builder.receive(when, path, transport, data, message, number)
        except PeerError:
            self._unreadable += 1
            return
        self._kept_bytes += len(data)
        for description in found:
            self.book.add(description)

    def receive_segment(self, segment: Segment, number: int) -> None:
        """Take a piece of a TCP stream."""
        path = (segment.source, segment.destination)
        begins, chunks = self._flows.receive(segment)
        if begins or (chunks and path not in self._streams):
            self._close(path)
            self._streams[path] = SipOnStream()
        for chunk in chunks:
            self._feed(segment.when, path, chunk, number)

    def finish(self, when: float, number: int) -> None:
        """The end of the capture: what was held back comes now."""
        for path, chunk in self._flows.finish():
            self._feed(when, path, chunk, number)
        for path in list(self._streams):
            self._close(path)

    def calls(self) -> list[CallBuilder]:
        """Those of which something was kept."""
        return [builder for builder in self._calls.values() if builder.is_call]

    def problems(self, when: float) -> list[Problem]:
        """What could not be read, or not be kept."""
        found = []
        if self._unreadable:
            found.append(Problem("malformed", when, f"{self._unreadable} SIP messages cannot be read."))
        if self._tls and not self._opened:
            sentence = f"{self._tls} streams are encrypted with TLS; --keylog opens them where tshark is installed."
            found.append(Problem("encrypted", when, sentence))
        if self._holes:
            sentence = f"TCP streams with SIP have {self._holes} holes: packets that the capture has missed."
            found.append(Problem("holes", when, sentence))
        if self._left_out:
            found.append(Problem("too_much", when, f"{self._left_out} SIP messages were more than is kept."))
        return found

    def _count(self, data: bytes) -> None:
        """A message that nobody can read, by its first word."""
        words = data.split(None, 2)
        if words[0].upper() == b"SIP/2.0":
            if words[1:] and words[1].isdigit() and len(words[1]) == 3:
                self.responses[int(words[1])] += 1
        elif len(self.requests) < 1000:
            self.requests[words[0].decode("latin-1")] += 1

    def _feed(self, when: float, path: Path, chunk: Chunk, number: int) -> None:
        stream = self._streams.setdefault(path, SipOnStream())
        for message in stream.feed(chunk):
            transport = "ws" if stream.kind == "ws" else "tcp"
            self.receive(when, path, transport, message, number)

    def _close(self, path: Path) -> None:
        stream = self._streams.pop(path, None)
        if stream is not None:
            self._tls += stream.kind == "tls"
            self._holes += stream.holes
