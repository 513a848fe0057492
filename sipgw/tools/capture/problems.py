"""Names what went wrong in a call, with a sentence that says what likely caused it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sipgw.flow import Endpoint
from sipgw.tools.capture.call import CallBuilder
from sipgw.tools.capture.media_problems import media_problems
from sipgw.tools.capture.model import CallTrace, Problem, Stream
from sipgw.tools.capture.one_way import Talk, one_way_problems
from sipgw.tools.capture.places import place

NAMES = {
    "no_response": "a request was repeated and nobody answered",
    "no_ack": "the 200 to an INVITE was repeated, and no ACK came",
    "retransmissions": "messages had to be repeated",
    "refused": "the call was refused",
    "unanswered": "the capture shows no end of the INVITE",
    "bye_unanswered": "nobody answered a BYE",
    "slow_setup": "the first sign of life came late",
    "not_kept": "the call has more messages than are kept",
    "no_media": "the call was answered, and no RTP of it was captured",
    "one_way_audio": "audio went one way only",
    "media_stopped": "audio stopped one way while it went on the other",
    "latched_elsewhere": "a party's audio goes to another place than it is sent from",
    "two_sources": "audio for one party came from two places at once",
    "payload_type": "audio was sent with a payload type that was not negotiated",
    "silence": "a stream carries nothing but silence",
    "loss": "packets were lost",
    "jitter": "packets came unevenly",
    "gap": "audio had a gap",
    "clock_skew": "a sender's clock runs wrong",
    "ssrc_change": "a sender changed its SSRC",
    "low_quality": "the estimated MOS is low",
}
"""Every name a call's problem may have, and what it means."""

_SLOW_SETUP = 4.0
"""Seconds to anything above 100."""
_LONG_RINGING = 180.0
"""Seconds after which a proxy gives up (RFC 3261 section 16.6, timer C)."""
_WAIT = 2.0
"""Seconds a response may take before its absence says something."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the capture knows beyond the call."""

    last: float
    """When the capture ends."""
    unreachable: Mapping[Endpoint, float]
    """Endpoints for which a datagram came back by ICMP, and when first."""
    orphans: list[Stream]
    """Streams of no call."""
    media: bool = True
    """Whether there is any RTP; a capture of signalling alone says nothing about audio."""


def problems_of(call: CallTrace, builder: CallBuilder, surroundings: Surroundings) -> list[Problem]:
    """Everything that is wrong with a call, in the order in which it happened."""
    found = [*_signalling(call, builder, surroundings)]
    if call.answered is not None and surroundings.media:
        ended = call.ended or max([surroundings.last if not call.streams else call.last, call.answered])
        orphans, unreachable = surroundings.orphans, surroundings.unreachable
        talk = Talk(call.answered, ended, call.streams, builder.descriptions, orphans, unreachable)
        found += one_way_problems(talk)
    found += media_problems(call, builder.descriptions)
    return sorted(found, key=lambda problem: problem.when)


def _signalling(call: CallTrace, builder: CallBuilder, surroundings: Surroundings) -> Iterator[Problem]:
    yield from _unacknowledged(builder)
    yield from _unanswered_requests(call, builder, surroundings)
    yield from _repeated(builder)
    if call.outcome == "refused" and call.ended is not None:
        last = next(m for m in reversed(call.messages) if m.label.startswith(f"{call.status} "))
        yield Problem("refused", call.ended, f"The call was refused with {last.label.removesuffix(' (INVITE)')}.")
    if call.setup_delay is not None and call.setup_delay > _SLOW_SETUP:
        when = call.first + call.setup_delay
        yield Problem(
            "slow_setup", when, f"It took {call.setup_delay:.1f} s from the INVITE to the first sign of life."
        )
    if builder.left_out:
        yield Problem("not_kept", call.messages[-1].when, f"{builder.left_out} more messages of the call are left out.")


def _unacknowledged(builder: CallBuilder) -> Iterator[Problem]:
    """A 200 that was repeated: RFC 3261 section 13.3.1.4."""
    acknowledged = {s.cseq for s in builder.sightings if s.method == "ACK"}
    answers = [s for s in builder.sightings if s.method == "INVITE" and 200 <= s.status < 300]
    for cseq in dict.fromkeys(s.cseq for s in answers):
        ours = [s for s in answers if s.cseq == cseq]
        if len(ours) > 1 and any(s.repeated for s in ours) and cseq not in acknowledged:
            sentence = (
                f"The 200 to INVITE {cseq} was sent {len(ours)} times over {ours[-1].when - ours[0].when:.1f} s and no "
                f"ACK came: the caller never got it, or cannot reach the Contact in it."
            )
            yield Problem("no_ack", ours[-1].when, sentence)


def _unanswered_requests(call: CallTrace, builder: CallBuilder, surroundings: Surroundings) -> Iterator[Problem]:
    answered = {(s.method, s.cseq) for s in builder.sightings if s.status}
    finally_answered = {(s.method, s.cseq) for s in builder.sightings if s.status >= 200}
    for method, name in (("INVITE", "no_response"), ("BYE", "bye_unanswered")):
        requests = [s for s in builder.sightings if s.method == method and not s.status]
        for cseq in dict.fromkeys(s.cseq for s in requests):
            ours = [s for s in requests if s.cseq == cseq]
            if (method, cseq) in answered or surroundings.last - ours[0].when < _WAIT:
                continue
            target = place(ours[0].destination)
            by = (
                " It came back by ICMP: nothing listens there."
                if ours[0].destination in surroundings.unreachable
                else ""
            )
            sentence = f"{method} was sent {len(ours)} times to {target} and nobody answered.{by}"
            yield Problem(name, ours[-1].when, sentence)
    invites = [s for s in builder.sightings if s.method == "INVITE" and s.initial and not s.status]
    if call.outcome == "unanswered" and invites and ("INVITE", invites[-1].cseq) in answered - finally_answered:
        waited = surroundings.last - invites[0].when
        if waited > _LONG_RINGING:
            sentence = f"The INVITE has no final answer when the capture ends, {waited:.0f} s later."
            yield Problem("unanswered", surroundings.last, sentence)


def _repeated(builder: CallBuilder) -> Iterator[Problem]:
    """Repeated messages by kind, each kind once."""
    counts = Counter[str]()
    whens: dict[str, float] = {}
    for sighting, message in zip(builder.sightings, builder.messages, strict=True):
        if sighting.repeated and message.transport == "udp":
            counts[message.label] += 1
            whens[message.label] = message.when
    for label, count in counts.items():
        times = "once" if count == 1 else f"{count} times"
        sentence = f"{label} was repeated {times}: the answer was late, lost or never sent."
        yield Problem("retransmissions", whens[label], sentence)
