"""Gathers the packets of one RTP stream into what the model says of it, in bounded memory."""

from collections import Counter
from collections.abc import Callable, Mapping

from sipgw.flow import Endpoint
from sipgw.rtp.dtmf import Digit, DtmfReceiver
from sipgw.rtp.quality import burst_ratio, mos
from sipgw.tools.capture.codecs import BESIDE_SPEECH, STATIC, TELEPHONE_EVENT, Meaning, guessed
from sipgw.tools.capture.level import Level
from sipgw.tools.capture.model import Key, Span, Stream
from sipgw.tools.capture.numbers import Numbers
from sipgw.tools.capture.timing import Jitter, Skew

_PAUSE = 1.0
"""Seconds without a packet that begin another span."""
_MOST_SPANS = 500
_MOST_KEYS = 1000
_MOST_STEPS = 16
_LEAST_PACKETS = 5
"""What no SDP speaks of must look like a stream for so long."""

Meanings = Callable[[], Mapping[int, Meaning]]


class StreamBuilder:
    """One SSRC from one endpoint to another.

    Args:
        source: where it comes from.
        destination: where it goes.
        ssrc: its source identifier.
        meanings: looks up what its payload types mean by now.
    """

    __slots__ = (
        "_in_order", "_jitter", "_keys", "_known", "_level", "_meanings", "_numbers", "_presses", "_skew",
        "_spans", "_steps", "_timestamp", "_types", "destination", "encrypted", "first", "last", "negotiated",
        "sender", "source", "ssrc",
    )  # fmt: skip

    def __init__(self, source: Endpoint, destination: Endpoint, ssrc: int, meanings: Meanings) -> None:
        self.source, self.destination, self.ssrc = source, destination, ssrc
        self.negotiated = self.encrypted = False
        self.sender = ""
        self.first = self.last = 0.0
        self._meanings = meanings
        self._known: dict[int, Meaning] = {}
        self._types: Counter[int] = Counter()
        self._numbers = Numbers()
        self._jitter, self._skew = Jitter(), Skew()
        self._level: Level | None = None
        self._presses: DtmfReceiver | None = None
        self._keys: list[Key] = []
        self._spans: list[Span] = []
        self._steps: Counter[int] = Counter()
        self._timestamp = 0
        self._in_order = 0

    def receive(self, when: float, payload_type: int, marker: bool, sequence: int, timestamp: int, data: bytes) -> None:
        """Take a packet; `data` is its payload."""
        meaning = self._known.get(payload_type) or self._learn(payload_type, data)
        self._time(when)
        self._types[payload_type] += 1
        ahead = self._numbers.receive(sequence)
        self._in_order += ahead == 1
        self._jitter.receive(when, timestamp, meaning, marker)
        self._skew.receive(when, timestamp, meaning)
        if meaning.name == TELEPHONE_EVENT:
            self._press(when, timestamp, data, meaning)
        elif meaning.name not in BESIDE_SPEECH:
            self._hear(ahead, timestamp, data, meaning)

    @property
    def packets(self) -> int:
        """How many came."""
        return self._numbers.packets

    @property
    def believable(self) -> bool:
        """Whether it is a stream even if no description says so: enough packets, most of them in order."""
        return self.packets >= _LEAST_PACKETS and self._in_order * 2 >= self.packets

    def finish(self) -> Stream:
        """What all of them together say."""
        meaning, numbers = self._main(), self._numbers
        step = self._steps.most_common(1)
        ptime_ms = step[0][0] * 1000 / meaning.clock_hz if step and meaning.clock_hz else None
        share = numbers.missing / max(numbers.missing + numbers.packets - numbers.duplicates, 1)
        heard = self._level.finish() if self._level else None
        return Stream(
            self.source,
            self.destination,
            self.ssrc,
            meaning.name,
            self.first,
            self.last,
            numbers.packets,
            clock_hz=meaning.clock_hz,
            payload_types=dict(self._types),
            spans=tuple(self._spans),
            ptime_ms=ptime_ms,
            lost=numbers.lost,
            missing=numbers.missing,
            duplicates=numbers.duplicates,
            reordered=numbers.reordered,
            jitter_ms=self._jitter.mean_ms,
            max_jitter_ms=self._jitter.maximum_ms,
            skew_ppm=self._skew.ppm(),
            keys=tuple(self._all_keys()),
            level_dbfs=heard[0] if heard else None,
            silent_share=heard[1] if heard else None,
            mos=mos(
                meaning.name,
                share,
                burst_ratio=burst_ratio(numbers.missing, numbers.bursts, share),
                jitter_ms=self._jitter.mean_ms,
                ptime_ms=ptime_ms or 20,
            ),
            negotiated=self.negotiated,
            sender=self.sender,
            encrypted=self.encrypted,
        )

    def _learn(self, payload_type: int, payload: bytes = b"") -> Meaning:
        """What a payload type means; looked up anew while nothing says so, as the description may come later."""
        meaning = self._meanings().get(payload_type) or STATIC.get(payload_type)
        if meaning is None:
            meaning = guessed(payload_type, payload)
            if meaning.name != TELEPHONE_EVENT:
                return meaning
        self._known[payload_type] = meaning
        return meaning

    def _main(self) -> Meaning:
        """The codec of most packets; keys and noise only where there is nothing else."""
        meant = Counter[Meaning]()
        for payload_type, count in self._types.items():
            meant[self._known.get(payload_type) or self._learn(payload_type)] += count
        speech = [(count, meaning) for meaning, count in meant.items() if meaning.name not in BESIDE_SPEECH]
        return max(speech or [(count, meaning) for meaning, count in meant.items()], key=lambda pair: pair[0])[1]

    def _time(self, when: float) -> None:
        if not self._spans:
            self.first = when
        if not self._spans or (when - self.last >= _PAUSE and len(self._spans) < _MOST_SPANS):
            self._spans.append(Span(when, when, 1))
        else:
            span = self._spans[-1]
            self._spans[-1] = Span(span.first, when, span.packets + 1)
        self.last = when

    def _hear(self, ahead: int, timestamp: int, data: bytes, meaning: Meaning) -> None:
        if ahead == 1:
            step = (timestamp - self._timestamp) % (1 << 32)
            if 0 < step < meaning.clock_hz and (step in self._steps or len(self._steps) < _MOST_STEPS):
                self._steps[step] += 1
        self._timestamp = timestamp
        if self._level is None and not self.encrypted:
            self._level = Level()
        if self._level is not None:
            self._level.receive(meaning.name, data)

    def _press(self, when: float, timestamp: int, data: bytes, meaning: Meaning) -> None:
        if self.encrypted:
            return
        if self._presses is None:
            self._presses = DtmfReceiver(meaning.clock_hz)
        self._keep(when, self._presses.handle_timers(when))
        self._keep(when, self._presses.receive(timestamp, data, when))

    def _keep(self, when: float, digit: Digit | None) -> None:
        if digit is not None and len(self._keys) < _MOST_KEYS:
            self._keys.append(Key(when - digit.duration_ms / 1000, digit.digit, digit.duration_ms, "rfc4733"))

    def _all_keys(self) -> list[Key]:
        """With one whose end was lost."""
        if self._presses is not None:
            self._keep(self.last, self._presses.handle_timers(self.last + 10))
        return self._keys
