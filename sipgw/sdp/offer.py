"""Offer and answer for one audio stream (RFC 3264).

RFC 3264 leaves it to the answerer which of several codecs it takes: it is the first of *ours* (`LocalAudio.codecs`)
that the far end has, so that one setting decides it for all calls. The answer names that codec only, plus
telephone-event, under the offer's payload types: nothing changes codec in mid-call without an offer.

Whether a stream is protected, and by which keys, is for `sdp/protection.py`.

Nothing is echoed that we do not do: no bundle, ICE or rtcp-mux. A far end that offered rtcp-mux
reads from its absence that RTCP has its own port (RFC 5761 section 5.1.1); one that offered a bundle, that each line
has a transport of its own (RFC 8843 section 7.3.3); an ICE agent, full or lite, that it talks to one that is none, at
the address in its `c=` and `m=` lines (RFC 8839 section 4.2.5). Its candidates are never sent to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from secrets import token_bytes

from sipgw.errors import PeerError
from sipgw.sdp.audio import Agreement, AudioStream, LocalAudio, audio_line, both, following, listens, rejected, sends
from sipgw.sdp.crypto import Crypto, Keys, RandomBytes
from sipgw.sdp.formats import TELEPHONE_EVENT, Format, clock_of, formats_of, types_of, usual_type
from sipgw.sdp.model import Media, Sdp
from sipgw.sdp.protection import answered, in_order, proposed, settled
from sipgw.sdp.remote import Remote, ptime_of, refusal
from sipgw.sdp.suspended import suspended

__all__ = ["Agreement", "AudioStream", "LocalAudio", "accept", "answer", "offer"]

_MOST_LINES = 64
"""Lines of media: whoever offers more wants a long answer, not a call."""
_DYNAMIC = (*range(101, 128), *range(96, 101))
"""Payload types for what has none of its own (RFC 3551 section 6)."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A codec both sides have, with the far end's payload types."""

    codec: str
    types: tuple[int, ...]
    event_type: int | None
    parameters: str


@dataclass(frozen=True, slots=True)
class _Taken:
    """The offered line that is taken, and what is made of it."""

    line: int
    choice: _Choice
    remote: Remote
    crypto: Crypto | None
    keys: Keys | None


def answer(
    offer: Sdp, local: LocalAudio, previous: Agreement | None = None, random: RandomBytes = token_bytes
) -> Agreement:
    """Answer an offer line by line; the first audio line that fits is taken, all others get port 0.

    Args:
        offer: what the far end sent.
        local: what we bring.
        previous: what was agreed before in this dialog, whose session and version go on.
        random: makes our key, where the stream is protected.

    Raises:
        PeerError: 488 with a Warning header, where no line fits.
    """
    if closed := suspended(offer, local, previous):
        return closed
    taken = _take(offer, local, previous, random)
    choice, remote, media = taken.choice, taken.remote, offer.media[taken.line]
    ptime_ms = ptime_of(offer, media, local.ptime_ms)
    formats = _described(choice.codec, choice.types[0], choice.event_type)
    way = both(remote.direction, local.direction)
    ours = audio_line(local, media.protocol, formats, ptime_ms, way, [taken.crypto] if taken.crypto else [])
    lines = (ours if i == taken.line else rejected(other) for i, other in enumerate(offer.media))
    sdp = Sdp(local.origin(), local.address, tuple(lines), timing=offer.timing)
    stream = AudioStream(
        choice.codec, remote.rtp, remote.rtcp, choice.types, choice.types[0], choice.event_type, choice.event_type,
        ptime_ms, choice.parameters, taken.keys, sends(way), listens(way),
    )  # fmt: skip
    return Agreement(following(sdp, previous.sdp if previous else None), stream, taken.line)


def offer(local: LocalAudio, previous: Agreement | None = None, random: RandomBytes = token_bytes) -> Sdp:
    """Offer all our codecs in our order.

    With `previous` it is a new offer in the same dialog: payload types keep their meaning, and lines keep their
    place (RFC 3264 section 8).
    """
    protocol, keys = proposed(local.srtp, random, previous)
    ours = audio_line(local, protocol, _offered(local, previous), local.ptime_ms, local.direction, keys)
    if previous is None:
        return Sdp(local.origin(), local.address, (ours,))
    before = previous.sdp
    lines = (ours if i == previous.line else rejected(other) for i, other in enumerate(before.media))
    return following(Sdp(local.origin(), local.address, tuple(lines), timing=before.timing), before)


