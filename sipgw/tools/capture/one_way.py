"""Finds calls whose audio goes one way only, or stops, and says why that is likely so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sipgw.flow import Endpoint
from sipgw.tools.capture.codecs import BESIDE_SPEECH
from sipgw.tools.capture.descriptions import Description
from sipgw.tools.capture.model import Problem, Stream
from sipgw.tools.capture.places import is_private, place

_LEAST = 50
"""Packets, about a second: from there on a direction counts as audible."""
_LEAST_TALK = 2.0
"""Seconds an answered call must last before silence says something."""
_STOPPED = 5.0
"""Seconds that one direction must outlast the other."""
_OTHER = {"caller": "callee", "callee": "caller"}


@dataclass(frozen=True, slots=True)
class Talk:
    """The time between answer and end of a call, and all that is known of its media."""

    answered: float
    ended: float
    streams: Sequence[Stream]
    descriptions: Sequence[Description]
    orphans: Sequence[Stream]
    unreachable: Mapping[Endpoint, float]

    def sent_by(self, party: str) -> list[Stream]:
        """Its streams of speech that reach into the talk."""
        return [
            s for s in self.streams if s.sender == party and s.codec not in BESIDE_SPEECH and s.last > self.answered
        ]

    def last_of(self, party: str, before: float | None = None) -> Description | None:
        """The party's newest description of audio, at the end or at a moment."""
        moment = self.ended if before is None else before
        of_party = [d for d in self.descriptions if d.party == party and d.kind == "audio"]
        return next((d for d in reversed(of_party) if d.when <= moment), of_party[0] if of_party else None)

    def agreed(self, sender: str, before: float | None = None) -> bool:
        """Whether the party was to send at that time: neither it nor the other has put the call on hold."""
        own, other = self.last_of(sender, before), self.last_of(_OTHER[sender], before)
        return (own is None or (own.direction in ("sendrecv", "sendonly") and own.endpoint[1] != 0)) and (
            other is None or (other.direction in ("sendrecv", "recvonly") and other.endpoint[1] != 0)
        )


def one_way_problems(talk: Talk) -> Iterator[Problem]:
    """What is wrong with the directions of an answered call's audio."""
    if talk.ended - talk.answered < _LEAST_TALK:
        return
    counts = {party: sum(s.packets for s in talk.sent_by(party)) for party in _OTHER}
    if not any(counts.values()):
        if talk.agreed("caller") or talk.agreed("callee"):
            yield _nothing(talk)
        return
    for party, other in _OTHER.items():
        if counts[party] < 5 and counts[other] >= _LEAST and talk.agreed(party):
            cause = _why_silent(talk, party)
            sentence = f"The {other} heard nothing: {_count(counts[party])} from the {party} in the capture, "
            sentence += f"{counts[other]} the other way. {cause}"
            yield Problem("one_way_audio", talk.answered, sentence)
        else:
            yield from _stopped(talk, party)
    yield from _latched(talk)


def _nothing(talk: Talk) -> Problem:
    """No audio at all."""
    causes = [cause for party in _OTHER if (cause := _known_cause(talk, party))]
    cause = (
        causes[0] if causes else "Media takes another way than this capture sees, or is blocked before it gets here."
    )
    return Problem("no_media", talk.answered, f"The call was answered, but no RTP of it is in the capture. {cause}")


def _why_silent(talk: Talk, sender: str) -> str:
    """The likely cause of a direction without audio."""
    known = _known_cause(talk, sender)
    if known:
        return known
    target = talk.last_of(_OTHER[sender])
    where = f" to {place(target.endpoint)}" if target else ""
    own = talk.last_of(sender)
    if own and is_private(own.endpoint[0]) and not is_private(own.came_from):
        return (
            f"The {sender} sits behind an address translation (its SDP says {place(own.endpoint)}, its messages come "
            f"from {own.came_from}): its RTP{where} was dropped on the way or never sent."
        )
    return (
        f"The {sender} sent nothing{where} as far as this capture sees: a firewall before it, or muted at the source."
    )


