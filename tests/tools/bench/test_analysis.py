"""The figures of a run, from far ends whose every packet is made up."""

import numpy as np
import pytest

from sipgw.tools.bench.analysis import analyse, sent_within
from sipgw.tools.bench.echo import Heard
from sipgw.tools.bench.marks import TONE
from sipgw.tools.bench.result import Run
from sipgw.tools.bench.traffic import Stream, Traffic
from sipgw_codecs.g711 import PCMU

MS = 1_000_000
SECOND = 1000 * MS


def pcm(payload: bytes) -> bytes:
    return PCMU.decode(np.frombuffer(payload, np.uint8)).tobytes()


def traffic(calls: int, packets: int, *, lose: int | None = None) -> Traffic:
    """Every call gets a packet every 20 ms and one mark a second, 15 ms after it was said."""
    seen = Traffic([Stream() for _ in range(calls)])
    for stream in seen.streams:
        for packet in range(packets):
            seen.sent.append(packet * 20 * MS)
            if packet != lose:
                stream.stamps.append(packet * 20 * MS + 15 * MS)
                stream.sequences.append((packet + 65_530) & 0xFFFF)
            if not packet % 50:
                stream.marked.append(packet * 20 * MS)
                stream.marks.found.append([(packet * 20 * MS + 15 * MS, TONE[0])])
    seen.late_ns.extend([100_000] * 99 + [3 * MS])
    return seen


def heard(calls: int, seconds: int) -> Heard:
    """The backend hears each mark 5 ms after it was said."""
    return Heard({call: [[(n * SECOND + 5 * MS, pcm(TONE[0]))] for n in range(seconds)] for call in range(calls)})


def test_delays_each_way_add_up_to_the_echo() -> None:
    run = Run(calls=2, answered=2)
    analyse(run, traffic(2, 150), heard(2, 3), 8000, (0, 3 * SECOND))
    assert run.to_ai_ms is not None
    assert run.to_caller_ms is not None
    assert run.echo_ms is not None
    assert run.to_ai_ms.p50 == pytest.approx(5, abs=0.3)
    assert run.to_caller_ms.p50 == pytest.approx(10, abs=0.3)
    assert run.echo_ms.p50 == pytest.approx(15, abs=0.3)
    assert run.marks_lost == 0


def test_a_lost_packet_counts_once_and_shows_in_the_pacing_and_sequence_numbers_may_wrap() -> None:
    run = Run(calls=1, answered=1)
    analyse(run, traffic(1, 100, lose=30), heard(1, 2), 8000, (0, 2 * SECOND))
    assert run.lost_to_caller == 1
    assert run.pacing_ms is not None
    assert run.pacing_ms.p50 == 0.0
    assert run.pacing_ms.p99 > 0.0


def test_only_the_window_counts() -> None:
    seen = traffic(1, 150, lose=10)
    run = Run(calls=1, answered=1)
    analyse(run, seen, heard(1, 3), 8000, (SECOND, 2 * SECOND))
    assert run.lost_to_caller == 0
    assert sent_within(seen, (SECOND, 2 * SECOND)) == 50


def test_a_call_that_never_came_up_has_no_part_in_it() -> None:
    seen = traffic(1, 100)
    seen.streams.append(Stream())
    run = Run(calls=2, answered=1)
    analyse(run, seen, heard(1, 2), 8000, (0, 2 * SECOND))
    assert run.marks_lost == 0


def test_a_late_generator_makes_a_run_invalid_and_is_named() -> None:
    seen = traffic(1, 100)
    seen.late_ns.extend([3 * MS] * 10)
    run = Run(calls=1, answered=1)
    analyse(run, seen, heard(1, 2), 8000, (0, 2 * SECOND))
    run.judge()
    assert run.invalid == ["the generator was 3.0 ms late itself (99th percentile)"]