def accept(offer: Sdp, answer: Sdp, local: LocalAudio) -> Agreement:
    """What the far end's `answer` to our `offer` means.

    The answerer's first codec is taken. It may have given it another number (RFC 3264 section 6.1): ours is what we
    receive, its own what we send.

    Raises:
        PeerError: 488: the stream was refused, or the answer is none to what we offered.
    """
    line = next(i for i, media in enumerate(offer.media) if media.kind == "audio" and media.port)
    ours = offer.media[line]
    if line >= len(answer.media) or answer.media[line].kind != "audio" or not answer.media[line].port:
        raise refusal(304, "the audio stream was not accepted")
    theirs = answer.media[line]
    keys = settled(ours, theirs, local.srtp)
    offered = formats_of(ours)
    choice = _first_common(theirs, [f.name for f in offered], local.dtmf)
    receive = types_of(offered, choice.codec, clock_of(choice.codec))
    events = types_of(offered, TELEPHONE_EVENT, clock_of(choice.codec))
    remote = Remote.of(answer, theirs, local.address)
    # A far end that answers our hold as if it were none is on hold all the same.
    way = both(remote.direction, local.direction)
    stream = AudioStream(
        choice.codec, remote.rtp, remote.rtcp, receive, choice.types[0],
        events[0] if events and choice.event_type is not None else None, choice.event_type,
        ptime_of(answer, theirs, local.ptime_ms), choice.parameters, keys, sends(way), listens(way),
    )  # fmt: skip
    return Agreement(offer, stream, line)


def _take(offer: Sdp, local: LocalAudio, previous: Agreement | None, random: RandomBytes) -> _Taken:
    """The first audio line that fits; where none does, the first line's refusal."""
    if len(offer.media) > _MOST_LINES:
        raise refusal(399, f"more than {_MOST_LINES} lines of media")
    refusals: list[PeerError] = []
    before = previous.stream.srtp if previous else None
    for line, media in in_order(offer.media, local.srtp):
        try:
            crypto, keys = answered(media, local.srtp, random, before)
            return _Taken(line, _choose(media, local), Remote.of(offer, media, local.address), crypto, keys)
        except PeerError as error:
            refusals.append(error)
    raise refusals[0] if refusals else refusal(304, "no audio stream offered")


def _choose(media: Media, local: LocalAudio) -> _Choice:
    """The first of our codecs that an offered line has."""
    formats = formats_of(media)
    for codec in local.codecs:
        types = types_of(formats, codec, clock_of(codec))
        if types:
            parameters = next(one.parameters for one in formats if one.payload_type == types[0])
            return _Choice(codec, types, _event_type(formats, codec, local.dtmf), parameters)
    raise refusal(305, f"none of the codecs served: {', '.join(local.codecs)}")


def _first_common(media: Media, names: Sequence[str], dtmf: bool) -> _Choice:
    """The first codec of an answered line that is among those we offered."""
    formats = formats_of(media)
    for one in formats:
        if one.name in names and one.name != TELEPHONE_EVENT and one.clock_hz == clock_of(one.name):
            return _Choice(one.name, (one.payload_type,), _event_type(formats, one.name, dtmf), one.parameters)
    raise refusal(305, "the answer has none of the codecs offered")


def _event_type(formats: list[Format], codec: str, wanted: bool) -> int | None:
    """Payload type of telephone-event at the codec's clock; at another one it could not share its time line."""
    types = types_of(formats, TELEPHONE_EVENT, clock_of(codec)) if wanted else ()
    return types[0] if types else None


def _described(codec: str, payload_type: int, event_type: int | None) -> list[Format]:
    formats = [Format.ours(payload_type, codec, clock_of(codec))]
    if event_type is not None:
        formats.append(Format.ours(event_type, TELEPHONE_EVENT, clock_of(codec)))
    return formats


def _offered(local: LocalAudio, previous: Agreement | None) -> list[Format]:
    """Our codecs, and telephone-event at each of their clocks. What was agreed before keeps its payload types."""
    codecs = list(dict.fromkeys(codec.upper() for codec in local.codecs))
    events = {clock_of(codec): 0 for codec in codecs} if local.dtmf else {}
    kept: dict[str | int, int] = {}
    if previous is not None:
        stream = previous.stream
        kept[stream.codec.upper()] = stream.receive_types[0]
        if stream.dtmf_receive_type is not None:
            kept[clock_of(stream.codec)] = stream.dtmf_receive_type
            events.setdefault(clock_of(stream.codec), 0)
        codecs = list(dict.fromkeys([*codecs, stream.codec.upper()]))
    types = _numbered([*((codec, usual_type(codec)) for codec in codecs), *((hz, 101) for hz in sorted(events))], kept)
    return [
        *(Format.ours(types[codec], codec, clock_of(codec)) for codec in codecs),
        *(Format.ours(types[hz], TELEPHONE_EVENT, hz) for hz in sorted(events)),
    ]


def _numbered(wanted: Iterable[tuple[str | int, int]], kept: dict[str | int, int]) -> dict[str | int, int]:
    """A payload type for each: the one that was kept, else the one that is wanted, else the next that nobody has."""
    types = dict(kept)
    for what, number in wanted:
        if what not in types:
            taken = types.values()
            free = (other for other in (number, *_DYNAMIC) if other not in taken)
            types[what] = next(free)
    return types
