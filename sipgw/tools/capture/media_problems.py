"""What is wrong with the streams of a call: loss, jitter, gaps, clocks, codecs."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sipgw.tools.capture.codecs import BESIDE_SPEECH, STATIC
from sipgw.tools.capture.descriptions import Description
from sipgw.tools.capture.model import CallTrace, Problem, Stream
from sipgw.tools.capture.places import place

_LOSS = 0.01
_JITTER_MS = 20.0
"""Mean; a maximum may come of a single pause."""
_SKEW_PPM = 200.0
_MOS = 3.6
_GAP = 2.0
"""Seconds."""
_SILENT = 0.995
_LONG_ENOUGH = 100
"""Packets."""
_MOST_GAPS = 5


def media_problems(call: CallTrace, descriptions: Sequence[Description]) -> Iterator[Problem]:
    """Everything that its streams have to complain of."""
    for stream in call.streams:
        if stream.codec not in BESIDE_SPEECH:
            yield from _quality(stream)
            yield from _gaps(stream, descriptions)
        yield from _unnegotiated(stream, descriptions)
    yield from _changes(call.streams)


def _quality(stream: Stream) -> Iterator[Problem]:
    who = _who(stream)
    share = stream.missing / (stream.missing + stream.packets)
    if share > _LOSS:
        yield Problem("loss", stream.first, f"{who} lost {stream.missing} packets, {share:.1%}.")
    if stream.jitter_ms > _JITTER_MS:
        sentence = (
            f"{who} has a jitter of {stream.jitter_ms:.0f} ms on average and {stream.max_jitter_ms:.0f} ms at worst."
        )
        yield Problem("jitter", stream.first, sentence)
    if stream.skew_ppm is not None and abs(stream.skew_ppm) > _SKEW_PPM:
        way = "fast" if stream.skew_ppm > 0 else "slow"
        sentence = (
            f"{who} comes from a clock that runs {abs(stream.skew_ppm):.0f} ppm too {way}: buffers run over or dry."
        )
        yield Problem("clock_skew", stream.first, sentence)
    if stream.mos is not None and stream.mos < _MOS and stream.packets >= _LONG_ENOUGH:
        yield Problem("low_quality", stream.first, f"{who} has an estimated MOS of {stream.mos:.1f}.")
    if stream.silent_share is not None and stream.silent_share > _SILENT and stream.packets >= _LONG_ENOUGH:
        sentence = (
            f"{who} carries nothing but silence: a muted or missing microphone, or a source that has nothing to say."
        )
        yield Problem("silence", stream.first, sentence)


def _gaps(stream: Stream, descriptions: Sequence[Description]) -> Iterator[Problem]:
    """Pauses of the sender that no hold explains."""
    found = 0
    for before, after in pairwise(stream.spans):
        pause = after.first - before.last
        if pause < _GAP or _held(stream, descriptions, before.last, after.first):
            continue
        found += 1
        if found <= _MOST_GAPS:
            yield Problem("gap", before.last, f"{_who(stream)} pauses for {pause:.1f} s.")


def _held(stream: Stream, descriptions: Sequence[Description], began: float, ended: float) -> bool:
    """Whether a description shortly before or during a pause tells the sender to be silent."""
    return any(d.direction != "sendrecv" and began - 5 <= d.when <= ended for d in descriptions)


def _unnegotiated(stream: Stream, descriptions: Sequence[Description]) -> Iterator[Problem]:
    """Payload types that the receiver did not ask for; static ones of the sender's own list are harmless no less."""
    asked = [d for d in descriptions if d.endpoint == stream.destination and d.when <= stream.last]
    if not asked:
        return
    known = set().union(*(d.meanings for d in asked))
    for payload_type, count in stream.payload_types.items():
        if payload_type not in known and payload_type != 13 and count > 4:
            name = f" ({STATIC[payload_type].name})" if payload_type in STATIC else ""
            wanted = ", ".join(str(one) for one in sorted(known)) or "none"
            sentence = (
                f"{_who(stream)} has {count} packets of payload type {payload_type}{name}, but its receiver "
                f"asked for {wanted}: a receiver that is strict drops them."
            )
            yield Problem("payload_type", stream.first, sentence)


def _changes(streams: Sequence[Stream]) -> Iterator[Problem]:
    """Streams that follow one another between the same endpoints."""
    speech = [s for s in streams if s.codec not in BESIDE_SPEECH]
    for index, one in enumerate(speech):
        for other in speech[index + 1 :]:
            same = (one.source, one.destination) == (other.source, other.destination)
            if same and one.ssrc != other.ssrc and other.first >= one.last - 0.5:
                sentence = f"{_who(one)} changes its SSRC from {one.ssrc:#010x} to {other.ssrc:#010x}."
                yield Problem("ssrc_change", other.first, sentence)
                break


def _who(stream: Stream) -> str:
    whose = f"of the {stream.sender} " if stream.sender else ""
    return f"Audio {whose}to {place(stream.destination)}"
