"""From what generator and backend saw to the figures of a run: delays, pacing, losses."""

import numpy as np
from numpy.typing import NDArray

from sipgw.tools.bench.echo import Heard
from sipgw.tools.bench.marks import delays_ms, onsets
from sipgw.tools.bench.result import Run, Spread
from sipgw.tools.bench.traffic import Stream, Traffic

Window = tuple[int, int]
"""From and to, in nanoseconds of the real-time clock."""
_PTIME_MS = 20.0


def analyse(run: Run, traffic: Traffic, heard: Heard, backend_hz: int, window: Window) -> None:
    """Fill in what the far ends saw within the window."""
    pairs = [
        (stream, np.array(stream.marked, np.int64), onsets(heard.marks.get(call, []), backend_hz))
        for call, stream in enumerate(traffic.streams)
        if len(stream.marked)
    ]
    to_ai = [delays_ms(_within(sent, window), ai) for _, sent, ai in pairs]
    to_caller = [delays_ms(_within(ai, window), onsets(stream.marks.found, 0)) for stream, _, ai in pairs]
    echo = [delays_ms(_within(sent, window), onsets(stream.marks.found, 0)) for stream, sent, _ in pairs]
    run.to_ai_ms, run.to_caller_ms, run.echo_ms = (_spread(delays) for delays in (to_ai, to_caller, echo))
    run.marks_lost = sum(lost for _, lost in echo)
    run.pacing_ms = Spread.of(_joined([_pacing(stream, window) for stream in traffic.streams]))
    run.lost_to_caller = sum(_lost(stream, window) for stream in traffic.streams)
    run.generator_late_ms = Spread.of(np.array(traffic.late_ns, np.int64) / 1e6)


def sent_within(traffic: Traffic, window: Window) -> int:
    """Packets the callers sent in the window."""
    return len(_within(np.array(traffic.sent, np.int64), window))


def _spread(delays: list[tuple[NDArray[np.float64], int]]) -> Spread | None:
    return Spread.of(_joined([values for values, _ in delays]))


def _joined(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate(parts) if parts else np.empty(0)


def _within(times: NDArray[np.int64], window: Window) -> NDArray[np.int64]:
    return times[(times >= window[0]) & (times < window[1])]


def _pacing(stream: Stream, window: Window) -> NDArray[np.float64]:
    between: NDArray[np.float64] = np.diff(_within(np.array(stream.stamps, np.int64), window)) / 1e6
    return np.abs(between - _PTIME_MS)


def _lost(stream: Stream, window: Window) -> int:
    """Packets missing by their sequence numbers, between the first and the last in the window."""
    stamps = np.array(stream.stamps, np.int64)
    sequences = np.array(stream.sequences, np.int64)[(stamps >= window[0]) & (stamps < window[1])]
    if not len(sequences):
        return 0
    steps = (np.diff(sequences) + (1 << 15)) % (1 << 16) - (1 << 15)
    return int(steps.sum()) + 1 - len(sequences)
