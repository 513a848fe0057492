"""From what the call core knows of a call to rows of the tables."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from sipgw.call.cdr import HOOK, Attempt, CallRecord, Recording, Replacement
from sipgw.media.plane import StreamStats

Row = dict[str, Any]


def rows(record: CallRecord) -> dict[str, list[Row]]:
    """The rows of a call, by table."""
    return {
        "calls": [call_row(record)],
        "legs": _legs(record),
        "utterances": [
            {"call": record.call, "number": number, "at": moment(one.when), "who": one.who, "text": clean(one.text)}
            for number, one in enumerate(record.transcript, 1)
        ],
        "recordings": [_recording(record.call, number, one) for number, one in enumerate(record.recordings, 1)],
    }


def call_row(record: CallRecord) -> Row:
    """The row of `calls`."""
    stats = record.stats
    return {
        **{name: clean(getattr(record, name)) for name in _TEXTS},
        "started": moment(record.started),
        "ringing": _maybe(record.ringing),
        "answered": _maybe(record.answered),
        "ended": moment(record.ended),
        "seconds": round(record.seconds, 3),
        "post_dial_seconds": None if record.post_dial_seconds is None else round(record.post_dial_seconds, 3),
        "status": record.status,
        "q850": record.q850,
        "far_status": record.far_status,
        "far_q850": record.far_q850,
        "digits": record.digits,
        "first_audio_ms": stats.first_audio_ms if stats else None,
        "mos": _worse(stats) if stats else None,
        "turns_ms": list(record.turns_ms),
        "turn_p50_ms": percentile(record.turns_ms, 50),
        "turn_p95_ms": percentile(record.turns_ms, 95),
        **{name: clean(value) for name, value in record.carried.brief().items()},
        "headers": dict(record.headers),
        "carried": msgspec.json.decode(msgspec.json.encode(record.carried)),
    }


def _legs(record: CallRecord) -> list[Row]:
    """The caller's, then each target, then who took the caller's place."""
    targets = [_ai_leg(record.call, number, one) for number, one in enumerate(record.targets, 1)]
    ends = [*(one.when for one in record.replacements[1:]), record.ended]
    replacements = enumerate(zip(record.replacements, ends, strict=False), len(targets) + 1)
    others = [_replacement(record.call, number, one, ended) for number, (one, ended) in replacements]
    return [_caller_leg(record), *targets, *others]


def _replacement(call: str, number: int, one: Replacement, ended: float) -> Row:
    leg = _leg(call, number, "replacement", clean(one.caller), one.when, one.when, ended)
    return {**leg, "sip_call_id": clean(one.sip_call_id)}


def _recording(call: str, number: int, one: Recording) -> Row:
    return {
        "call": call, "number": number, "path": one.path, "started": moment(one.started), "seconds": one.seconds,
        "sha256": one.sha256, "paused": [list(part) for part in one.paused], "lost_ms": one.lost_ms,
        "failure": one.failure,
    }  # fmt: skip


def _caller_leg(record: CallRecord) -> Row:
    stats = record.stats
    ended = record.replacements[0].when if record.replacements else record.ended
    return {
        **_leg(record.call, 0, "caller", clean(record.caller), record.started, record.answered, ended),
        "sip_call_id": clean(record.sip_call_id),
        "codec": record.codec,
        "srtp": record.srtp,
        **{name: None if stats is None else getattr(stats, name) for name in _COUNTERS},
        "drops": stats.drops if stats else {},
    }


def _ai_leg(call: str, number: int, one: Attempt) -> Row:
    kind, ended = "hook" if one.dialect == HOOK else "ai", one.when if one.ended is None else one.ended
    return {
        **_leg(call, number, kind, one.target, one.when, one.ready, ended),
        "dialect": one.dialect,
        "failure": one.failure,
        "advice": f"{one.advice} ({one.remembered})" if one.remembered else one.advice,
        "connected_ms": one.connected_ms,
        "heard_ms": one.heard_ms,
        "said_ms": one.said_ms,
    }


def _leg(call: str, number: int, kind: str, name: str, started: float, ready: float | None, ended: float) -> Row:
    """What all legs have, and nothing of what some have."""
    return {
        "call": call, "number": number, "kind": kind, "name": name,
        "started": moment(started), "ready": _maybe(ready), "ended": moment(ended),
        "sip_call_id": "", "dialect": "", "failure": "", "advice": "",
        "connected_ms": None, "heard_ms": 0, "said_ms": 0, "codec": "", "srtp": "",
        **dict.fromkeys(_COUNTERS), "drops": {},
    }  # fmt: skip


_COUNTERS = (
    "sent_packets", "received_packets", "lost_packets", "late_packets", "jitter_ms", "round_trip_ms", "mos",
    "far_lost_packets", "far_jitter_ms", "far_mos", "concealed_ms", "filled_ms",
)  # fmt: skip
"""Columns that are attributes of the session's counters."""
_TEXTS = (
    "call", "node", "sip_call_id", "source", "trunk", "route", "caller", "caller_name", "called", "target",
    "cause", "hung_up_by", "reason", "codec", "far_text",
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


def clean(value: str) -> str:
    """Text that any database takes: PostgreSQL takes no NUL in text, and a far end may send one."""
    return value.replace("\0", "\ufffd") if "\0" in value else value


def _worse(stats: StreamStats) -> float | None:
    return min((score for score in (stats.mos, stats.far_mos) if score is not None), default=None)
