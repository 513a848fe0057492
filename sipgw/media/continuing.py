"""Reads out of a state table whose engine is gone how its sessions go on elsewhere."""

from math import ceil

import msgspec

from sipgw.media.agreed import packet_interval
from sipgw.media.plane import Continuation, Stream, StreamStats
from sipgw.media.score import scored
from sipgw.media.table import Table
from sipgw_codecs.registry import codec

AHEAD = 64
"""Packets that numbers jump beyond the time that has passed: never back, whatever the last moment left unwritten."""


def continuation(table: Table, slot: int, stream: Stream, elapsed: float) -> Continuation:
    """How the session in `slot` goes on.

    Args:
        table: of an engine that is dead.
        stream: what the session sends.
        elapsed: seconds since the engine's last sign of life.
    """
    row, sent_as = table.rows[slot], codec(stream.codec)
    clock_hz, interval_ms = sent_as.clock_hz, sent_as.interval(packet_interval(stream.ptime_ms))
    packets = ceil(max(elapsed, 0.0) * 1000 / interval_ms) + AHEAD if row["started"] else 0
    sent = int(row["sequence"]) - int(row["first_sequence"])
    return Continuation(
        ssrc=int(row["ssrc"]),
        sequence=int(row["sequence"]) + packets,
        timestamp=(int(row["timestamp"]) + packets * clock_hz * interval_ms // 1000) & 0xFFFFFFFF,
        cname=row["cname"].decode(),
        source=table.latched(slot),
        started=float(row["started"]) or None,
        first_audio=float(row["first_audio"]) or None,
        sent_ms=int(row["sent_ms"]),
        octets=int(row["octets"]),
        stats=StreamStats(
            sent_packets=sent,
            received_packets=int(row["received"]),
            lost_packets=int(row["lost"]),
            loss_bursts=int(row["loss_bursts"]),
            jitter_ms=round(float(row["jitter_ms"]), 2),
            late_packets=int(row["late"]),
            concealed_ms=int(row["concealed_ms"]),
            filled_ms=int(row["filled_ms"]),
        ),
        receive_ssrc=int(row["receive_ssrc"]),
        receive_sequence=int(row["receive_sequence"]),
    )


def last_counters(after: Continuation, stream: Stream) -> StreamStats:
    """What a session had carried that does not go on."""
    first = None
    if after.started is not None and after.first_audio is not None:
        first = round((after.first_audio - after.started) * 1000)
    stats = msgspec.structs.replace(after.stats, first_audio_ms=first)
    return scored(stats, stream, codec(stream.codec).clock_hz, None)
