"""What a session has carried: for its end, for the table, and added up over the streams of its far end."""

from typing import TYPE_CHECKING

from sipgw.media.plane import StreamStats
from sipgw.media.score import scored
from sipgw.rtp.stats import ReceiveStats

if TYPE_CHECKING:
    from sipgw.media.session import Session


def added(earlier: StreamStats, stats: ReceiveStats) -> StreamStats:
    """Received over all streams: those before, and the one that runs."""
    return StreamStats(
        received_packets=earlier.received_packets + stats.received,
        lost_packets=earlier.lost_packets + max(stats.lost, 0),
        loss_bursts=earlier.loss_bursts + stats.gaps,
        late_packets=earlier.late_packets + stats.late,
        jitter_ms=stats.jitter_ms,
    )


def summary(session: "Session", packets: int) -> StreamStats:
    """What the session carried; `packets` were sent."""
    totals, hz = session.totals, session.codec.clock_hz
    first = None
    if session.first_audio is not None and session.started is not None:
        first = round((session.first_audio - session.started) * 1000)
    trip = session.reports.round_trip
    stats = StreamStats(
        sent_packets=packets,
        received_packets=totals.received_packets,
        lost_packets=totals.lost_packets,
        loss_bursts=totals.loss_bursts,
        jitter_ms=round(session.stats.jitter_ms or session.earlier.jitter_ms, 2),
        late_packets=totals.late_packets,
        concealed_ms=session.repair.concealed * 1000 // hz,
        filled_ms=session.repair.filled * 1000 // hz,
        round_trip_ms=None if trip is None else round(trip * 1000, 1),
        first_audio_ms=first,
        drops=dict(session.drops),
    )
    return scored(stats, session.stream, hz, session.reports.heard)


def kept(session: "Session") -> dict[str, float]:
    """What is written down now and then, by the table's columns."""
    totals, hz = session.totals, session.codec.clock_hz
    return {
        "started": session.started or 0.0,
        "first_audio": session.first_audio or 0.0,
        "received": totals.received_packets,
        "lost": totals.lost_packets,
        "loss_bursts": totals.loss_bursts,
        "late": totals.late_packets,
        "concealed_ms": session.repair.concealed * 1000 // hz,
        "filled_ms": session.repair.filled * 1000 // hz,
        "jitter_ms": totals.jitter_ms or session.earlier.jitter_ms,
        "receive_ssrc": session.remote_ssrc or 0,
        "receive_sequence": session.received,
    }
