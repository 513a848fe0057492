"""How a session sounded both ways: what was counted here and what the far end reports of us, through the E-model."""

import msgspec

from sipgw.media.plane import Stream, StreamStats
from sipgw.rtp.quality import burst_ratio, mos
from sipgw.rtp.rtcp import ReportBlock


def scored(stats: StreamStats, stream: Stream, clock_hz: int, heard: ReportBlock | None) -> StreamStats:
    """The counters with what they mean to the ear.

    Args:
        stats: what was counted.
        stream: what was agreed last.
        clock_hz: timestamp units a second.
        heard: what the far end said last of our stream.
    """
    return msgspec.structs.replace(
        stats,
        mos=_to_us(stats, stream),
        far_lost_packets=None if heard is None else _lost(heard, stats),
        far_jitter_ms=None if heard is None else round(heard.jitter * 1000 / clock_hz, 2),
        far_mos=None if heard is None else _to_them(stats, stream, heard, clock_hz),
    )


def _to_us(stats: StreamStats, stream: Stream) -> float | None:
    if not stats.received_packets:
        return None
    loss = stats.lost_packets / (stats.lost_packets + stats.received_packets)
    return _rounded(
        mos(
            stream.codec,
            loss,
            burst_ratio=burst_ratio(stats.lost_packets, stats.loss_bursts, loss),
            jitter_ms=stats.jitter_ms,
            ptime_ms=stream.ptime_ms,
            round_trip_ms=stats.round_trip_ms,
        )
    )


def _to_them(stats: StreamStats, stream: Stream, heard: ReportBlock, clock_hz: int) -> float | None:
    return _rounded(
        mos(
            stream.codec,
            _lost(heard, stats) / max(stats.sent_packets, 1),
            jitter_ms=heard.jitter * 1000 / clock_hz,
            ptime_ms=stream.ptime_ms,
            round_trip_ms=stats.round_trip_ms,
        )
    )


def _lost(heard: ReportBlock, stats: StreamStats) -> int:
    """Of our packets; a far end may say what it likes, but not that more were lost than left."""
    return min(max(heard.lost, 0), stats.sent_packets)


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 2)
