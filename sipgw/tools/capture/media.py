"""Finds the RTP of a capture and gathers it by source, destination and SSRC; memory is bounded."""

from collections.abc import Mapping
from math import inf

from sipgw.flow import Endpoint
from sipgw.rtp.packet import BadPacket, header, is_rtcp
from sipgw.tools.capture.codecs import Meaning
from sipgw.tools.capture.descriptions import Book
from sipgw.tools.capture.model import Problem, Stream
from sipgw.tools.capture.stream import StreamBuilder

_MOST_STREAMS = 10_000
_SWEEP = 5000
"""Streams begun between two searches for those that are none."""


class Media:
    """Finds RTP and gathers it by source, destination and SSRC."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._streams: dict[tuple[Endpoint, Endpoint, int], StreamBuilder] = {}
        self._since_sweep = 0
        self._left_out = 0

    def receive(self, when: float, source: Endpoint, destination: Endpoint, data: bytes) -> None:
        """Take a datagram that is no SIP."""
        if len(data) < 12 or data[0] >> 6 != 2 or is_rtcp(data):
            return
        try:
            payload_type, marker, sequence, timestamp, ssrc, start, end = header(data)
        except BadPacket:
            return
        stream = self._streams.get((source, destination, ssrc)) or self._begin(source, destination, ssrc, when)
        if stream is not None:
            stream.receive(when, payload_type, marker, sequence, timestamp, data[start:end])

    def by_call(self) -> tuple[dict[str, list[Stream]], list[Stream]]:
        """The streams by Call-ID, and those of no call."""
        found: dict[str, list[Stream]] = {}
        orphans = []
        for builder in sorted(self._streams.values(), key=lambda stream: stream.first):
            call_id = self._assign(builder)
            if call_id:
                found.setdefault(call_id, []).append(builder.finish())
            elif builder.believable:
                orphans.append(builder.finish())
        return found, orphans

    def problems(self, when: float) -> list[Problem]:
        """What could not be kept."""
        if not self._left_out:
            return []
        return [Problem("too_much", when, f"{self._left_out} RTP packets belong to more streams than are kept.")]

    def _begin(self, source: Endpoint, destination: Endpoint, ssrc: int, when: float) -> StreamBuilder | None:
        self._since_sweep += 1
        if len(self._streams) >= _MOST_STREAMS:
            self._sweep()
        if len(self._streams) >= _MOST_STREAMS:
            self._left_out += 1
            return None

        def meanings() -> Mapping[int, Meaning]:
            return self._book.meanings(source, destination, inf)

        stream = self._streams[source, destination, ssrc] = StreamBuilder(source, destination, ssrc, meanings)
        self._assign(stream, when)
        return stream

    def _assign(self, stream: StreamBuilder, when: float | None = None) -> str:
        """The call a stream belongs to, by the descriptions there are by now; empty where none speaks of it."""
        moment = stream.first if when is None else when
        to, by = self._book.of(stream.destination, moment), self._book.of(stream.source, moment)
        found = to or by
        if found is None:
            return ""
        stream.negotiated = True
        stream.encrypted = found.secure
        if to is not None and (by is None or by.party != to.party or by.call_id != to.call_id):
            stream.sender = "callee" if to.party == "caller" else "caller"
        elif by is not None:
            stream.sender = by.party
        return found.call_id

    def _sweep(self) -> None:
        """Forget what by now should look like a stream and does not."""
        if self._since_sweep < _SWEEP:
            return
        self._since_sweep = 0
        kept = {key: one for key, one in self._streams.items() if one.negotiated or one.believable}
        self._streams = kept
