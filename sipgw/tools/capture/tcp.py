"""Puts TCP streams together again (RFC 9293 section 3.4), within bounds: out of order, repeated, with holes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sipgw.flow import Endpoint
from sipgw.tools.capture.ip import Segment

_MOST_FLOWS = 4096
_MOST_HELD_BYTES = 1 << 18
_MOST_HELD = 256
_PATIENCE = 3.0
"""Seconds to wait for what is missing: a sender repeats it sooner, and else the capture has lost it."""
_MODULUS = 1 << 32

Path = tuple[Endpoint, Endpoint]
"""Source and destination."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What came next on a stream."""

    data: bytes
    hole: bool = False
    """Bytes before it are missing in the capture."""


@dataclass(slots=True)
class _Flow:
    """One direction of a connection."""

    next: int
    """Sequence number of the first byte that is not yet here."""
    held: dict[int, bytes] = field(default_factory=dict)
    """What came too early, by sequence number."""
    held_bytes: int = 0
    waiting_since: float = 0.0

    def receive(self, segment: Segment) -> Iterator[Chunk]:
        """What a segment brings into order."""
        ahead = _signed(segment.sequence - self.next)
        if ahead > 0:
            yield from self._hold(segment)
        elif ahead + len(segment.payload) > 0:
            yield self._take(segment.payload[-ahead:])
            yield from self._continue()

    def skip(self) -> Iterator[Chunk]:
        """Give up what is missing."""
        while self.held:
            first = min(self.held, key=lambda sequence: _signed(sequence - self.next))
            data = self._release(first)
            ahead = _signed(first - self.next)
            if ahead + len(data) <= 0:
                continue
            if ahead > 0:
                self.next = first
            yield Chunk(self._take(data[max(-ahead, 0) :]).data, hole=ahead > 0)
            yield from self._continue()

    def _hold(self, segment: Segment) -> Iterator[Chunk]:
        if not self.held:
            self.waiting_since = segment.when
        if len(segment.payload) > len(self.held.get(segment.sequence, b"")):
            self._release(segment.sequence)
            self.held[segment.sequence] = segment.payload
            self.held_bytes += len(segment.payload)
        late = segment.when - self.waiting_since > _PATIENCE
        if late or self.held_bytes > _MOST_HELD_BYTES or len(self.held) > _MOST_HELD:
            yield from self.skip()

    def _continue(self) -> Iterator[Chunk]:
        """What was held and follows now."""
        while self.held:
            fitting = next((s for s in self.held if _signed(s - self.next) <= 0), None)
            if fitting is None:
                return
            data = self._release(fitting)
            rest = data[-_signed(fitting - self.next) :] if fitting != self.next else data
            if rest and _signed(fitting - self.next) + len(data) > 0:
                yield self._take(rest)

    def _release(self, sequence: int) -> bytes:
        data = self.held.pop(sequence, b"")
        self.held_bytes -= len(data)
        return data

    def _take(self, data: bytes) -> Chunk:
        self.next = (self.next + len(data)) % _MODULUS
        return Chunk(data)


class Flows:
    """All streams of a capture."""

    def __init__(self) -> None:
        self._flows: dict[Path, _Flow] = {}

    def receive(self, segment: Segment) -> tuple[bool, list[Chunk]]:
        """Whether a new stream begins with this segment, and the bytes that it brings into order."""
        path = (segment.source, segment.destination)
        flow = self._flows.get(path)
        begins = flow is None or (segment.syn and _signed(segment.sequence + 1 - flow.next) != 0)
        if flow is None or begins:
            if not segment.payload and not segment.syn:
                return False, []
            flow = self._begin(path, segment)
        chunks = list(flow.receive(segment)) if segment.payload and not segment.syn else []
        if segment.closing:
            chunks += flow.skip()
        return begins, chunks

    def finish(self) -> Iterator[tuple[Path, Chunk]]:
        """What the end of the capture leaves held."""
        for path, flow in self._flows.items():
            for chunk in flow.skip():
                yield path, chunk

    def _begin(self, path: Path, segment: Segment) -> _Flow:
        self._flows.pop(path, None)
        if len(self._flows) >= _MOST_FLOWS:
            del self._flows[next(iter(self._flows))]
        flow = self._flows[path] = _Flow((segment.sequence + segment.syn) % _MODULUS)
        return flow


def _signed(difference: int) -> int:
    """A difference of sequence numbers, either way round."""
    return (difference + _MODULUS // 2) % _MODULUS - _MODULUS // 2
