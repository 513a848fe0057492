"""A capture as JSON: the keys are a promise, and `SCHEMA_VERSION` counts when one of them changes its meaning.

version      of this document
file, packets, first, last       the capture; times in seconds since 1970
requests     method to count             responses    status to count
calls        call_id caller callee status outcome first last answered ended ended_by
             setup_delay ringing_delay answer_delay (seconds) retransmissions messages streams keys problems
  messages   when number transport source destination label repeated
  streams    as below
  keys       when digit duration_ms how
  problems   name when sentence
streams      those of no call: source destination ssrc sender codec clock_hz payload_types first last packets
             lost missing duplicates reordered jitter_ms max_jitter_ms ptime_ms skew_ppm level_dbfs silent_share
             mos negotiated encrypted spans keys
problems     of the file
"""

import json
from typing import Any

from sipgw.flow import Endpoint
from sipgw.tools.capture.model import CallTrace, Capture, Key, Problem, SipMessage, Stream
from sipgw.tools.capture.places import place

SCHEMA_VERSION = 1


def as_json(capture: Capture) -> str:
    """The document as text."""
    return json.dumps(document(capture), indent=2, ensure_ascii=False)


def document(capture: Capture) -> dict[str, Any]:
    """The document as plain values."""
    return {
        "version": SCHEMA_VERSION,
        "file": capture.path.name,
        "packets": capture.packets,
        "first": _time(capture.first),
        "last": _time(capture.last),
        "requests": dict(capture.requests),
        "responses": {str(status): count for status, count in capture.responses.items()},
        "calls": [_call(call) for call in capture.calls],
        "streams": [_stream(stream) for stream in capture.streams],
        "problems": [_problem(problem) for problem in capture.problems],
    }


def _call(call: CallTrace) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "caller": call.caller,
        "callee": call.callee,
        "status": call.status,
        "outcome": call.outcome,
        "first": _time(call.first),
        "last": _time(call.last),
        "answered": _time(call.answered),
        "ended": _time(call.ended),
        "ended_by": call.ended_by or None,
        "setup_delay": _time(call.setup_delay),
        "ringing_delay": _time(call.ringing_delay),
        "answer_delay": _time(call.answer_delay),
        "retransmissions": call.retransmissions,
        "messages": [_message(message) for message in call.messages],
        "streams": [_stream(stream) for stream in call.streams],
        "keys": [_key(key) for key in call.keys],
        "problems": [_problem(problem) for problem in call.problems],
    }


def _message(message: SipMessage) -> dict[str, Any]:
    return {
        "when": _time(message.when),
        "number": message.number,
        "transport": message.transport,
        "source": place(message.source),
        "destination": place(message.destination),
        "label": message.label,
        "repeated": message.repeated,
    }


def _stream(stream: Stream) -> dict[str, Any]:
    spans = [{"first": _time(span.first), "last": _time(span.last), "packets": span.packets} for span in stream.spans]
    return {
        **_ends(stream.source, stream.destination),
        "ssrc": stream.ssrc,
        "sender": stream.sender or None,
        "codec": stream.codec,
        "clock_hz": stream.clock_hz,
        "payload_types": {str(number): count for number, count in stream.payload_types.items()},
        "first": _time(stream.first),
        "last": _time(stream.last),
        "packets": stream.packets,
        "lost": stream.lost,
        "missing": stream.missing,
        "duplicates": stream.duplicates,
        "reordered": stream.reordered,
        "jitter_ms": _rounded(stream.jitter_ms, 3),
        "max_jitter_ms": _rounded(stream.max_jitter_ms, 3),
        "ptime_ms": stream.ptime_ms,
        "skew_ppm": _rounded(stream.skew_ppm, 1),
        "level_dbfs": _rounded(stream.level_dbfs, 1),
        "silent_share": _rounded(stream.silent_share, 3),
        "mos": _rounded(stream.mos, 2),
        "negotiated": stream.negotiated,
        "encrypted": stream.encrypted,
        "spans": spans,
        "keys": [_key(key) for key in stream.keys],
    }


def _ends(source: Endpoint, destination: Endpoint) -> dict[str, str]:
    return {"source": place(source), "destination": place(destination)}


def _key(key: Key) -> dict[str, Any]:
    return {"when": _time(key.when), "digit": key.digit, "duration_ms": key.duration_ms, "how": key.how}


def _problem(problem: Problem) -> dict[str, Any]:
    return {"name": problem.name, "when": _time(problem.when), "sentence": problem.sentence}


def _time(seconds: float | None) -> float | None:
    return _rounded(seconds, 6)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