def _known_cause(talk: Talk, sender: str) -> str:
    """The cause where something in the capture gives it away; else nothing."""
    receiver = _OTHER[sender]
    target = talk.last_of(receiver)
    if target is None:
        return f"The {receiver} never said in an SDP where it listens."
    if target.endpoint in talk.unreachable:
        return f"{place(target.endpoint)}, where the {receiver} should listen, answered by ICMP: the port is closed."
    own = talk.last_of(sender)
    if own and own.meanings and target.meanings and not _common(own, target):
        return "The two descriptions have no codec in common."
    if is_private(target.endpoint[0]) and not is_private(target.came_from):
        return (
            f"The {receiver}'s SDP names the private address {place(target.endpoint)} though its messages come from "
            f"{target.came_from}: who obeys it sends into nowhere."
        )
    stray = _stray(talk, sender, target)
    if stray is not None:
        return (
            f"{stray.packets} packets went from {place(stray.source)} to {place(stray.destination)}, which is not the "
            f"{place(target.endpoint)} of the {receiver}'s SDP."
        )
    return ""


def _stray(talk: Talk, sender: str, target: Description) -> Stream | None:
    """A stream of no call that looks as if it were this one: from or to the same host during the talk."""
    own = talk.last_of(sender)
    hosts = {own.endpoint[0], own.came_from} if own else set()
    for stream in talk.orphans:
        overlaps = stream.first < talk.ended and stream.last > talk.answered and stream.packets >= _LEAST
        same_way = stream.source[0] in hosts and stream.destination[0] in (target.endpoint[0], target.came_from)
        if overlaps and same_way:
            return stream
    return None


def _common(one: Description, other: Description) -> bool:
    names = {meaning.name for meaning in one.meanings.values()} - set(BESIDE_SPEECH)
    return bool(names & {meaning.name for meaning in other.meanings.values()})


def _stopped(talk: Talk, party: str) -> Iterator[Problem]:
    """Audio that ended long before the other direction's."""
    ours, theirs = talk.sent_by(party), talk.sent_by(_OTHER[party])
    if not ours or not theirs:
        return
    last, other_last = max(s.last for s in ours), min(max(s.last for s in theirs), talk.ended)
    if other_last - last < _STOPPED or not talk.agreed(party, last + _STOPPED):
        return
    after = max(last - min(*(s.first for s in ours), talk.answered), 0.0)
    sentence = (
        f"Audio from the {party} stopped {after:.0f} s into the call, {other_last - last:.0f} s before the other "
        f"direction: {_why_stopped(after)}."
    )
    yield Problem("media_stopped", last, sentence)


def _why_stopped(after: float) -> str:
    """A round number of seconds is a timer's."""
    for timer in (30, 60, 90, 120, 180, 300):
        if abs(after - timer) < 2.5:
            return f"likely a firewall or NAT whose time-out is {timer} s"
    return "a firewall or NAT closed the way, the network failed, or the sender died"


def _latched(talk: Talk) -> Iterator[Problem]:
    """Whose audio is sent to a place that is neither in its SDP nor where it sends from."""
    for party, other in _OTHER.items():
        towards = [s for s in talk.sent_by(other) if s.packets >= _LEAST]
        own, sources = talk.last_of(party), {s.source for s in talk.sent_by(party)}
        if not towards or own is None or not sources:
            continue
        said = {d.endpoint for d in talk.descriptions if d.party == party}
        newest = towards[-1]
        if newest.destination not in sources | said:
            where = " and ".join(sorted(place(source) for source in sources))
            sentence = (
                f"Audio for the {party} goes to {place(newest.destination)}, but the {party} sends from {where} and "
                f"its SDP names {place(own.endpoint)}: the other side has latched to a stranger."
            )
            yield Problem("latched_elsewhere", newest.first, sentence)
        yield from _two_sources(talk, party)


def _two_sources(talk: Talk, party: str) -> Iterator[Problem]:
    """Streams of one party from two places to the same place at the same time."""
    streams = [s for s in talk.sent_by(party) if s.packets >= _LEAST]
    for index, one in enumerate(streams):
        for other in streams[index + 1 :]:
            together = min(one.last, other.last) - max(one.first, other.first)
            if one.destination == other.destination and one.source != other.source and together > 1:
                sentence = (
                    f"Audio for {place(one.destination)} came from {place(one.source)} and {place(other.source)} at "
                    f"once: a receiver that latches may follow the wrong one."
                )
                yield Problem("two_sources", max(one.first, other.first), sentence)
                return


def _count(packets: int) -> str:
    return "no packet" if not packets else f"{packets} packet{'s' if packets > 1 else ''}"
