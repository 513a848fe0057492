"""From what the call core knows of a call to rows of the tables."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from sipgw.call.cdr import CallRecord
from sipgw.media.plane import StreamStats

Value = str | int | float | datetime | list[int] | None
Row = dict[str, Value]


def call_row(record: CallRecord) -> Row:
    """The row of `calls`."""
    stats = record.stats
    return {
        **{name: _text(getattr(record, name)) for name in _TEXTS},
        "started": moment(record.started),
        "ringing": _maybe(record.ringing),
        "answered": _maybe(record.answered),
        "ended": moment(record.ended),
        "seconds": round(record.seconds, 3),
        "post_dial_seconds": None if record.post_dial_seconds is None else round(record.post_dial_seconds, 3),
        "status": record.status,
        "q850": record.q850,
        "digits": record.digits,
        "first_audio_ms": stats.first_audio_ms if stats else None,
        "mos": _worse(stats) if stats else None,
        "turns_ms": list(record.turns_ms),
        "turn_p50_ms": percentile(record.turns_ms, 50),
        "turn_p95_ms": percentile(record.turns_ms, 95),
    }


_TEXTS = (
    "call", "node", "sip_call_id", "source", "trunk", "route", "caller", "caller_name", "called", "target",
    "cause", "hung_up_by", "reason", "codec",
)  # fmt: skip
"""Columns that are attributes of the record as they stand."""


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The least value that so many percent of the values do not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def moment(unix: float) -> datetime:
    """A Unix time as the tables want it, to the microsecond."""
    return datetime.fromtimestamp(unix, UTC)


def _maybe(unix: float | None) -> datetime | None:
    return None if unix is None else moment(unix)


def _text(value: str) -> str:
    """PostgreSQL takes no NUL in text, and a far end may send one."""
    return value.replace("\0", "\ufffd") if "\0" in value else value


def _worse(stats: StreamStats) -> float | None:
    return min((score for score in (stats.mos, stats.far_mos) if score is not None), default=None)
